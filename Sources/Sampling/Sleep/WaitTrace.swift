internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Follows what the sleeping threads of a process wait for, and who holds it, tick by tick and without
/// a stop.
///
/// The words of all locks that threads sleep on are read at the start of a tick, by one system call; they
/// are true of each thread that has not run by the time that it is sampled. Belongs to the tracer thread.
final class WaitTrace {
  /// A stretch of time by the number of its wait in `waits`.
  struct Span {
    let tid: Int32
    let wait: Int
    var start: Int64
    var end: Int64
  }

  private enum Watched {
    /// It was not sampled asleep yet.
    case unknown
    /// It sleeps in something of which nobody in particular is the owner.
    case nothing
    case fixed(Int)
    case interpreterLock
    /// A lock of the runtime's own, which the last look has found.
    case runtimeLock
    case lock(FutexWait, LockBytes)
    case fileLock(FileLockWait)
  }

  private struct Entry {
    var tid: Int32 = 0
    var watched = Watched.unknown
    /// What it waits for by the last reading.
    var wait: Int?
    /// Whether it sleeps in a futex.
    var isInFutex = false
    /// When it was found asleep, and how often it had been put on a CPU by then.
    var found = MonotonicClock.Instant.distantPast
    var switches: UInt64 = 0
    var open: Span?
  }

  /// The bytes around a futex as they were last read.
  private typealias LockBytes = InlineArray<5, UInt64>

  private let reader: LockReader
  private let pid: Int32
  /// Whether threads were last found asleep for file locks.
  private var hasFileLocks = false
  private var nextFileLocks: Nanoseconds = 0
  private let lookups: DescriptorLookups
  private var entries: [Entry] = []
  /// Each wait once for each owner.
  private(set) var waits: [Wait] = []
  private var numbers: [Wait: Int] = [:]
  private(set) var spans: [Span] = []
  private var ranges: [MemoryRange] = []
  private var slots: [Int] = []
  private var buffer: [UInt64] = []
  private var nextForgetting: Nanoseconds = 0
  private let runtimeLocks: RuntimeLockLookups
  /// What the last look at the runtimes' locks has found.
  private var runtimeWaits: [Int32: RuntimeLockLookups.Finding] = [:]
  /// A thread that fell asleep in a futex since that was last asked for.
  private var newFutexSleeper: Int32?
  /// Where stretches go as they come, in place of `spans`; set it before the first tick.
  var feed: WaitFeed?

  init(_ folder: TaskFolder, lookups: DescriptorLookups, runtimeLocks: RuntimeLockLookups) {
    reader = LockReader(folder)
    pid = folder.process
    self.lookups = lookups
    self.runtimeLocks = runtimeLocks
  }

  /// Whether no more can be kept.
  private var isFull: Bool { spans.count >= WaitHistory.spanLimit }

  /// What to know where not all was kept.
  var note: CaptureNote? {
    isFull ? "Who held up waits was kept for the first \(WaitHistory.spanLimit) of them only." : nil
  }

  // MARK: - A tick

  /// Reads the locks that threads were last found asleep on; nothing may be stopped.
  func beginTick(memory: ProcessMemory, time: Nanoseconds) {
    if time >= nextForgetting {
      nextForgetting = time + .seconds(1)
      reader.forget()
    }
    readFileLocks(time: time)
    ranges.removeAll(keepingCapacity: true)
    slots.removeAll(keepingCapacity: true)
    for slot in entries.indices {
      guard case .lock(let futex, _) = entries[slot].watched else { continue }
      ranges.append(futex.window)
      slots.append(slot)
    }
    guard !ranges.isEmpty else { return }
    let words = FutexWait.windowSize / 8
    if buffer.count < ranges.count * words {
      buffer = Array(repeating: 0, count: ranges.count * words)
    }
    var done = 0
    while done < ranges.count {
      let count = buffer.withUnsafeMutableBytes { bytes in
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[(done * words * 8)...])
        return max(0, memory.read(ranges[done...], into: rest)) / FutexWait.windowSize
      }
      for place in done..<min(ranges.count, done + count) {
        update(slots[place], at: place, memory)
      }
      done += count
      // Its memory is gone.
      if done < ranges.count { entries[slots[done]].watched = .nothing }
      done += 1
    }
  }

  /// Takes what the runtimes said of threads that still sleep, and asks again where others have fallen asleep.
  func exchangeRuntimeLocks() {
    if let tid = newFutexSleeper.take() { runtimeLocks.want(tid) }
    guard let findings = runtimeLocks.take() else { return }
    runtimeWaits = findings
    for slot in entries.indices where entries[slot].isInFutex {
      if let wait = runtimeWait(slot) {
        take(wait, slot)
      } else if case .runtimeLock = entries[slot].watched {
        entries[slot].watched = .nothing
        entries[slot].wait = nil
      }
    }
  }

  /// What the last look has found of the sleep that goes on.
  private func runtimeWait(_ slot: Int) -> RuntimeWait? {
    let entry = entries[slot]
    guard let finding = runtimeWaits[entry.tid],
      finding.isOfSleep(foundAt: entry.found, switches: entry.switches)
    else { return nil }
    return finding.wait
  }

  private func take(_ found: RuntimeWait, _ slot: Int) {
    var wait = Wait(kind: found.kind, systemCall: "futex")
    wait.take(found)
    entries[slot].watched = .runtimeLock
    entries[slot].wait = number(wait)
  }

  /// Between two readings of the file locks of the machine.
  private static let fileLockPeriod = Nanoseconds.milliseconds(10)

  /// Reads who holds the file locks that threads sleep for, all at once.
  private func readFileLocks(time: Nanoseconds) {
    guard hasFileLocks, time >= nextFileLocks else { return }
    nextFileLocks = time + Self.fileLockPeriod
    hasFileLocks = false
    var table: [FileLock]?
    for slot in entries.indices {
      guard case .fileLock(let lock) = entries[slot].watched else { continue }
      hasFileLocks = true
      let known = table ?? FileLock.read()
      table = known
      entries[slot].wait = number(lock.wait(pid, known))
    }
  }

  private func take(_ lock: FileLockWait, _ slot: Int) {
    hasFileLocks = true
    let wait = lock.wait(pid, FileLock.read())
    for descriptor in wait.descriptors { lookups.want(descriptor) }
    entries[slot].watched = .fileLock(lock)
    entries[slot].wait = number(wait)
  }

  private func update(_ slot: Int, at place: Int, _ memory: ProcessMemory) {
    guard case .lock(let futex, let last) = entries[slot].watched else { return }
    let bytes = LockBytes { buffer[place * 5 + $0] }
    guard !(0..<5).allSatisfy({ bytes[$0] == last[$0] }) else { return }
    entries[slot].watched = .lock(futex, bytes)
    entries[slot].wait = wait(futex, bytes, memory)
  }

  private func wait(_ futex: FutexWait, _ bytes: LockBytes, _ memory: ProcessMemory) -> Int? {
    var bytes = bytes
    let wait = withUnsafeBytes(of: &bytes) { reader.wait(futex, $0, memory: memory) }
    return wait.flatMap(number)
  }

  /// Notes where a thread sleeps that was just found asleep, before it is checked that it still does.
  ///
  /// `lockHolder` is who holds its interpreter's lock, which it waits for; nil for other waits.
  func note(
    _ thread: SampledThread, _ call: Int32, _ arguments: InlineArray<6, UInt64>, switches: UInt64,
    awaitsInterpreterLock: Bool, lockHolder: Int32?
  ) {
    let slot = thread.slot
    while entries.count <= slot { entries.append(Entry()) }
    if entries[slot].tid != thread.tid { forget(slot) }
    entries[slot].tid = thread.tid
    entries[slot].wait = nil
    entries[slot].watched = .nothing
    entries[slot].isInFutex = !awaitsInterpreterLock && DescriptorCalls.isFutex(call)
    if entries[slot].isInFutex {
      entries[slot].found = MonotonicClock.now()
      entries[slot].switches = switches
      newFutexSleeper = thread.tid
    }
    if awaitsInterpreterLock {
      entries[slot].watched = .interpreterLock
      entries[slot].wait = lockHolder.flatMap { number(ofInterpreterLock: $0) }
    } else if DescriptorCalls.isFutex(call) {
      guard let futex = FutexWait(arguments) else { return }
      let memory = ProcessMemory(tid: thread.tid)
      var bytes = LockBytes(repeating: 0)
      let count = withUnsafeMutableBytes(of: &bytes) {
        memory.read(at: futex.window.start, into: $0)
      }
      guard count == FutexWait.windowSize else { return }
      entries[slot].watched = .lock(futex, bytes)
      entries[slot].wait = wait(futex, bytes, memory)
    } else if let lock = FileLockWait(call, arguments, thread: thread.tid) {
      take(lock, slot)
    } else if let wait = DescriptorCalls.wait(
      call, arguments, memory: ProcessMemory(tid: thread.tid)),
      let number = number(wait)
    {
      if let descriptor = wait.descriptors.first { lookups.want(descriptor) }
      entries[slot].watched = .fixed(number)
      entries[slot].wait = number
    }
  }

  /// Whether nothing is known of where the thread sleeps.
  func isUnknown(_ thread: SampledThread) -> Bool {
    guard entries.indices.contains(thread.slot), entries[thread.slot].tid == thread.tid else {
      return true
    }
    if case .unknown = entries[thread.slot].watched { return true }
    return false
  }

  /// Notes that the thread slept on in the `length` up to `end`, as it was noted last.
  func extend(
    _ thread: SampledThread, by length: Int64, until end: Nanoseconds, lockHolder: () -> Int32?
  ) {
    let slot = thread.slot
    guard entries.indices.contains(slot), entries[slot].tid == thread.tid else { return }
    if case .interpreterLock = entries[slot].watched {
      entries[slot].wait = lockHolder().flatMap { number(ofInterpreterLock: $0) }
    }
    guard let wait = entries[slot].wait, length > 0 else { return close(slot) }
    let start = end.rawValue &- length
    if let open = entries[slot].open, open.wait == wait, open.end == start {
      entries[slot].open?.end = end.rawValue
      return
    }
    close(slot)
    entries[slot].open = Span(tid: thread.tid, wait: wait, start: start, end: end.rawValue)
  }

  /// Notes that the thread may run.
  func noteAwake(_ thread: SampledThread) {
    guard entries.indices.contains(thread.slot) else { return }
    forget(thread.slot)
  }

  private func forget(_ slot: Int) {
    close(slot)
    entries[slot].watched = .unknown
    entries[slot].wait = nil
    entries[slot].isInFutex = false
  }

  private func close(_ slot: Int) {
    guard let open = entries[slot].open.take(), !isFull else { return }
    spans.append(open)
  }

  /// Hands over what is new, where it is wanted: what goes on comes in pieces.
  func publish() {
    guard let feed, feed.isDue else { return }
    for slot in entries.indices {
      guard let open = entries[slot].open, open.start < open.end else { continue }
      if !isFull { spans.append(open) }
      entries[slot].open?.start = open.end
    }
    guard !spans.isEmpty else { return }
    feed.add(spans.compactMap { span in waitNow(span).map { span.fed($0) } })
    spans.removeAll(keepingCapacity: true)
  }

  /// What is waited for, a descriptor as it was looked up.
  private func waitNow(_ span: Span) -> Wait? {
    var wait = waits[span.wait]
    guard let descriptor = wait.descriptors.first else { return wait }
    guard let version = lookups.version(of: descriptor, from: span.start, until: span.end) else {
      return nil
    }
    wait.take(version)
    return wait
  }

  /// Ends all stretches.
  func finish() { for slot in entries.indices { close(slot) } }

  // MARK: - Waits

  private func number(_ wait: Wait) -> Int? {
    if let known = numbers[wait] { return known }
    guard waits.count < WaitHistory.waitLimit else { return nil }
    numbers[wait] = waits.count
    waits.append(wait)
    return waits.count - 1
  }

  private func number(ofInterpreterLock holder: Int32) -> Int? {
    number(Wait(kind: .gil, systemCall: "futex", owners: [.thread(tid: holder)]))
  }

  /// All stretches, of the threads of a profile; descriptors as they were looked up.
  func history(_ threads: [ThreadInfo]) -> WaitHistory {
    var known: [Int32: [Int]] = [:]
    for (index, thread) in threads.enumerated() { known[thread.tid, default: []].append(index) }
    var waits = waits
    var versions: [Int: [Int: Int]] = [:]
    var result: [WaitHistory.Span] = []
    for span in spans {
      let candidates = known[span.tid] ?? []
      guard
        let thread = candidates.first(where: { threads[$0].lastSeen >= span.end })
          ?? candidates.last
      else { continue }
      var number = span.wait
      if let descriptor = waits[number].descriptors.first {
        guard let version = lookups.version(of: descriptor, from: span.start, until: span.end)
        else { continue }
        number = versions[span.wait]?[version.number] ?? waits.count
        if number == waits.count {
          var wait = waits[span.wait]
          wait.take(version)
          waits.append(wait)
          versions[span.wait, default: [:]][version.number] = number
        }
      }
      result.append(
        WaitHistory.Span(thread: thread, wait: number, start: span.start, end: span.end))
    }
    return WaitHistory(waits: waits, spans: result)
  }
}

extension WaitTrace.Span {
  fileprivate func fed(_ wait: Wait) -> WaitFeed.Span {
    WaitFeed.Span(tid: tid, wait: wait, start: start, end: end)
  }
}

extension Wait {
  /// Takes what was found of its descriptor; who holds a lock on the file is known better.
  fileprivate mutating func take(_ version: DescriptorLookups.Version) {
    descriptors = [version.descriptor]
    if kind != .fileLock { owners = version.owners }
  }
}
