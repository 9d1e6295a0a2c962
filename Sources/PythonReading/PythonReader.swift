package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

/// Reads the Python stacks of one process.
///
/// Belongs to one thread of ours; the stacks that it gives may go to others.
package final class PythonReader {
  package let runtime: PythonRuntime
  let process: Int32
  let codes: PythonCodeTable
  private let identities: PythonThreadIdentity
  private var list: PythonThreadList
  private(set) var owners = PythonThreadOwners()
  private var readers: [ReaderKey: PythonThreadReader] = [:]
  /// The thread states of each thread; several where it runs several interpreters.
  private var statesOfThread: [Int32: [PythonThread]] = [:]
  /// Those that some thread runs, of which it is not known which one: each is looked for on the stacks of
  /// all threads.
  private var unplaced: [PythonThread] = []
  /// What the threads' `pthread_self()` points to, in ascending order.
  private var stackEnds: [UInt64] = []
  /// Whether other threads own thread states than when these were put together.
  private var isIndexOld = false
  /// The same as samples take them, of the threads that were met.
  private var threadsByID: [Int32: PythonOSThread] = [:]
  /// Whether asyncio was loaded when the names of threads were last read; nil before that.
  private(set) var hasAsyncio: Bool?
  /// Where tasks are, once that was found.
  var taskLayout: PythonTaskLayout?
  /// The most innermost frames that samples need of a thread; nil for all.
  package var maxDepth: Int?
  /// What the tasks that wait for the running one are found with; nil while they are not followed.
  var taskPlaces: PythonTaskPlaces?
  /// What stands for tasks in stacks, by its text.
  private var taskMarkers: [String: RuntimeFunction] = [:]
  private static let markerLimit = 1 << 14
  /// More are not looked for at each sample.
  private static let unplacedLimit = 32

  /// A thread state as one thread's samples copy it: samples of several may be under way.
  private struct ReaderKey: Hashable {
    let state: RemoteAddress
    let tid: Int32?
  }

  /// `clock` shows how long code objects have been the same.
  package init(
    _ runtime: PythonRuntime, process: Int32,
    clock: @escaping () -> MonotonicClock.Instant = MonotonicClock.now
  ) {
    self.runtime = runtime
    self.process = process
    codes = PythonCodeTable(runtime, clock: clock)
    identities = PythonThreadIdentity(process: process)
    list = PythonThreadList(runtime)
  }

  func noteAsyncio(isLoaded: Bool) { hasAsyncio = isLoaded }

  /// The one function that stands for all tasks with this text.
  func taskMarker(_ text: String) -> RuntimeFunction {
    if let known = taskMarkers[text] { return known }
    // Names with numbers in them must not fill our memory.
    if taskMarkers.count >= Self.markerLimit { taskMarkers.removeAll() }
    let marker = RuntimeFunction(name: text, file: "", firstLine: 0, lines: RuntimeLineTable())
    taskMarkers[text] = marker
    return marker
  }

  // MARK: - Threads

  /// The thread states of all interpreters, as they were at the last refresh.
  package var threads: [PythonThread] { list.threads }
  package var interpreters: [PythonInterpreter] { list.interpreters }

  /// Whether the last refresh saw the interpreter shut down.
  var isFinalising: Bool { list.isFinalising }
  package var isWhole: Bool { list.isWhole }
  func isMain(_ tid: Int32) -> Bool { tid == process }
  package var isEmpty: Bool { list.threads.isEmpty }

  package func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges {
    let before = list.threads
    list.refresh(from: memory)
    var changes = RuntimeThreadChanges()
    let old = Set(before.map(\.key))
    let new = Set(list.threads.map(\.key))
    changes.began = new.subtracting(old).count
    changes.ended = old.subtracting(new).count
    identities.begin()
    owners.update(
      to: list.threads, isAlive: { identities.isAlive($0) },
      named: { identities.threadID(of: $0, from: memory) })
    let owned = Set(before.lazy.filter { $0.tid != nil }.map(\.key))
    let wanted = Set(unplaced.map(\.key))
    rebuildIndex()
    for thread in list.threads where !owned.contains(thread.key) {
      if let tid = thread.tid { changes.gained.insert(tid) }
    }
    changes.mayHaveGained = unplaced.contains { !wanted.contains($0.key) }
    return changes
  }

  /// Notes whether the frames of a thread state were found on a thread's stack.
  func note(_ thread: PythonThread, _ tid: Int32, isThere: Bool) {
    let isNew =
      isThere ? owners.note(thread, runsOn: tid) : owners.note(thread, isNotOn: tid)
    if isNew { isIndexOld = true }
  }

  package var problem: RuntimeProblem? {
    if isIndexOld { rebuildIndex() }
    let count = unplaced.count { !owners[$0].wasFound }
    return count > 0 ? .unplacedStacks(language: Self.language, count: count) : nil
  }

  /// Right as long as the process has no new thread, which might have the number of one that has
  /// ended.
  package func refreshThreadsIfChanged(from memory: some TargetMemory) -> RuntimeThreadChanges {
    if list.isWhole, list.isUnchanged(in: memory), list.threads.allSatisfy({ $0.tid != nil }) {
      return RuntimeThreadChanges()
    }
    return refreshThreads(from: memory)
  }

  private func rebuildIndex() {
    isIndexOld = false
    for index in list.threads.indices {
      list.setThreadID(owners[list.threads[index]].tid, at: index)
    }
    statesOfThread.removeAll(keepingCapacity: true)
    threadsByID.removeAll(keepingCapacity: true)
    unplaced = list.threads.filter { $0.tid == nil && $0.hasFrames }
    stackEnds = list.threads.map(\.pthread).sorted()
    let current = Dictionary(
      list.threads.map { ($0.state, $0) }, uniquingKeysWith: { first, _ in first })
    readers = readers.filter { key, reader in
      guard let thread = current[key.state], reader.thread.key == thread.key else { return false }
      return thread.tid == nil || thread.tid == key.tid
    }
    // Newest first: of two states of one interpreter the newer belongs to a thread that is about to
    // begin and still has the number of the one that started it.
    var owners: Set<[UInt64]> = []
    for thread in list.threads.reversed() {
      if let tid = thread.tid,
        owners.insert([thread.interpreter.rawValue, UInt64(UInt32(bitPattern: tid))]).inserted
      {
        statesOfThread[tid, default: []].insert(thread, at: 0)
      }
    }
  }

  /// The place with as much of the mapping as can be the stack of that thread.
  ///
  /// Stacks may share a mapping: since glibc 2.42 guard pages need none of their own
  /// (`MADV_GUARD_INSTALL`). At the upper end of each is what `pthread_self()` points to.
  func withinOwnStack(_ place: ThreadPlace) -> ThreadPlace {
    let pointer = place.registers.stackPointer
    let next = stackEnds.partitioningIndex { $0 > pointer.rawValue }
    guard next < stackEnds.count else { return place }
    let end = RemoteAddress(stackEnds[next]) + 1
    guard place.stack.contains(pointer), end < place.stack.upperBound else { return place }
    return ThreadPlace(place.registers, stack: place.stack.lowerBound..<end)
  }

  package func thread(_ tid: Int32) -> (any RuntimeThread)? { osThread(tid) }

  private func osThread(_ tid: Int32) -> PythonOSThread? {
    if isIndexOld { rebuildIndex() }
    if let known = threadsByID[tid] { return known }
    let own = statesOfThread[tid] ?? []
    let states = own + unplaced.prefix(Self.unplacedLimit)
    guard !states.isEmpty else { return nil }
    let thread = PythonOSThread(
      states.map { threadReader(of: $0, on: tid) }, ownCount: own.count, tid: tid, of: self)
    threadsByID[tid] = thread
    return thread
  }

  /// The reader of one thread state; the same object until the thread ends, or another runs it.
  package func threadReader(of thread: PythonThread) -> PythonThreadReader {
    threadReader(of: thread, on: thread.tid)
  }

  private func threadReader(of thread: PythonThread, on tid: Int32?) -> PythonThreadReader {
    let key = ReaderKey(state: thread.state, tid: tid)
    if let known = readers[key], known.thread.key == thread.key { return known }
    let reader = PythonThreadReader(thread, of: self)
    readers[key] = reader
    return reader
  }

  /// Reads a thread state's stack at once; the thread may run meanwhile.
  func stack(
    of thread: PythonThread, from memory: some TargetMemory,
    until deadline: MonotonicClock.Instant = .distantFuture
  ) -> RuntimeStack {
    let reader = threadReader(of: thread)
    reader.prepare()
    reader.copy(from: memory, until: deadline, isStopped: false)
    var stack = reader.finish()
    stack.forget(refuted(from: memory))
    return stack
  }
}

extension PythonThread {
  /// What tells a thread state from another one at the same address later.
  struct Key: Hashable {
    let state: RemoteAddress
    let interpreter: RemoteAddress
    let pthread: UInt64
    let nativeID: Int32?
  }

  var key: Key {
    Key(state: state, interpreter: interpreter, pthread: pthread, nativeID: nativeID)
  }
}
