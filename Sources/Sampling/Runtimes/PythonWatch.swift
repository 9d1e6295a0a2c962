internal import LinuxProcess
internal import ProfileModel
internal import PythonReading

/// Copies the Python frames of threads while they are looked at: the tracer's part.
///
/// Belongs to the tracer thread.
final class PythonWatch {
  /// How long the frames of one thread may be copied while it is stopped.
  ///
  /// A deeper stack is cut, and the next sample gets further. A sample of frames that are known takes some ten microseconds.
  private static let stopLimit: Int64 = 1_000_000
  /// The same for a thread that sleeps, and is not stopped: it delays the tick, where there are ticks.
  private let sleepLimit: Int64
  private static let refreshInterval: Int64 = 100_000_000
  /// The same where the lists have not changed for long.
  private static let longRefreshInterval: Int64 = 250_000_000
  private static let longTime: Int64 = 2_000_000_000
  private var changeTime: Int64 = 0
  private static let earlySearchInterval: Int64 = 20_000_000
  private static let searchInterval: Int64 = 1_000_000_000
  private static let searchTries = 20
  private static let searchPause: Int64 = 300_000
  /// No new try is made after so long, nor a new search for a while after one that took as long.
  private static let searchTime: Int64 = 300_000_000
  /// Searches in vain until the interpreter is given up as not to be read.
  private static let failureLimit = 20
  private var failures = 0
  /// While a program starts, its interpreter may come at any moment.
  private static let earlyTime: Int64 = 3_000_000_000
  private var earlyEnd = earlyTime
  /// Refreshes in a row whose lists were torn, and how many are too many: the memory is another's.
  private var tornRefreshes = 0
  private static let tornLimit = 10

  let pid: Int32
  let stacks: RuntimeStacks
  private(set) var reader: PythonReader?
  /// The program that the reader is of.
  private var program: ProgramMark?
  /// Whether that was seen to be over.
  private var isAnotherProgram = false
  private var nextSearch: Int64 = 0
  private var nextRefresh: Int64 = 0
  /// Until when new threads are looked for at each tick.
  private var eagerEnd: Int64 = 0
  private static let eagerTime: Int64 = 50_000_000
  /// The files that were mapped when the search was last in vain.
  private var searchedFiles: Int?
  /// The thread through which memory was read then.
  private var searchedThread: Int32 = 0
  /// What keeps Python frames from being shown, in words for the report.
  private(set) var problem: String?
  /// When the names of threads are read again: a thread gets its name a little after it begins.
  private var nextNames: Int64 = .max
  private static let nameDelay: Int64 = 200_000_000
  /// Between two looks at who holds the interpreter's lock.
  private static let lockPause: Int64 = 10_000_000
  private var firstHolders: (holders: [Int32: Int32], time: Int64)?
  /// Threads that waited for the lock and were not seen to get it; some may do something else by now.
  private var lockWaiters: Set<Int32> = []
  /// The number of the last sample whose frames were copied.
  private var lastNumber: UInt64 = 0
  /// Looks whose frames are copied and not read yet.
  private var copied: [(tid: Int32, number: UInt64, isEntering: Bool)] = []
  /// Their stacks, until what they take for granted is looked at.
  private var unconfirmed: [(number: UInt64, stack: RuntimeStack?)] = []

  /// Whether the tasks are shown that wait for the one that a thread runs.
  private let followsTasks: Bool
  private var nextTasks: Int64 = 0
  /// Why they cannot be, likewise.
  private(set) var taskProblem: String?

  init(pid: Int32, stacks: RuntimeStacks, followsTasks: Bool, isDump: Bool) {
    self.followsTasks = followsTasks
    sleepLimit = isDump ? 1_000_000_000 : 50_000_000
    self.pid = pid
    self.stacks = stacks
    copied.reserveCapacity(4096)
  }

  /// The runtime's file, once it is found.
  var path: String? { reader?.runtime.path }

  /// Looks for the interpreter and for new threads when it is time; nothing may be stopped.
  func refresh(time: Int64, memory: ProcessMemory, hasNewThreads: Bool) {
    if followsTasks, time >= nextTasks { findTasks(at: time, memory: memory) }
    guard let reader else { return search(time: time, memory: memory) }
    if isAnotherProgram {
      confirm(from: memory)
      return forget(at: time)
    }
    // The kernel knows a thread before the interpreter does.
    if hasNewThreads { eagerEnd = time + Self.eagerTime }
    guard time < eagerEnd || time >= nextRefresh else { return }
    let isQuiet = time - changeTime > Self.longTime
    nextRefresh = time + (isQuiet ? Self.longRefreshInterval : Self.refreshInterval)
    let changes =
      hasNewThreads
      ? reader.refreshThreads(from: memory) : reader.refreshThreadsIfChanged(from: memory)
    if hasNewThreads || changes.began + changes.ended > 0 { changeTime = time }
    if changes.began > 0 {
      nextNames = min(nextNames, time + Self.nameDelay)
    }
    tornRefreshes = reader.isWhole ? 0 : tornRefreshes + 1
    if reader.threads.isEmpty || tornRefreshes >= Self.tornLimit {
      confirm(from: memory)
      return forget(at: time)
    }
    if time >= nextNames {
      nextNames = .max
      readNames(from: memory, at: time)
    }
  }

  /// At the end of a capture: the names of threads, and who held the interpreter's lock at two
  /// moments; nothing may be stopped.
  func census(memory: ProcessMemory, now: () -> Int64) {
    guard let reader else { return }
    _ = reader.refreshThreads(from: memory)
    readNames(from: memory, at: now())
    guard !lockWaiters.isEmpty else { return }
    if firstHolders == nil { noteLockHolders(memory: memory) }
    guard let (first, time) = firstHolders, !first.isEmpty else { return }
    MonotonicClock.sleep(until: time + Self.lockPause)
    let second = lockHolders(memory)
    stacks.lockTime = now()
    stacks.lockHolders = first.filter { second[$0.key] == $0.value }
    let deadline = MonotonicClock.now() + Self.longestWait
    stacks.lockWaiters = lockWaiters.filter {
      stacks.lockHolders[$0] != nil && awaitsLock($0, until: deadline)
    }
  }

  /// The first of those moments, where there is something else to do until the second.
  func noteLockHolders(memory: ProcessMemory) {
    firstHolders = (lockHolders(memory), MonotonicClock.now())
  }

  private func readNames(from memory: ProcessMemory, at time: Int64) {
    guard let reader else { return }
    let names = reader.threadNames(from: memory)
    var ofThread: [Int32: String] = [:]
    for thread in reader.threads {
      guard let tid = thread.tid, let name = names[thread.state], !name.isEmpty,
        tid != pid || !Self.isMadeUp(name)
      else { continue }
      ofThread[tid] = name
    }
    stacks.addNames(ofThread, at: time)
  }

  /// Whether Python itself has so named the main thread, of which the kernel's name says more: it is the
  /// program's.
  private static func isMadeUp(_ name: String) -> Bool {
    name == "MainThread" || name.hasPrefix("Dummy-")
  }

  /// By thread: the thread that holds its interpreter's lock.
  private func lockHolders(_ memory: ProcessMemory) -> [Int32: Int32] {
    guard let reader else { return [:] }
    var result: [Int32: Int32] = [:]
    for lock in reader.lockStates(from: memory) {
      guard let holder = lock.holderID else { continue }
      for thread in reader.threads where thread.interpreter == lock.interpreter {
        if let tid = thread.tid, tid != holder { result[tid] = holder }
      }
    }
    return result
  }

  private func search(time: Int64, memory: ProcessMemory) {
    if memory.tid != searchedThread {
      // Through a thread that has ended nothing could be found.
      searchedThread = memory.tid
      (nextSearch, searchedFiles, failures) = (0, nil, 0)
    }
    guard time >= nextSearch else { return }
    let isEarly = time < earlyEnd
    nextSearch = time + (isEarly ? Self.earlySearchInterval : Self.searchInterval)
    guard let maps = try? memory.maps() else { return }
    // The same files as at a search that found no Python need no second one.
    var hasher = Hasher()
    for mapping in maps.mappings where mapping.isFile && mapping.fileOffset == 0 {
      hasher.combine(mapping.inode)
      hasher.combine(mapping.start)
    }
    let files = hasher.finalize()
    guard files != searchedFiles else { return }
    problem = nil
    let program = ProgramMark(memory)
    let start = MonotonicClock.now()
    var result = PythonReader.find(in: memory, maps: maps)
    // A running program's structures change under the reader's hands: not every try can succeed.
    for _ in 0..<Self.searchTries {
      guard case .unreadable = result, MonotonicClock.now() - start < Self.searchTime else { break }
      MonotonicClock.sleep(until: MonotonicClock.now() + Self.searchPause)
      result = PythonReader.find(in: memory, maps: maps)
    }
    let length = MonotonicClock.now() - start
    // Half of the time at most.
    if length >= Self.searchTime { nextSearch = time + 2 * length }
    switch result {
    case .none: searchedFiles = files
    case .notReady: break
    case .found(let runtime), .finalising(let runtime):
      let found = PythonReader(runtime, process: pid)
      _ = found.refreshThreads(from: memory)
      reader = found
      self.program = program
      stacks.path = runtime.path
      nextRefresh = time + Self.refreshInterval
      nextNames = time + Self.nameDelay
      if followsTasks { findTasks(at: time, memory: memory) }
    case .unknownVersion(let version):
      searchedFiles = files
      problem =
        "Native frames only: this is Python \(version), and sprof reads \(PythonReader.versions)."
    case .unreadable(let reason):
      failures += 1
      if failures >= Self.failureLimit { searchedFiles = files }
      problem = "Native frames only: cannot read the Python interpreter (\(reason))."
    }
  }

  /// Looks whether the program has loaded asyncio by now.
  private func findTasks(at time: Int64, memory: ProcessMemory) {
    guard let reader else { return }
    nextTasks = time + (time < earlyEnd ? Self.refreshInterval : Self.searchInterval)
    if !reader.knowsTasks {
      nextTasks = .max
      taskProblem =
        "--async needs CPython 3.12 to 3.15 with the GIL; this is \(reader.title)."
    } else if reader.followTasks(in: memory) {
      nextTasks = .max
    }
  }

  /// Forgets an interpreter: the process has become another program, or may have.
  private func forget(at time: Int64) {
    reader = nil
    program = nil
    isAnotherProgram = false
    // Of all threads only the main one outlives its program.
    stacks.forgetName(of: pid)
    searchedFiles = nil
    tornRefreshes = 0
    failures = 0
    earlyEnd = time + Self.earlyTime
    nextTasks = 0
    nextSearch = time + Self.earlySearchInterval
  }

  // MARK: - One look

  /// Begins a sample of a thread that is about to be stopped or copied.
  func prepare(_ tid: Int32) {
    guard let reader, reader.hasThread(tid) else { return }
    reader.prepare(tid)
  }

  /// Learns where the frames lie of a thread that will be stopped; it must not be held yet.
  func warmUp(_ tid: Int32, from memory: ProcessMemory) {
    guard let reader, reader.hasThread(tid) else { return }
    reader.warmUp(tid, from: memory)
  }

  /// Whether nothing tells the frames of a thread that has stopped at `instruction`.
  func isEntering(_ tid: Int32, at instruction: RemoteAddress) -> Bool {
    guard let reader, reader.runtime.isEnteringLoop(at: instruction) else { return false }
    return reader.hasThread(tid)
  }

  /// Whether the frames that were copied of a thread at `instruction` are not whole, and will be a few
  /// instructions later.
  func isInTransit(_ tid: Int32, at instruction: RemoteAddress) -> Bool {
    reader?.isInTransit(tid, at: instruction) ?? false
  }

  /// Copies the frames of a thread that cannot run, or of which it is checked afterwards that it
  /// has not; gives the number under which they will come, 0 for a thread without any.
  ///
  /// The thread is at `instruction`.
  func copy(
    _ tid: Int32, at instruction: RemoteAddress, from memory: some TargetMemory, isAsleep: Bool
  ) -> UInt64 {
    guard let reader, reader.hasThread(tid) else { return 0 }
    let limit = isAsleep ? sleepLimit : Self.stopLimit
    _ = reader.copy(
      tid, nativeStack: nil, from: memory, reads: .max, until: MonotonicClock.now() + limit,
      isStopped: true)
    lastNumber += 1
    let number = lastNumber
    copied.append((tid, number, reader.runtime.isEnteringLoop(at: instruction)))
    return number
  }

  /// Where threads sleep that wait for an interpreter's lock.
  var lockRanges: [Range<UInt64>] { reader?.lockRanges ?? [] }

  /// Whether a thread that sleeps in this system call waits for an interpreter's lock.
  func isWaitForLock(
    _ tid: Int32, _ call: Int32, _ arguments: InlineArray<6, UInt64>
  ) -> Bool {
    let isWait =
      SystemCallNames.name(of: call) == "futex" && reader?.isLock(arguments[0]) ?? false
    if isWait { lockWaiters.insert(tid) }
    return isWait
  }

  /// Whether a thread waits for the lock at this moment, or, since it wakes up every few
  /// milliseconds to ask again, at one of the next.
  private func awaitsLock(_ tid: Int32, until deadline: Int64) -> Bool {
    guard let files = try? ThreadFiles(process: pid, thread: tid) else { return false }
    var others = 0
    repeat {
      if case .asleep(let call, let arguments, _, _) = files.systemCall() {
        if isWaitForLock(tid, call, arguments) { return true }
        // When it wakes up it may sleep for a moment for what guards the lock, longer on a busy machine.
        others += 1
        guard SystemCallNames.name(of: call) == "futex", others < Self.otherSamples else {
          return false
        }
      }
      MonotonicClock.sleep(until: MonotonicClock.now() + Self.waitPause)
    } while MonotonicClock.now() < deadline
    return false
  }

  private static let waitPause: Int64 = 500_000
  private static let otherSamples = 20
  /// A thread that has just woken up may not get a CPU for long on a busy machine.
  private static let longestWait: Int64 = 200_000_000

  /// Drops the copy made last: the thread ran meanwhile.
  func discard(_ number: UInt64) {
    guard number != 0, copied.last?.number == number else { return }
    copied.removeLast()
  }

  /// The same where many copies wait for it, which what comes next may need.
  func finishMany(from memory: ProcessMemory) {
    if copied.count >= Self.many { finish(from: memory) }
  }

  private static let many = 64

  /// Reads the frames of all copies; the threads may run.
  ///
  /// Their stacks are handed over when there are many, or with the next `confirm`.
  func finish(from memory: ProcessMemory) {
    for (tid, number, isEntering) in copied {
      var stack = reader?.finish(tid)
      if isEntering { stack?.reject() }
      if !lockWaiters.isEmpty, stack?.holdsLock == true { lockWaiters.remove(tid) }
      unconfirmed.append((number, stack))
    }
    copied.removeAll(keepingCapacity: true)
    if unconfirmed.count >= Self.many { confirm(from: memory) }
  }

  /// Hands over all stacks, having looked whether the program is the same, and whether the functions
  /// that they take for granted are there.
  ///
  /// The more at a time the better: threads and ticks share functions, each of which is looked at once.
  func confirm(from memory: ProcessMemory) {
    guard !unconfirmed.isEmpty else { return }
    if isAnotherProgram || program.map({ !$0.isSame(in: memory) }) ?? false {
      // Before or after it became another.
      for index in unconfirmed.indices { unconfirmed[index].stack?.forgetAll() }
      isAnotherProgram = true
    } else if let refuted = reader?.refuted(from: memory), !refuted.isEmpty {
      for index in unconfirmed.indices { unconfirmed[index].stack?.forget(refuted) }
    }
    stacks.put(unconfirmed)
    unconfirmed.removeAll(keepingCapacity: true)
  }
}
