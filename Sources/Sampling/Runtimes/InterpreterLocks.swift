internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Who holds the locks of interpreters at the end of a capture, and who waits for them.
struct InterpreterLockReport: Sendable {
  /// By thread: the thread that held the lock of its interpreter at two moments.
  var holders: [Int32: Int32] = [:]
  /// The threads that were seen to wait for that lock.
  var waiters: Set<Int32> = []
  /// The second of those moments, since the start of the capture.
  var time: Nanoseconds = 0
  /// Where threads sleep that wait for such a lock.
  var ranges: [Range<RemoteAddress>] = []
  /// By thread: what it waited for by what its runtime says.
  var waits: [Int32: RuntimeWait] = [:]
  /// What virtual threads waited for, in that time since the start of the capture; nil where there is none.
  var virtualThreads: (found: VirtualThreads, time: ClosedRange<Nanoseconds>)?
}

/// Observes the locks of the interpreters of a process.
struct InterpreterLocks {
  /// Between the two moments.
  private static let pause = Nanoseconds.milliseconds(10)
  /// Between two checks of what a thread waits for.
  private static let waitPause = Nanoseconds.microseconds(500)
  /// How often a thread may be met waiting for something else by then.
  private static let otherWaits = 20
  /// A thread that has just woken up may not get a CPU for long on a busy machine.
  private static let longestWait = Nanoseconds.milliseconds(200)

  private let folder: TaskFolder
  /// Whether what a thread does at its last sample is all that is shown of it.
  private let isDump: Bool
  /// Threads that waited for a lock and were not seen to get it; some may do something else by now.
  private var waiters: Set<Int32> = []
  private var first: (holders: [Int32: Int32], time: MonotonicClock.Instant)?
  private(set) var report = InterpreterLockReport()

  init(_ folder: TaskFolder, isDump: Bool) {
    self.folder = folder
    self.isDump = isDump
  }

  /// Whether a thread that sleeps in this system call waits for the lock of an interpreter; notes it.
  mutating func noteWait(
    _ tid: Int32, _ call: Int32, _ arguments: InlineArray<6, UInt64>, _ runtimes: [AttachedRuntime]
  ) -> Bool {
    let isWait = Self.isWait(call, arguments, runtimes)
    if isWait { waiters.insert(tid) } else { noteAwake(tid) }
    return isWait
  }

  /// Notes that a thread was seen to do something else.
  ///
  /// In a capture of some time it may have been on its way from one wait for the lock to the next.
  mutating func noteAwake(_ tid: Int32) {
    if isDump, !waiters.isEmpty { waiters.remove(tid) }
  }

  private static func isWait(
    _ call: Int32, _ arguments: InlineArray<6, UInt64>, _ runtimes: [AttachedRuntime]
  ) -> Bool {
    guard SystemCallNames.name(of: call) == "futex" else { return false }
    return runtimes.contains { $0.runtime.isLock(RemoteAddress(arguments[0])) }
  }

  /// Notes that a thread was seen to hold the lock of its interpreter.
  mutating func noteHolder(_ tid: Int32) {
    if !waiters.isEmpty { waiters.remove(tid) }
  }

  /// Notes who holds the locks at the first of the two moments.
  mutating func noteHolders(of runtimes: [AttachedRuntime], _ memory: ProcessMemory) {
    first = (Self.holders(of: runtimes, memory), MonotonicClock.now())
  }

  /// By thread: who holds the lock of its interpreter at this moment.
  static func holders(
    of runtimes: [AttachedRuntime], _ memory: ProcessMemory
  ) -> [Int32: Int32] {
    runtimes.reduce(into: [:]) { result, attached in
      result.merge(attached.runtime.lockHolders(from: memory)) { known, _ in known }
    }
  }

  /// Finds out who holds the locks at the second moment, and who waits for them.
  mutating func conclude(
    _ runtimes: [AttachedRuntime], _ memory: ProcessMemory, now: () -> Nanoseconds
  ) {
    report.ranges = runtimes.flatMap(\.runtime.lockRanges)
    guard !waiters.isEmpty else { return }
    if first == nil { noteHolders(of: runtimes, memory) }
    guard let (before, time) = first, !before.isEmpty else { return }
    MonotonicClock.sleep(until: time + Self.pause)
    let after = Self.holders(of: runtimes, memory)
    report.time = now()
    report.holders = before.filter { after[$0.key] == $0.value }
    let deadline = MonotonicClock.now() + Self.longestWait
    report.waiters = waiters.filter {
      report.holders[$0] != nil && waits($0, for: runtimes, until: deadline)
    }
  }

  /// Whether a thread waits for the lock at this moment, or, since it wakes up every few
  /// milliseconds to ask again, at one of the next.
  private func waits(
    _ tid: Int32, for runtimes: [AttachedRuntime], until deadline: MonotonicClock.Instant
  ) -> Bool {
    guard let files = try? ThreadFiles(folder: folder, thread: tid) else { return false }
    var others = 0
    repeat {
      if case .asleep(let call, let arguments, _, _) = files.systemCall() {
        if Self.isWait(call, arguments, runtimes) { return true }
        // When it wakes up it may sleep for a moment for what guards the lock, longer on a busy machine.
        others += 1
        guard SystemCallNames.name(of: call) == "futex", others < Self.otherWaits else {
          return false
        }
      }
      MonotonicClock.sleep(for: Self.waitPause)
    } while MonotonicClock.now() < deadline
    return false
  }
}
