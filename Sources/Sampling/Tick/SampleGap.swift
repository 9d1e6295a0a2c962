internal import LinuxProcess
internal import ProfileModel

/// The time between two samples of one thread, in which it may fall asleep and wake up unseen.
///
/// The kernel counts how often a thread gives up its CPU: once for each stop, and once for each sleep. It
/// also counts how often a thread is put on a CPU, which costs nothing more to read, but happens after
/// it lost the CPU to others, too.
struct SampleGap {
  /// The stops since the sample before, its own among them: the thread ran on after each.
  private var stops: UInt64 = 0
  /// When it ran on after that sample, or when the sample was taken.
  private var begin = MonotonicClock.now()
  /// When it had stopped for the sample under way; nil for one that takes no stop.
  private var end: MonotonicClock.Instant?
  /// How often it had given up its CPU at the sample before, and at the one under way; nil where that
  /// is not known.
  private var switchesBefore: UInt64?
  private var switches: UInt64?

  /// How often the thread has given up its CPU by now, where that follows from how often it was put on
  /// one; nil where it was more often than for its stops and the sleep that was sampled.
  func switches(
    from old: ThreadCounters, to new: ThreadCounters, wasAsleep: Bool, isAsleep: Bool
  ) -> UInt64? {
    guard let switchesBefore, new.switches == old.switches &+ stops &+ (wasAsleep ? 1 : 0) else {
      return nil
    }
    return switchesBefore &+ stops &+ (isAsleep ? 1 : 0)
  }

  /// Notes how often the thread had given up its CPU just before it is sampled.
  mutating func note(switches: UInt64?) { self.switches = switches }

  /// Counts a stop that is about to end.
  mutating func noteStop() { stops += 1 }

  /// Notes when the thread was resumed.
  mutating func begin(at time: MonotonicClock.Instant) { begin = time }

  /// Notes when the thread was found to have stopped: what is copied after that takes none of its time.
  mutating func end(at time: MonotonicClock.Instant) { end = time }

  /// Begins anew at the sample under way.
  mutating func restart() {
    stops = 0
    begin = MonotonicClock.now()
    end = nil
    switchesBefore = switches
    switches = nil
  }

  /// Whether there was a sleep besides those of the two samples, by counters that were read just now.
  ///
  /// In doubt there was: nobody can tell where the thread slept.
  func hidesSleep(
    from old: ThreadCounters, to new: ThreadCounters, wasAsleep: Bool, isAsleep: Bool
  ) -> Bool {
    if let switchesBefore, let switches {
      guard switches > switchesBefore &+ stops &+ (isAsleep ? 1 : 0) else { return false }
      // A moment's wait for what the kernel guards, such as the program's memory map, is no sleep.
      guard !wasAsleep, !isAsleep, end != nil else { return true }
      return isTimeMissing(from: old, to: new)
    }
    let known = old.switches &+ stops &+ (wasAsleep ? 1 : 0)
    guard new.switches > known else { return false }
    guard !wasAsleep, !isAsleep else { return true }
    return isTimeMissing(from: old, to: new)
  }

  /// Whether a thread that is asleep, by counters that were read just now, fell asleep since the sample
  /// before; one that was stopped in its sleep only went on with it.
  func beganSleep(from old: ThreadCounters, to new: ThreadCounters, wasAsleep: Bool) -> Bool {
    // A stop wakes it up: it is put on a CPU for that, and to go on.
    new.switches > old.switches &+ stops &+ (wasAsleep && stops > 0 ? 1 : 0)
  }

  /// One that lost the CPU was running, or ready to, all the time.
  private func isTimeMissing(from old: ThreadCounters, to new: ThreadCounters) -> Bool {
    let ready = (new.cpu - old.cpu) + (new.delay - old.delay)
    return (end ?? MonotonicClock.now()) - begin - ready > Self.tolerance
  }

  /// What a stop takes from a thread that neither of its counters has.
  private static let tolerance = Nanoseconds.microseconds(150)
}
