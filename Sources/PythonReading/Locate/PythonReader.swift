package import LinuxProcess
package import ProfileModel

/// Reads the Python stacks of one process.
///
/// Belongs to one thread of ours; the stacks that it gives may go to others.
package final class PythonReader: LanguageRuntime {
  package let runtime: PythonRuntime
  let codes: PythonCodeTable
  private let process: Int32
  private let identities: PythonThreadIdentity
  private var list: PythonThreadList
  private var readers: [RemoteAddress: PythonThreadReader] = [:]
  /// The thread states of each thread; several where it runs several interpreters.
  private var statesOfThread: [Int32: [RemoteAddress]] = [:]
  /// The readers of these, of the threads that were looked at.
  private var readersOfThread: [Int32: [PythonThreadReader]] = [:]
  /// The one of them that was asked for last: a sample asks for it time and again.
  private var recent: (tid: Int32, readers: [PythonThreadReader])?
  /// Whether asyncio was loaded when the names of threads were last read; nil before that.
  private(set) var hasAsyncio: Bool?
  /// What the tasks that wait for the running one are found with; nil while they are not followed.
  var taskPlaces: PythonTaskPlaces?
  /// What stands for tasks in stacks, by its text.
  private var taskMarkers: [String: RuntimeFunction] = [:]

  package convenience init(_ description: PythonRuntime, process: Int32) {
    self.init(description, process: process, clock: { MonotonicClock.now().rawValue })
  }

  /// `clock`, in nanoseconds, tells how long code objects have been the same.
  package init(_ description: PythonRuntime, process: Int32, clock: @escaping () -> Int64) {
    runtime = description
    self.process = process
    codes = PythonCodeTable(description, clock: clock)
    identities = PythonThreadIdentity(process: process)
    list = PythonThreadList(description)
  }

  package var title: String { runtime.title }

  /// Those that are read: `3.7 to 3.15`.
  package static var versions: String {
    "3.\(PythonOffsets.minors.first ?? 0) to 3.\(PythonOffsets.minors.last ?? 0)"
  }

  func noteAsyncio(isLoaded: Bool) { hasAsyncio = isLoaded }

  /// The one function that stands for all tasks with this text.
  func taskMarker(_ text: String) -> RuntimeFunction {
    if let known = taskMarkers[text] { return known }
    // Names with numbers in them must not fill our memory.
    if taskMarkers.count >= Self.markerLimit { taskMarkers.removeAll() }
    let marker = RuntimeFunction(
      name: text, file: "", firstLine: 0, address: RemoteAddress(0), lines: .unknown)
    taskMarkers[text] = marker
    return marker
  }

  private static let markerLimit = 1 << 14

  /// Finds CPython in a process; stops nothing.
  package static func find(
    in memory: ProcessMemory, maps: MemoryMaps
  ) -> RuntimeSearch<PythonRuntime> {
    PythonSearch(memory: memory, maps: maps).run()
  }

  // MARK: - Threads

  /// The thread states of all interpreters, as they were at the last refresh.
  package var threads: [PythonThread] { list.threads }
  package var interpreters: [PythonInterpreter] { list.interpreters }

  /// Whether the last refresh saw the interpreter shut down.
  package var isFinalising: Bool { list.isFinalising }

  /// Whether the last refresh found all lists whole.
  package var isWhole: Bool { list.isWhole }

  package func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges {
    refreshThreads(from: memory, threadPointers: [:])
  }

  /// Lists the threads again; `threadPointers` are thread ids by `fs_base`, where a caller has them
  /// from a stop.
  package func refreshThreads(
    from memory: some TargetMemory, threadPointers: [UInt64: Int32]
  ) -> RuntimeThreadChanges {
    let before = list.threads
    list.refresh(from: memory)
    var changes = RuntimeThreadChanges()
    let old = Set(before.map(\.key))
    let new = Set(list.threads.map(\.key))
    changes.began = new.subtracting(old).count
    changes.ended = old.subtracting(new).count
    let known = Dictionary(before.map { ($0.key, $0.tid) }, uniquingKeysWith: { first, _ in first })
    identities.begin()
    for index in list.threads.indices {
      let thread = list.threads[index]
      let tid = (known[thread.key] ?? nil).flatMap { identities.isAlive($0) ? $0 : nil }
      list.setThreadID(
        tid ?? identities.threadID(of: thread, from: memory, threadPointers: threadPointers),
        at: index)
    }
    rebuildIndex()
    return changes
  }

  /// The same unless one small read tells that the lists are as they were.
  ///
  /// Right as long as the process has no new thread, which might bear the number of one that has
  /// ended.
  package func refreshThreadsIfChanged(from memory: some TargetMemory) -> RuntimeThreadChanges {
    if list.isWhole, list.isUnchanged(in: memory), list.threads.allSatisfy({ $0.tid != nil }) {
      return RuntimeThreadChanges()
    }
    return refreshThreads(from: memory)
  }

  private func rebuildIndex() {
    statesOfThread.removeAll(keepingCapacity: true)
    forgetReadersOfThreads()
    var kept: [RemoteAddress: PythonThreadReader] = [:]
    // Newest first: of two states of one interpreter the newer belongs to a thread that is about to
    // begin and still bears the number of the one that started it.
    var owners: Set<[UInt64]> = []
    for thread in list.threads.reversed() {
      if let tid = thread.tid,
        owners.insert([thread.interpreter.rawValue, UInt64(UInt32(bitPattern: tid))]).inserted
      {
        statesOfThread[tid, default: []].insert(thread.state, at: 0)
      }
      if let reader = readers[thread.state], reader.thread.key == thread.key {
        kept[thread.state] = reader
      }
    }
    readers = kept
  }

  package func hasThread(_ tid: Int32) -> Bool {
    recent?.tid == tid || statesOfThread[tid] != nil
  }

  /// The reader of one thread state; the same object until the thread ends.
  package func threadReader(of thread: PythonThread) -> PythonThreadReader {
    if let known = readers[thread.state], known.thread.key == thread.key { return known }
    let reader = PythonThreadReader(thread, of: self)
    readers[thread.state] = reader
    forgetReadersOfThreads()
    return reader
  }

  private func forgetReadersOfThreads() {
    readersOfThread.removeAll(keepingCapacity: true)
    recent = nil
  }

  private func threadReaders(of tid: Int32) -> [PythonThreadReader] {
    if let recent, recent.tid == tid { return recent.readers }
    if let known = readersOfThread[tid] {
      recent = known.isEmpty ? nil : (tid, known)
      return known
    }
    let found = (statesOfThread[tid] ?? []).compactMap { state in
      readers[state]
        ?? list.threads.first { $0.state == state }.map { threadReader(of: $0) }
    }
    readersOfThread[tid] = found
    return found
  }

  // MARK: - Samples

  package func prepare(_ tid: Int32) {
    for reader in threadReaders(of: tid) { reader.prepare() }
  }

  package func warmUp(_ tid: Int32, from memory: some TargetMemory) {
    for reader in threadReaders(of: tid) { reader.warmUp(from: memory) }
  }

  package func copy(
    _ tid: Int32, nativeStack: StackSnapshot?, from memory: some TargetMemory, reads: Int,
    until deadline: Int64 = .max, isStopped: Bool
  ) -> Bool {
    var isComplete = true
    for reader in threadReaders(of: tid) {
      if let stack = nativeStack { reader.add(stack.bytes, at: stack.start) }
      if !reader.copy(from: memory, reads: reads, until: deadline, isStopped: isStopped) {
        isComplete = false
      }
    }
    return isComplete
  }

  /// Whether the copied stack of a thread that is at `instruction` is not whole for a cause that passes
  /// with the next instructions.
  package func isInTransit(_ tid: Int32, at instruction: RemoteAddress) -> Bool {
    guard hasThread(tid) else { return false }
    return runtime.isEnteringLoop(at: instruction)
      || threadReaders(of: tid).contains(where: \.isInTransit)
  }

  package func finish(_ tid: Int32) -> RuntimeStack {
    let readers = threadReaders(of: tid)
    let isCallerUnknown = readers.contains(where: \.isCallerUnknown)
    if readers.count == 1, !isCallerUnknown { return readers[0].finish() }
    let stacks = readers.map { $0.finish() }
    let filled = stacks.filter { !$0.frames.isEmpty }
    var stack = RuntimeStack.joined(filled.isEmpty ? stacks : filled)
    if isCallerUnknown { stack.reject() }
    return stack
  }

  package var hasAssumptions: Bool { codes.hasAssumptions }

  package func refuted(from memory: some TargetMemory) -> Set<UInt32> {
    codes.refuted(in: memory)
  }

  /// Reads a thread's stack at once; the thread may run meanwhile.
  package func stack(
    of thread: PythonThread, from memory: some TargetMemory, until deadline: Int64 = .max
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
