internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Reads which threads wait for locks of their language runtime, and who holds them, while a capture goes on.
///
/// It has readers of its own, as those of the samples are the tracer's. Belongs to one thread.
struct RuntimeLockWatch {
  /// What a look has found.
  struct Look {
    /// What threads wait for at this moment, without owners that wait for the same lock.
    let waits: [Int32: RuntimeWait]
    /// What the look before had found, too.
    let lasting: [Int32: RuntimeWait]
  }

  /// Between the first two searches for runtimes.
  private static let firstSearchPeriod = Nanoseconds.seconds(1)
  /// Between two searches for runtimes: in vain, they are twice as far apart each time.
  private static let longestSearchPeriod = Nanoseconds.seconds(30)

  private let process: Int32
  private var runtimes: [any LanguageRuntime] = []
  private var program: ProgramIdentity?
  private var searchPeriod = firstSearchPeriod
  private var nextSearch = MonotonicClock.Instant.distantPast
  private var last: [Int32: RuntimeWait] = [:]
  private var pace = RuntimeLockPace()

  init(process: Int32) { self.process = process }

  /// Where threads sleep that wait for the lock of an interpreter.
  var interpreterLocks: [Range<RemoteAddress>] { runtimes.flatMap(\.lockRanges) }

  /// A thread that the last look has found waiting for a lock; nil for none.
  var waiter: Int32? { last.first { $0.value.isForLock }?.key }

  /// When to look again, where threads have fallen asleep in futexes since the last look, or else sleep on.
  func nextLook(hasNewSleeps: Bool) -> MonotonicClock.Instant {
    runtimes.isEmpty ? nextSearch : pace.next(hasNewSleeps: hasNewSleeps)
  }

  /// Looks through one of the process's threads, which must be there; stops nothing.
  mutating func look(through thread: Int32) -> Look {
    let memory = ProcessMemory(tid: thread)
    if let program, !program.isSame(in: memory) { self = RuntimeLockWatch(process: process) }
    if runtimes.isEmpty, MonotonicClock.now() >= nextSearch { search(memory) }
    guard !runtimes.isEmpty else { return Look(waits: [:], lasting: [:]) }
    let start = MonotonicClock.now()
    let before = OwnUsage.threadCPU()
    for runtime in runtimes { _ = runtime.refreshThreads(from: memory) }
    let waits = runtimes.reduce(into: [Int32: RuntimeWait]()) { waits, runtime in
      waits.merge(runtime.waits(from: memory)) { known, _ in known }
    }
    let look = Look(
      waits: RuntimeWaitSurvey.ofOneMoment(waits), lasting: RuntimeWaitSurvey.lasting(last, waits))
    let isNew = !Self.areSame(last, waits)
    last = waits
    pace.note(
      findsOwner: waits.values.contains { $0.isForLock && $0.owner != nil }, isNew: isNew,
      at: start, cost: OwnUsage.threadCPU() - before)
    return look
  }

  private static func areSame(
    _ before: [Int32: RuntimeWait], _ after: [Int32: RuntimeWait]
  ) -> Bool {
    before.count == after.count
      && after.allSatisfy { tid, wait in before[tid].map { $0.isSame(as: wait) } ?? false }
  }

  private mutating func search(_ memory: ProcessMemory) {
    nextSearch = MonotonicClock.now() + searchPeriod
    guard let maps = try? memory.maps() else { return }
    program = ProgramIdentity(memory)
    for kind in KnownRuntimes.all {
      guard case .found(let runtime) = kind.find(in: memory, maps: maps, process: process) else {
        continue
      }
      _ = runtime.refreshThreads(from: memory)
      runtimes.append(runtime)
    }
    guard runtimes.isEmpty else { return }
    searchPeriod = min(searchPeriod * 2, Self.longestSearchPeriod)
  }
}
