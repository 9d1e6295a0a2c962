package import LinuxProcess
package import ProfileModel

/// What a flight recorder waits for, and what it keeps of it.
package struct WatchPlan: Sendable {
  /// A freeze is at least this long.
  package var threshold: Nanoseconds
  /// How much of the time before a freeze is kept, and how much after it.
  package var before: Nanoseconds
  package var after: Nanoseconds
  /// How freezes are sampled.
  package var sampling: SamplingPlan
  /// Which threads are watched, by their names; nil for the main thread and those with event loops.
  package var choosesThread: (@Sendable (ThreadInfo) -> Bool)?

  /// The longest stretch that is sampled of one freeze, which may last for ever.
  package static let longest = Nanoseconds.seconds(600)
  /// Ticks per second while all is well; each costs one read of a thread that has not run.
  static let quietRate = 4.0

  /// A plan for freezes of at least `threshold`.
  package init(
    threshold: Nanoseconds, before: Nanoseconds, after: Nanoseconds, sampling: SamplingPlan,
    choosesThread: (@Sendable (ThreadInfo) -> Bool)? = nil
  ) {
    self.threshold = threshold
    self.before = before
    self.after = after
    self.sampling = sampling
    self.sampling.quietRate = Self.quietRate
    self.choosesThread = choosesThread
  }
}

/// Why a sleeping thread sleeps, as its stack shows.
package enum SleeperRole: Sendable {
  /// It rests in its event loop.
  case loop
  /// It waits for work.
  case idle
  /// It sleeps by its own choice, which is no rest for a thread that has an event loop.
  case asleep
  /// It needs what it waits for, in a handler that its event loop has called.
  case handler
  /// It needs what it waits for.
  case needed
}

/// A stretch in which a thread that should have come back did not.
package struct WatchedFreeze: Sendable {
  package let tid: Int32
  /// The last time that the thread was seen at rest, or the beginning of its one wait.
  package let start: MonotonicClock.Instant
  /// Whether the thread was not seen at rest before, so that it may have begun earlier.
  package let beganBefore: Bool
  package let isMain: Bool
  /// When it was known to go on, having reached the threshold.
  package let announced: MonotonicClock.Instant
  /// When it was seen at rest again; nil while it goes on.
  package var end: MonotonicClock.Instant?
}

/// Takes what a flight recorder finds; may be called on any of its threads, one call at a time for each
/// capture.
package protocol FreezeReceiver: AnyObject, Sendable {
  /// Why the threads sleep that do, by their stacks.
  func roles(in profile: Profile) -> [Int32: SleeperRole]

  /// A freeze has reached the threshold: gives what takes the capture as it grows, if anything does.
  func begin(_ freeze: WatchedFreeze) -> (@Sendable (ProfileGrowth) -> Void)?

  /// The same freeze, with what was sampled so far; `start` is when the profile begins.
  func announce(_ freeze: WatchedFreeze, in profile: Profile, since start: MonotonicClock.Instant)

  /// A capture of one or more freezes is over; the names are still to be looked up.
  func take(
    _ captured: CapturedProfile, of freezes: [WatchedFreeze], since start: MonotonicClock.Instant)

  /// The capture that had begun could not be finished.
  func lose(_ freezes: [WatchedFreeze], _ failure: Capture.Failure)

  /// A freeze is over; its capture may go on, or have ended before.
  func end(_ freeze: WatchedFreeze)
}
