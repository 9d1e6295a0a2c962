internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Reads a few times a second which threads wait for locks of their language runtime, and who holds them,
/// while a capture goes on.
///
/// It has readers of its own, as those of the samples are the tracer's. Belongs to one thread.
struct RuntimeLockWatch {
  /// Between two looks: only what two find in a row is said.
  private static let period = Nanoseconds.milliseconds(250)
  /// Between the first two searches for runtimes.
  private static let firstSearchPeriod = Nanoseconds.seconds(1)
  /// Looks may take this part of the time: 1 % of a core.
  private static let share: Int64 = 100
  /// The same of one look that finds something new, now and then: it is soon known whether that lasts.
  private static let (soonPeriod, soonShare) = (Nanoseconds.milliseconds(100), Int64(10))
  private static let soonPause = Nanoseconds.seconds(1)
  /// Between two searches for runtimes: in vain, they are twice as far apart each time.
  private static let longestSearchPeriod = Nanoseconds.seconds(30)

  private let process: Int32
  private var runtimes: [any LanguageRuntime] = []
  private var program: ProgramIdentity?
  private var searchPeriod = firstSearchPeriod
  private var nextSearch = MonotonicClock.Instant.distantPast
  private var last: [Int32: RuntimeWait] = [:]
  private var lastSoon = MonotonicClock.Instant.distantPast
  /// When it is to look again, where threads sleep that may wait for such a lock.
  private(set) var nextLook = MonotonicClock.Instant.distantPast

  init(process: Int32) { self.process = process }

  /// Where threads sleep that wait for the lock of an interpreter.
  var interpreterLocks: [Range<RemoteAddress>] { runtimes.flatMap(\.lockRanges) }

  /// Looks through one of the process's threads, which must be there, and gives what threads were found to
  /// wait for twice in a row; stops nothing.
  mutating func look(through thread: Int32) -> [Int32: RuntimeWait] {
    let memory = ProcessMemory(tid: thread)
    if let program, !program.isSame(in: memory) { self = RuntimeLockWatch(process: process) }
    if runtimes.isEmpty, MonotonicClock.now() >= nextSearch { search(memory) }
    let start = MonotonicClock.now()
    let before = OwnUsage.threadCPU()
    for runtime in runtimes { _ = runtime.refreshThreads(from: memory) }
    let waits = runtimes.reduce(into: [Int32: RuntimeWait]()) { waits, runtime in
      waits.merge(runtime.waits(from: memory)) { known, _ in known }
    }
    let lasting = RuntimeWaitSurvey.lasting(last, waits)
    let isNew =
      start - lastSoon > Self.soonPause
      && waits.contains { tid, wait in last[tid].map { !$0.isSame(as: wait) } ?? true }
    last = waits
    let cost = OwnUsage.threadCPU() - before
    if runtimes.isEmpty {
      nextLook = nextSearch
    } else if isNew {
      lastSoon = start
      nextLook = start + max(Self.soonPeriod, cost * Self.soonShare)
    } else {
      nextLook = start + max(Self.period, cost * Self.share)
    }
    return lasting
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
