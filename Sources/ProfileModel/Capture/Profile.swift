/// Everything that a capture saw.
package struct Profile: Sendable {
  package var capture: CaptureInfo
  /// Indexed by `ModuleID`.
  package var modules: [Module]
  package var threads: [ThreadInfo]
  /// All stacks of the runs.
  package var stacks: StackTable
  /// The runs of each thread in the order of time, those of different threads mixed.
  package var runs: RunList
  /// Names and lines, indexed by `FrameID`; shorter than `stacks.frames` while names are missing.
  package var symbols: [ResolvedFrame]
  /// What threads were found to wait for, by `firstSeen`: in a dump of every sleeping thread, else
  /// of those that slept long.
  package var blockings: [Blocking]
  /// What threads waited for at each tick, as far as it was looked up.
  package var waitHistory: WaitHistory
  /// The tasks of event loops that a dump found, by process.
  package var tasks: [AsyncTasks]
  /// The goroutines of programs in Go, by process.
  package var goroutines: [Goroutines] = []

  package init(
    capture: CaptureInfo, modules: [Module] = [], threads: [ThreadInfo] = [],
    stacks: StackTable = StackTable(), runs: RunList = [], symbols: [ResolvedFrame] = [],
    blockings: [Blocking] = [], waitHistory: WaitHistory = WaitHistory(), tasks: [AsyncTasks] = []
  ) {
    self.capture = capture
    self.modules = modules
    self.threads = threads
    self.stacks = stacks
    self.runs = runs
    self.symbols = symbols
    self.blockings = blockings
    self.waitHistory = waitHistory
    self.tasks = tasks
  }
}

extension Profile {
  /// Whether it is the main thread of the capture's own process.
  package func isMainThread(_ thread: Int) -> Bool {
    threads[thread].isMain && threads[thread].pid(in: capture.pid) == capture.pid
  }
}
