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
  /// By thread state.
  private var readers: [RemoteAddress: PythonThreadReader] = [:]
  /// The thread states of each thread; several where it runs several interpreters.
  private var statesOfThread: [Int32: [PythonThread]] = [:]
  /// The same as samples take them, of the threads that were met.
  private var threadsByID: [Int32: PythonOSThread] = [:]
  /// Whether asyncio was loaded when the names of threads were last read; nil before that.
  private(set) var hasAsyncio: Bool?
  /// Where tasks are, once that was found.
  var taskLayout: PythonTaskLayout?
  /// What the tasks that wait for the running one are found with; nil while they are not followed.
  var taskPlaces: PythonTaskPlaces?
  /// What stands for tasks in stacks, by its text.
  private var taskMarkers: [String: RuntimeFunction] = [:]
  private static let markerLimit = 1 << 14

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
  package var isEmpty: Bool { list.threads.isEmpty }

  package func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges {
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
      list.setThreadID(tid ?? identities.threadID(of: thread, from: memory), at: index)
    }
    rebuildIndex()
    return changes
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
    statesOfThread.removeAll(keepingCapacity: true)
    threadsByID.removeAll(keepingCapacity: true)
    var kept: [RemoteAddress: PythonThreadReader] = [:]
    // Newest first: of two states of one interpreter the newer belongs to a thread that is about to
    // begin and still has the number of the one that started it.
    var owners: Set<[UInt64]> = []
    for thread in list.threads.reversed() {
      if let tid = thread.tid,
        owners.insert([thread.interpreter.rawValue, UInt64(UInt32(bitPattern: tid))]).inserted
      {
        statesOfThread[tid, default: []].insert(thread, at: 0)
      }
      if let reader = readers[thread.state], reader.thread.key == thread.key {
        kept[thread.state] = reader
      }
    }
    readers = kept
  }

  package func thread(_ tid: Int32) -> (any RuntimeThread)? { osThread(tid) }

  private func osThread(_ tid: Int32) -> PythonOSThread? {
    if let known = threadsByID[tid] { return known }
    guard let states = statesOfThread[tid] else { return nil }
    let thread = PythonOSThread(states.map { threadReader(of: $0) }, of: runtime)
    threadsByID[tid] = thread
    return thread
  }

  /// The reader of one thread state; the same object until the thread ends.
  package func threadReader(of thread: PythonThread) -> PythonThreadReader {
    if let known = readers[thread.state], known.thread.key == thread.key { return known }
    let reader = PythonThreadReader(thread, of: self)
    readers[thread.state] = reader
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
