internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading
internal import Synchronization

/// Which threads wait for locks of their runtimes, and who holds these: the tracer asks, the thread that
/// watches long sleeps looks.
final class RuntimeLockLookups: Sendable {
  /// What a thread waited for at a look.
  struct Finding: Sendable {
    let wait: RuntimeWait
    /// How often the thread had been put on a CPU when the look was over.
    let switches: UInt64
    /// When the look began.
    let begin: MonotonicClock.Instant

    /// Whether it is of the sleep in which a thread was found at a time, with as many switches: the thread
    /// slept before the look, and did so all through it.
    func isOfSleep(foundAt time: MonotonicClock.Instant, switches: UInt64) -> Bool {
      time <= begin && switches == self.switches
    }
  }

  private struct State: Sendable {
    /// A thread that has fallen asleep in a futex since the last look; nil for none.
    var wanted: Int32?
    /// What the last look has found, until the tracer takes it.
    var findings: [Int32: Finding]?
  }

  private let state = Mutex(State())
  private let bell: Waker
  private let folder: TaskFolder
  private let usesSchedulerStatistics: Bool

  /// `bell` wakes the thread that looks.
  init(_ folder: TaskFolder, usesSchedulerStatistics: Bool, bell: Waker) {
    self.folder = folder
    self.usesSchedulerStatistics = usesSchedulerStatistics
    self.bell = bell
  }

  // MARK: - The tracer's side

  /// Asks for a look, as a thread has fallen asleep in a futex.
  func want(_ thread: Int32) {
    let isNew = state.withLock { state in
      defer { state.wanted = thread }
      return state.wanted == nil
    }
    if isNew { bell.wake() }
  }

  /// By thread: what the last look has found; nil where there was none since.
  func take() -> [Int32: Finding]? { state.withLock { $0.findings.take() } }

  // MARK: - The side that looks

  /// A thread of those that have fallen asleep since the last look; nil for none.
  var wanted: Int32? { state.withLock { $0.wanted } }

  /// Notes that a look begins, and returns when.
  func begin() -> MonotonicClock.Instant {
    state.withLock { $0.wanted = nil }
    return MonotonicClock.now()
  }

  /// Hands over what a look has found.
  func put(_ waits: [Int32: RuntimeWait], begin: MonotonicClock.Instant) {
    var findings: [Int32: Finding] = [:]
    for (tid, wait) in waits where wait.isForLock {
      guard let switches = switches(of: tid) else { continue }
      findings[tid] = Finding(wait: wait, switches: switches, begin: begin)
    }
    state.withLock { $0.findings = findings }
  }

  private func switches(of thread: Int32) -> UInt64? {
    guard usesSchedulerStatistics else {
      return ThreadCounters(contextSwitchesOf: thread, in: folder)?.switches
    }
    return folder.read("schedstat", of: thread, capacity: 96) {
      ThreadCounters(parsing: $0)?.switches
    }
  }
}
