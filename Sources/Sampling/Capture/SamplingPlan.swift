package import ProfileModel

/// What a capture is asked to do.
package struct SamplingPlan: Sendable {
  /// What the capture is called; a plan without a rate is a dump.
  package var kind: CaptureInfo.Kind
  /// Ticks per second, 1 to 20,000; nil for one sample of every thread.
  package var rate: Double?
  /// The share of the time in which threads may be stopped, 0 to 1; beyond it ticks are left out.
  package var maxPause: Double
  /// Nanoseconds; nil samples until it is stopped or the target ends.
  package var duration: Int64?
  /// Stops every thread at each tick at one instant, sleeping ones too.
  package var stopAll: Bool
  /// The most stack bytes that are copied of one thread.
  package var stackLimit: Int
  /// Reads `status` in place of `schedstat`, as on a kernel without scheduler statistics.
  package var ignoresSchedulerStatistics: Bool

  /// Which frames of threads that an interpreter runs are kept.
  package var frames: FrameChoice
  /// Shows, in the stack of a thread that runs a task of asyncio, the tasks that wait for that one.
  package var followsTasks: Bool
  /// Looks for language runtimes; without it all frames are native.
  package var readsRuntimes: Bool

  package init(
    kind: CaptureInfo.Kind = .attach, rate: Double?, maxPause: Double = 1,
    duration: Int64? = nil, stopAll: Bool = false,
    stackLimit: Int = 16 << 20, ignoresSchedulerStatistics: Bool = false,
    frames: FrameChoice = .mixed, followsTasks: Bool = false, readsRuntimes: Bool = true
  ) {
    self.followsTasks = followsTasks
    self.frames = frames
    self.readsRuntimes = readsRuntimes
    self.kind = rate == nil ? .dump : kind
    self.rate = rate
    self.maxPause = maxPause
    self.duration = duration
    self.stopAll = stopAll
    self.stackLimit = stackLimit
    self.ignoresSchedulerStatistics = ignoresSchedulerStatistics
  }
}
