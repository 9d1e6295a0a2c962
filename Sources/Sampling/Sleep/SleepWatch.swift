internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Samples threads that have slept for long while a capture goes on, on a thread of its own: what
/// it reads delays neither the tick nor the resolver.
final class SleepWatch: @unchecked Sendable {
  // Sendable: all but `ordered`, `known` and `isFinished` is used by the watching thread alone until
  // `finish` has joined it, and by the thread that calls `finish` after that.

  /// A sleep this long is sampled.
  static let threshold = Nanoseconds.milliseconds(150)
  /// Between the first two samples of one sleep: only what was seen twice is said for sure.
  private static let firstPeriod = Nanoseconds.milliseconds(30)
  /// Between two samples of one sleep; the longer it has lasted, the longer, up to the second figure.
  private static let period = Nanoseconds.seconds(1)
  private static let longestPeriod = Nanoseconds.seconds(4)
  /// The same of threads of other processes, at the most: samples that find nothing new are twice as
  /// far apart each time.
  private static let longestPeerPeriod = Nanoseconds.seconds(8)
  private static let pause = Nanoseconds.milliseconds(50)
  /// Between two copies of all for who looks on.
  private static let sharingPeriod = Nanoseconds.milliseconds(200)
  /// CPU time a turn for searching who holds the other ends.
  private static let peerTime = Nanoseconds.milliseconds(50)
  /// For how long who holds pipes and sockets is taken to stay the same.
  private static let peerLife = Nanoseconds.seconds(15)
  /// Sleeps that have ended and are kept.
  private static let limit = 4096
  /// The same of one thread.
  private static let threadLimit = 16
  /// The same at one place, of waits for a runtime's lock: of others who holds it is known from each tick.
  private static let runtimeLimit = 8

  /// Whether `records` is kept.
  private let sharesRecords: Bool
  private let inspector: SleepInspector
  private let cpuBudget: CPUBudget
  private let lookups: DescriptorLookups
  private let peers: PeerRequests?
  private let ordered = Mutex<[KnownSleep]>([])
  private let isFinished = Atomic<Bool>(false)
  private let known = Mutex<(records: [SleepRecord], interpreterLocks: [Range<RemoteAddress>])>(
    ([], []))
  /// Rung when there is something to do.
  private let bell: Waker
  private var handle: OSThread.Handle?
  /// How threads slept before the capture stopped any.
  private var first: [Int32: SleepSample] = [:]
  /// Sleeps that go on, by thread; those of other processes too.
  private var current: [Int32: SleepRecord] = [:]
  private var ended: [Int32: [SleepRecord]] = [:]
  private var endedCount = 0
  private var peerTime = MonotonicClock.Instant.distantPast
  private var peerInspectionTime = MonotonicClock.Instant.distantPast
  private var peerPeriod = period
  private var lookupTime = MonotonicClock.Instant.distantPast
  private var lastTurn = MonotonicClock.Instant.distantPast
  private var lastSharing = MonotonicClock.Instant.distantPast
  /// Nil where runtimes are not read.
  private let runtimeLocks: RuntimeLockLookups?
  private var runtimeLockWatch: RuntimeLockWatch

  /// Counts what it uses in `cpuBudget`, and does not wait for that.
  ///
  /// `lookups` has the descriptors that the tracer wants to know more of, `runtimeLocks` the locks of language
  /// runtimes: nil where these are not read.
  init(
    _ folder: TaskFolder, liveThread: ProcessIdentity, cpuBudget: CPUBudget,
    sharesRecords: Bool, runtimeLocks: RuntimeLockLookups?, lookups: DescriptorLookups,
    peers: PeerRequests?
  ) {
    self.runtimeLocks = runtimeLocks
    runtimeLockWatch = RuntimeLockWatch(process: folder.process)
    self.sharesRecords = sharesRecords
    self.peers = peers
    self.lookups = lookups
    bell = lookups.bell
    self.cpuBudget = cpuBudget
    inspector = SleepInspector(folder, liveThread: liveThread)
  }

  /// Samples the threads as they are before any of them is stopped, and begins.
  func start(threads: [Int32]) throws(SystemError) {
    for tid in threads.prefix(4096) {
      if let sample = inspector.sample(tid) { first[tid] = sample }
    }
    handle = try OSThread.start { [self] in run() }
  }

  /// Takes sleeps that have lasted long.
  func watch(_ sleeps: [KnownSleep]) {
    guard !sleeps.isEmpty else { return }
    let isFirst = ordered.withLock { waiting in
      defer {
        // A turn that takes long must not let the list grow; what is left out comes up again only
        // when the thread has run.
        if waiting.count < 65_536 { waiting += sleeps }
      }
      return waiting.isEmpty
    }
    if isFirst { bell.wake() }
  }

  /// Samples the sleeps that go on a last time, and gives all that are worth keeping.
  func finish() -> [SleepRecord] {
    isFinished.store(true, ordering: .releasing)
    bell.wake()
    handle.take()?.join()
    return ended.values.flatMap { $0 } + current.values
  }

  /// The sleeps that are worth keeping so far; may be called by any thread.
  var records: [SleepRecord] { known.withLock { $0.records } }

  /// Where threads sleep that wait for the lock of an interpreter, as far as runtimes were asked.
  var interpreterLocks: [Range<RemoteAddress>] { known.withLock { $0.interpreterLocks } }

  // MARK: - The watching thread

  private func run() {
    var cpuMeter = CPUBudget.Meter(cpuBudget)
    while true {
      let isLast = isFinished.load(ordering: .acquiring)
      turn(isLast: isLast)
      let now = MonotonicClock.now()
      if sharesRecords, isLast || now - lastSharing >= Self.sharingPeriod {
        lastSharing = now
        let records = ended.values.flatMap { $0 } + current.values
        let locks = runtimeLockWatch.interpreterLocks
        known.withLock { $0 = (records, locks) }
      }
      cpuMeter.count()
      if isLast { return }
      waitForTurn()
    }
  }

  /// Waits until a sleep is to be sampled, or the capture ends.
  private func waitForTurn() {
    let soonest = MonotonicClock.now() + Self.pause
    var next = max(soonest, timeOfNextSample)
    while !isFinished.load(ordering: .acquiring) {
      // What was found is told to those who look on.
      if lookAtRuntimeLocks(), sharesRecords {
        next = min(next, max(soonest, lastSharing + Self.sharingPeriod))
      }
      let end = ordered.withLock { $0.isEmpty } && !lookups.hasNew ? next : soonest
      guard MonotonicClock.now() < end else { return }
      bell.wait(until: min(end, nextRuntimeLook ?? end))
    }
  }

  private var timeOfNextSample: MonotonicClock.Instant {
    var result = current.isEmpty ? .distantFuture : peerInspectionTime + peerPeriod
    for record in current.values where record.sample.thread.pid == inspector.pid {
      guard record.knowsPeers else { return .distantPast }
      result = min(result, record.sample.time + period(of: record))
    }
    if sharesRecords, lastSharing < lastTurn {
      result = min(result, lastSharing + Self.sharingPeriod)
    }
    let nextLookup = lookups.isWanted ? lookupTime + DescriptorLookups.period : .distantFuture
    return min(
      result, nextLookup, MonotonicClock.now() + Self.longestPeriod)
  }

  private func period(of record: SleepRecord) -> Nanoseconds {
    guard record.samples > 1 else { return Self.firstPeriod }
    return min(max((record.lastSeen - record.firstSeen) / 2, Self.period), Self.longestPeriod)
  }

  private func turn(isLast: Bool) {
    let now = MonotonicClock.now()
    lastTurn = now
    let new = ordered.withLock { waiting in
      let taken = waiting
      waiting = []
      return taken
    }
    inspector.refresh()
    if now - peerTime > Self.peerLife {
      peerTime = now
      inspector.forgetPeers()
    }
    // The last turn must not hold up the end of the capture.
    let deadline = isLast ? now + .milliseconds(100) : .distantFuture
    // Those that are due first: to change a list that is gone through would copy it.
    let due = current.values.filter { isLast || now - $0.sample.time >= period(of: $0) }
    for record in due {
      guard MonotonicClock.now() < deadline, !isLast || record.lastSeen < now else {
        break
      }
      sampleAgain(record.sample.thread.tid, record)
    }
    for sleep in new where MonotonicClock.now() < deadline { begin(sleep) }
    addPeers()
    if isLast || lookups.hasNew || now - lookupTime >= DescriptorLookups.period {
      // What takes another turn comes first in that.
      if lookups.look(with: inspector, budget: Self.peerTime, peers) { lookupTime = now }
    }
    if !new.isEmpty { peerPeriod = Self.period }
    if isLast || now - peerInspectionTime >= peerPeriod {
      peerInspectionTime = now
      peerPeriod = inspectPeers() ? Self.period : min(peerPeriod * 2, Self.longestPeerPeriod)
    }
  }

  /// A thread that sleeps in a futex, which may be a lock of its runtime's.
  private var futexSleeper: Int32? {
    current.first { tid, record in
      record.sample.thread.pid == inspector.pid
        && record.sample.place.map { DescriptorCalls.isFutex($0.number) } ?? false
    }?.key
  }

  /// When to look at the runtimes' locks; nil where no thread may wait for one.
  private var nextRuntimeLook: MonotonicClock.Instant? {
    guard let runtimeLocks else { return nil }
    if runtimeLocks.wanted != nil { return runtimeLockWatch.nextLook(hasNewSleeps: true) }
    guard futexSleeper ?? runtimeLockWatch.waiter != nil else { return nil }
    return runtimeLockWatch.nextLook(hasNewSleeps: false)
  }

  /// Looks who holds the locks of runtimes, when it is time; returns whether that says more of any sleep.
  private func lookAtRuntimeLocks() -> Bool {
    guard let runtimeLocks, let next = nextRuntimeLook, MonotonicClock.now() >= next,
      let thread = runtimeLocks.wanted ?? futexSleeper ?? runtimeLockWatch.waiter
    else { return false }
    let begin = runtimeLocks.begin()
    let look = runtimeLockWatch.look(through: thread)
    runtimeLocks.put(look.waits, begin: begin)
    var hasChanged = false
    for (tid, record) in current where record.runtimeWait != look.lasting[tid] {
      // What was found stays true of a sleep that has ended meanwhile.
      guard look.lasting[tid] != nil || inspector.isStillAsleep(record.sample) else { continue }
      current[tid]?.runtimeWait = look.lasting[tid]
      hasChanged = true
    }
    return hasChanged
  }

  private func begin(_ sleep: KnownSleep) {
    guard var sample = inspector.sample(sleep.tid, known: sleep.hint()),
      let place = sample.place
    else { return }
    let before = first.removeValue(forKey: sleep.tid)
    let goesOn =
      before.map { sample.isSameSleep(as: $0) || sample.goOn(from: $0, stops: sleep.stops) }
    if let known = current[sleep.tid] {
      guard !known.sample.isSameSleep(as: sample) else { return }
      end(sleep.tid, known)
    }
    let frames = sleep.place.isSame(as: place) ? sleep.frames : []
    current[sleep.tid] =
      if let before, goesOn ?? false {
        SleepRecord(sample, frames: frames, seenAt: before.time)
      } else {
        SleepRecord(sample, frames: frames)
      }
  }

  private func sampleAgain(_ tid: Int32, _ record: SleepRecord) {
    var record = record
    guard record.sample.thread.pid == inspector.pid else { return }
    if !record.sample.mayHaveOwner, inspector.isStillAsleep(record.sample) {
      record.goOn(at: MonotonicClock.now())
      current[tid] = record
      return
    }
    guard let sample = inspector.sample(tid, known: record.hint),
      sample.isSameSleep(as: record.sample)
    else { return end(tid, record) }
    record.extend(by: sample)
    record.knowsPeers = false
    current[tid] = record
  }

  private func addPeers() {
    // A child, or the owner of a shared lock, needs no search.
    if let peers { for record in current.values { peers.note(record.sample.wait.owners) } }
    let waiting = current.filter {
      !$0.value.knowsPeers && $0.value.sample.thread.pid == inspector.pid
    }
    var samples = waiting.map(\.value.sample)
    guard !samples.isEmpty, inspector.findPeers(for: &samples, budget: Self.peerTime) else {
      return
    }
    for (tid, sample) in zip(waiting.keys, samples) {
      peers?.note(sample.wait.owners)
      current[tid]?.takePeers(of: sample)
    }
  }

  /// Returns whether anything has changed since the last sample.
  private func inspectPeers() -> Bool {
    let own = current.values.lazy.map(\.sample).filter { [pid = inspector.pid] in
      $0.thread.pid == pid
    }
    let samples = inspector.inspectPeers(of: Array(own), budget: Self.peerTime)
    var hasChanged = false
    for sample in samples {
      if var known = current[sample.thread.tid], sample.isSameSleep(as: known.sample) {
        known.extend(by: sample)
        current[sample.thread.tid] = known
        continue
      }
      hasChanged = true
      if let known = current[sample.thread.tid] { end(sample.thread.tid, known) }
      current[sample.thread.tid] = SleepRecord(sample, frames: [])
    }
    let found = Set(samples.map(\.thread.tid))
    for (tid, record) in current
    where record.sample.thread.pid != inspector.pid && !found.contains(tid) {
      hasChanged = true
      end(tid, record)
    }
    return hasChanged
  }

  // MARK: - Sleeps that have ended

  /// Keeps the longest and the latest sleep at each place, of waits for a runtime's lock some more.
  private func end(_ tid: Int32, _ record: SleepRecord) {
    current[tid] = nil
    var list = ended[tid] ?? []
    let count = list.count
    let same = list.indices.filter { Self.isSamePlace(list[$0], record) }
    if same.count >= (record.runtimeWait == nil ? 2 : Self.runtimeLimit),
      let longest = same.max(by: { list[$0].length < list[$1].length }),
      let dropped = same.first(where: { $0 != longest })
    {
      list.remove(at: dropped)
    }
    list.append(record)
    if list.count > Self.threadLimit || endedCount - count + list.count > Self.limit,
      let shortest = list.indices.dropLast().min(by: { list[$0].length < list[$1].length })
    {
      list.remove(at: shortest)
    }
    // Full of other threads' sleeps: this one's only sleep is left out.
    guard endedCount - count + list.count <= Self.limit else { return }
    endedCount += list.count - count
    ended[tid] = list
  }

  private static func isSamePlace(_ left: SleepRecord, _ right: SleepRecord) -> Bool {
    left.sample.place?.number == right.sample.place?.number
      && left.sample.place?.stackPointer == right.sample.place?.stackPointer
      && left.sample.place?.pc == right.sample.place?.pc
      && left.sample.place?.arguments.first == right.sample.place?.arguments.first
  }
}
