/// The tasks of Python's asyncio that one sample found in a process.
package struct AsyncTasks: Hashable, Sendable {
  /// The process that they belong to.
  package let pid: Int32
  package var tasks: [AsyncTask]
  /// The stacks of what tasks await, each once, the innermost function first.
  package var stacks: [[SourceLine]]
  /// Threads whose event loop ran while its tasks were read: these may be of different moments.
  package var tornThreads: Set<Int32>
  /// Threads that ran between the sample of their stack and the end of the read: the tasks that
  /// they run belong to a later moment than the stack.
  package var movedThreads: Set<Int32>
  /// Whether there are more tasks than were read.
  package var isCut: Bool

  package init(
    pid: Int32, tasks: [AsyncTask] = [], stacks: [[SourceLine]] = [],
    tornThreads: Set<Int32> = [], movedThreads: Set<Int32> = [], isCut: Bool = false
  ) {
    self.pid = pid
    self.tasks = tasks
    self.stacks = stacks
    self.tornThreads = tornThreads
    self.movedThreads = movedThreads
    self.isCut = isCut
  }
}

/// One task of an event loop.
package struct AsyncTask: Hashable, Sendable {
  /// The raw values are words for programs.
  package enum State: String, Sendable, CaseIterable {
    /// Its thread runs it; its functions are in the thread's stack.
    case running
    /// It has started the running task, and goes on when this one pauses.
    case entered
    case suspended
    /// It has not run yet.
    case created
  }

  /// Where it is in memory, which identifies it in its process.
  package let address: RemoteAddress
  package let name: String
  /// The thread of its event loop; nil when that is not known.
  package let tid: Int32?
  package let state: State
  /// Index into the stacks; nil for one that runs, or whose functions could not be read.
  package let stack: Int?
  /// Indexes of the tasks that are known to await it.
  package let awaitedBy: [Int]

  package init(
    address: RemoteAddress, name: String, tid: Int32?, state: State, stack: Int?,
    awaitedBy: [Int] = []
  ) {
    self.address = address
    self.name = name
    self.tid = tid
    self.state = state
    self.stack = stack
    self.awaitedBy = awaitedBy
  }
}
