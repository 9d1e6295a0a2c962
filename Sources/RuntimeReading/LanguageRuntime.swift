package import LinuxProcess
package import ProfileModel

/// One language runtime in a running process, read from outside.
///
/// A new runtime is a target that conforms to this, and a line in `KnownRuntimes` (Sampling). A process
/// may have several at once, and one thread frames of each. Belongs to the tracer thread; the stacks
/// that it gives may go to others.
package protocol LanguageRuntime: AnyObject {
  /// What users call the language: `Python`.
  static var language: String { get }

  /// Looks for the runtime in a process; stops nothing.
  static func find(in memory: ProcessMemory, maps: MemoryMaps, process: Int32) -> RuntimeSearch

  /// What the resolver needs to know of the runtime's own native code.
  var nativeCode: any RuntimeNativeCode { get }

  /// The most innermost frames that samples need of a thread; nil, as at first, for all.
  var maxDepth: Int? { get set }

  // MARK: - Threads

  /// Lists the runtime's threads again.
  func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges

  /// The same where the process has no new thread, so that a small read may show that nothing changed.
  func refreshThreadsIfChanged(from memory: some TargetMemory) -> RuntimeThreadChanges

  /// Whether the last refresh found no thread at all.
  var isEmpty: Bool { get }

  /// Whether the last refresh read all of the runtime's lists; a torn one leaves old threads in place.
  var isWhole: Bool { get }

  /// One thread of the process; nil where it runs nothing of the runtime's, by all that is known.
  func thread(_ tid: Int32) -> (any RuntimeThread)?

  /// The names that the program itself has given its threads. Costs several reads a thread.
  func threadNames(from memory: some TargetMemory) -> [Int32: String]

  /// What keeps frames from being shown, by the last refresh.
  var problem: RuntimeProblem? { get }

  // MARK: - Checks

  /// The numbers of the functions that copies took for granted since the last call, and that are not
  /// what they were: the stacks of these copies have to forget them (`RuntimeStack.forget`).
  ///
  /// The threads may run. One read, and one more for each piece of memory that is not there. A runtime
  /// whose objects move takes nothing for granted.
  func refuted(from memory: some TargetMemory) -> Set<UInt32>

  // MARK: - The interpreter's lock

  /// Where the futexes are that threads sleep on while they wait for the lock of an interpreter; none
  /// where the runtime has no such lock.
  var lockRanges: [Range<RemoteAddress>] { get }

  /// Whether a thread that sleeps in a futex at `address` waits for the lock of an interpreter.
  func isLock(_ address: RemoteAddress) -> Bool

  /// By thread: the other thread that holds the lock of its interpreter at this moment.
  func lockHolders(from memory: some TargetMemory) -> [Int32: Int32]

  /// By thread: what it waits for at this moment, where the runtime has locks of its own; the threads may
  /// run.
  func waits(from memory: some TargetMemory) -> [Int32: RuntimeWait]

  /// The thread that the program's own main function runs in, where that is not the process's first; nil
  /// where that is not known.
  func mainThread(from memory: some TargetMemory) -> Int32?

  // MARK: - Asynchronous tasks

  /// Looks for what the chains of awaiting tasks are read with, unless it is known; stops nothing.
  ///
  /// From then on stacks contain the tasks that wait for the running one.
  func followTasks(in memory: ProcessMemory) -> RuntimeTaskFollowing

  /// Whether the program has tasks that can be listed; looks for where they are, and stops nothing.
  func findTasks(in memory: ProcessMemory) -> Bool

  /// All tasks that have not ended, read from live memory: of one instant only while nothing runs.
  func tasks(from memory: some TargetMemory) -> RuntimeTaskList

  /// All goroutines that have not ended, read from live memory; nil for a runtime that has none.
  func goroutines(from memory: some TargetMemory) -> Goroutines?

  /// All virtual threads that have not ended, read from live memory; nil for a runtime without.
  func virtualThreads(from memory: some TargetMemory) -> VirtualThreads?
}

// What a runtime has no use for: it need not say so.
extension LanguageRuntime {
  package func refreshThreadsIfChanged(from memory: some TargetMemory) -> RuntimeThreadChanges {
    refreshThreads(from: memory)
  }

  package func threadNames(from memory: some TargetMemory) -> [Int32: String] { [:] }

  package var problem: RuntimeProblem? { nil }

  package func refuted(from memory: some TargetMemory) -> Set<UInt32> { [] }

  package var lockRanges: [Range<RemoteAddress>] { [] }

  package func isLock(_ address: RemoteAddress) -> Bool { false }

  package func lockHolders(from memory: some TargetMemory) -> [Int32: Int32] { [:] }

  package func waits(from memory: some TargetMemory) -> [Int32: RuntimeWait] { [:] }

  package func mainThread(from memory: some TargetMemory) -> Int32? { nil }

  package func followTasks(in memory: ProcessMemory) -> RuntimeTaskFollowing { .complete }

  package func findTasks(in memory: ProcessMemory) -> Bool { false }

  package func tasks(from memory: some TargetMemory) -> RuntimeTaskList { RuntimeTaskList() }

  package func goroutines(from memory: some TargetMemory) -> Goroutines? { nil }

  package func virtualThreads(from memory: some TargetMemory) -> VirtualThreads? { nil }
}

/// What one runtime knows of one thread of the process, and the steps of a sample.
///
/// Take samples by way of `PreparedRuntimeSample`, which keeps the steps in their order.
package protocol RuntimeThread: AnyObject {
  /// Finds out where the thread's frames are while it runs, if that is not known or the last sample was
  /// cut short: its stop will be the shorter.
  func warmUp(from memory: some TargetMemory)

  /// Begins a sample, before the thread is stopped.
  func prepare()

  /// Whether nothing shows the frames of a thread that is at `instruction`, and will a few
  /// instructions later.
  func isInTransit(at instruction: RemoteAddress) -> Bool

  /// Copies what the frames are read from, in at most `reads` reads and until about `deadline`, by
  /// `MonotonicClock`; allocates nothing where the last sample took as much.
  ///
  /// Returns whether all is there.
  func copy(
    at place: ThreadPlace, from memory: some TargetMemory, reads: Int,
    until deadline: MonotonicClock.Instant,
    isStopped: Bool
  ) -> Bool

  /// Whether the copy is of a moment at which frames are being linked, so that it is not whole, and will
  /// be a few instructions later.
  var isCopyInTransit: Bool { get }

  /// The stack that was copied; the thread may run. Makes the next copy the shorter.
  ///
  /// What was there for long is taken to be there still: see `LanguageRuntime.refuted`.
  func finish() -> RuntimeStack
}

/// Where a thread is that is being sampled.
package struct ThreadPlace: Sendable {
  /// All are known in a stop, and few of a thread that sleeps.
  package let registers: Registers
  /// The part of memory that the stack is in; empty where it is not known.
  package let stack: Range<RemoteAddress>

  package init(
    _ registers: Registers = Registers(),
    stack: Range<RemoteAddress> = RemoteAddress(0)..<RemoteAddress(0)
  ) {
    self.registers = registers
    self.stack = stack
  }

  /// What of the stack is in use; empty where it is not known.
  package var usedStack: Range<RemoteAddress> {
    let pointer = registers.stackPointer
    guard stack.contains(pointer) else { return RemoteAddress(0)..<RemoteAddress(0) }
    return pointer..<stack.upperBound
  }
}

/// What the search for a language runtime in a process found.
package enum RuntimeSearch {
  /// No such runtime is mapped.
  case none
  /// It is mapped, but has no threads yet: search again later.
  case notReady
  case found(any LanguageRuntime)
  /// Its structures are not known: another search finds no more.
  case unknown(RuntimeProblem)
  /// It does not read as it should, which may pass.
  case unreadable(RuntimeProblem)
}

/// How the threads of a runtime changed since they were last listed.
package struct RuntimeThreadChanges: Sendable, Equatable {
  package var began = 0
  package var ended = 0
  /// The threads of the process that have frames to be shown since then: a sample from before lacks them.
  package var gained: Set<Int32> = []
  /// Whether any other thread may have some.
  package var mayHaveGained = false

  package init() {}

  package var isEmpty: Bool { began == 0 && ended == 0 && gained.isEmpty && !mayHaveGained }
}
