internal import LinuxProcess
package import ProfileModel

/// How a capture of either kind samples a thread.
package struct SampleOptions: Sendable {
  /// Stops every thread at one instant, sleeping ones too.
  package var stopAll: Bool
  /// The most stack bytes that are copied of one thread.
  package var stackLimit: Int
  /// Reads `status` in place of `schedstat`, as on a kernel without scheduler statistics.
  package var ignoresSchedulerStatistics: Bool

  /// Which frames of threads that an interpreter runs are kept.
  package var frames: FrameChoice
  /// Shows, in the stack of a thread that runs a task of asyncio, the tasks that wait for that one.
  package var followsTasks: Bool
  /// Keeps at most so many innermost frames of each stack, 1 for no callers, and copies no more than that
  /// takes; nil for all of them.
  package var maxDepth: Int?
  /// Looks for language runtimes; without it all frames are native.
  package var readsRuntimes: Bool
  /// How long debug data may be read; nil for as long as it takes.
  package var symbolsTimeout: Nanoseconds?
  /// Stops no thread: one that runs has no stack then.
  package var stopsNothing = false

  package init(
    stopAll: Bool = false, stackLimit: Int = 16 << 20, ignoresSchedulerStatistics: Bool = false,
    frames: FrameChoice = .mixed, followsTasks: Bool = false, maxDepth: Int? = nil,
    readsRuntimes: Bool = true, symbolsTimeout: Nanoseconds? = nil
  ) {
    self.stopAll = stopAll
    self.stackLimit = stackLimit
    self.ignoresSchedulerStatistics = ignoresSchedulerStatistics
    self.frames = frames
    self.followsTasks = followsTasks
    self.maxDepth = maxDepth.map { max($0, 1) }
    self.readsRuntimes = readsRuntimes
    self.symbolsTimeout = symbolsTimeout
  }

  /// Whether the kernel's scheduler statistics serve, or only its context switch counts.
  var usesSchedulerStatistics: Bool {
    !ignoresSchedulerStatistics && ThreadCounters.areKeptByKernel()
  }
}

/// What a capture that samples for some time is asked to do.
package struct SamplingPlan: Sendable {
  package enum Kind: Sendable {
    /// Of a program that was there before.
    case attach
    /// Of a program that was started for it, and is held until the capture is ready.
    case run
  }

  package var kind: Kind
  /// Ticks per second, 1 to 20,000.
  package var rate: Double
  /// The share of the time in which threads may be stopped, 0 to 1; beyond it ticks are left out.
  package var maxPause: Double
  /// The CPU time that sprof itself may use for it; captures of copies of the plan share it.
  let cpuBudget: CPUBudget
  /// Nil samples until it is stopped or the target ends.
  package var duration: Nanoseconds?
  package var options: SampleOptions
  /// Where in its period each tick falls follows from it (`TickTimes`); nil for the middle of each.
  package var seed: UInt32?
  /// Ticks per second while the capture is quiet (`CaptureControl.isQuiet`); nil for one that never is.
  var quietRate: Double?
  /// Where the processes are noted that waits lead to; nil where these are not to be sampled.
  package var peers: PeerRequests?

  /// `maxCPU` is the share of a core that sprof itself may use, 0 to 1; 1 is without a limit.
  package init(
    kind: Kind = .attach, rate: Double, maxPause: Double = 1, maxCPU: Double = 1,
    duration: Nanoseconds? = nil, options: SampleOptions = SampleOptions(),
    seed: UInt32? = .random(in: .min ... .max), peers: PeerRequests? = nil
  ) {
    self.kind = kind
    self.rate = rate
    self.maxPause = maxPause
    cpuBudget = CPUBudget(share: maxCPU)
    self.duration = duration
    self.options = options
    self.seed = seed
    self.peers = peers
  }
}

extension CaptureInfo.Kind {
  init(_ kind: SamplingPlan.Kind) {
    self =
      switch kind {
      case .attach: .attach
      case .run: .run
      }
  }
}
