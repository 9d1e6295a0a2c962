/// The goroutines of a process, or its virtual threads, alike ones together, as they were at the end of a
/// capture.
package struct Goroutines: Hashable, Sendable {
  /// What they are; the raw values are words for programs.
  package enum Kind: String, Sendable, CaseIterable {
    case goroutine
    /// Of Java, since JDK 21.
    case virtualThread = "virtual_thread"
  }

  package var kind = Kind.goroutine
  /// The process that they belong to.
  package let pid: Int32
  /// Of the program's runtime: `go1.22.10`, `JDK 25`.
  package var version: String
  /// Those with the most goroutines first; a goroutine belongs to one.
  package var groups: [GoroutineGroup]
  /// The stacks of the groups, each once, the innermost function first.
  package var stacks: [[SourceLine]]
  /// Whether no goroutine has run between two readings, so that all are of one moment.
  package var isSteady: Bool
  /// Whether there are more than were read.
  package var isCut: Bool
  /// Whether the program keeps no list of those that were started by themselves.
  package var isUntracked = false

  package init(
    pid: Int32, version: String = "", groups: [GoroutineGroup] = [], stacks: [[SourceLine]] = [],
    isSteady: Bool = false, isCut: Bool = false
  ) {
    self.pid = pid
    self.version = version
    self.groups = groups
    self.stacks = stacks
    self.isSteady = isSteady
    self.isCut = isCut
  }

  /// Of all groups.
  package var count: Int { groups.reduce(0) { $0 &+ $1.count } }
}

/// Goroutines in the same stack that do the same.
package struct GoroutineGroup: Hashable, Sendable {
  /// The raw values are words for programs.
  package enum State: String, Sendable, CaseIterable {
    /// A thread runs it; its functions are in the thread's stack.
    case running
    case runnable
    /// In a system call, or in C.
    case systemCall = "system_call"
    case waiting
    /// Its state was none of these, or changed just then.
    case other
  }

  package var state: State
  /// What it waits for, in the words of Go's runtime: `chan receive`; nil where it does not wait.
  ///
  /// Of a virtual thread the name of its state: `TIMED_PARKED`.
  package var reason: String?
  /// What all of them wait for, of virtual threads; with an owner only where all wait for the same one.
  package var wait: Wait?
  /// Index into the stacks; nil where the stack could not be read, and of one that runs.
  package var stack: Int?
  /// Where the `go` statement is that began them; nil for the first goroutine.
  package var creator: SourceLine?
  package var count: Int
  /// The numbers of some of them, ascending.
  package var ids: [UInt64]
  /// The names that the program has given those, in the same order; empty where none has one.
  package var names: [String] = []
  /// Whether the runtime keeps them for itself, such as the collector's.
  package var isOfRuntime: Bool
  /// The lock or channel that all of them wait for; nil where there are several, or none is known.
  package var object: RemoteAddress?
  /// For how long all of them have been waiting at least, in nanoseconds; 0 where that is not known.
  package var waited: Int64
  /// The same of the one that has waited longest.
  package var longestWait: Int64
  /// How many of them have been waiting for a second or more.
  package var longWaiters: Int
  /// The threads that run those in `ids`, in the same order, 0 where that is not known; empty for those
  /// that no thread runs.
  package var threads: [Int32]

  package init(
    state: State, reason: String? = nil, stack: Int? = nil, creator: SourceLine? = nil,
    count: Int = 0, ids: [UInt64] = [], isOfRuntime: Bool = false, object: RemoteAddress? = nil,
    waited: Int64 = 0, longestWait: Int64 = 0, longWaiters: Int = 0, threads: [Int32] = []
  ) {
    self.state = state
    self.reason = reason
    self.stack = stack
    self.creator = creator
    self.count = count
    self.ids = ids
    self.isOfRuntime = isOfRuntime
    self.object = object
    self.waited = waited
    self.longestWait = longestWait
    self.longWaiters = longWaiters
    self.threads = threads
  }

  /// Whether the program's first goroutine, which runs `main.main`, is one of them.
  package var hasMain: Bool { ids.first == 1 }
}
