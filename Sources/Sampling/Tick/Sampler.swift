internal import LinuxProcess
internal import ProfileModel

/// Looks at the threads of a process, tick by tick: the work of the one tracer thread.
///
/// Nothing is unwound or named here. A look ends with registers and stack bytes in the ring.
final class Sampler {
  let pid: Int32
  let plan: SamplingPlan
  let control: CaptureControl
  let ring: SampleRing
  let requests: ThreadRequests
  private let spaces: AddressSpaces
  /// Which reading of the maps is the latest.
  private(set) var mapsSerial = 0
  private(set) var memory: ProcessMemory
  private let threadList: ThreadList
  private let folder: TaskFolder
  let stops: StoppedThreads
  /// Nil where all frames are to be native.
  let runtimes: ProcessRuntimes?
  let stackRead = StackRead()
  /// Whether threads began since the runtimes' threads were listed.
  private var hasNewThreads = false
  /// When the process was born, by the monotonic clock, if that was during the capture.
  private let birth: Int64?
  /// Whether a tick is awaited to the microsecond, which takes CPU time.
  ///
  /// Many captures at once are not to take that, and at low rates nobody notices.
  private let isPunctual: Bool
  private static let punctualRate = 500.0
  /// Whether other processes are captured besides, and go on when this one ends.
  private let isOneOfMany: Bool
  /// Whether the program was started for this capture.
  private let isStarting: Bool

  private(set) var watches: [SampledThread] = []
  private var knownThreads: Set<Int32> = []
  private var freeSlots: [Int] = []
  private var usedSlots = 0
  /// The writable mappings, in ascending order: a stack lies in one of them.
  private var stackRanges: [Range<UInt64>] = []
  var areMapsStale = true
  /// When the mappings were read last.
  private var mapsTime: Int64 = 0
  private(set) var lastTickTime: Int64 = 0

  /// When the capture began, by the monotonic clock.
  private(set) var startTime: Int64
  private(set) var cost = CaptureCost()
  var pauses = PauseMeter()
  /// When the last thread of a stop was let go.
  var lastRelease: Int64 = 0
  /// The ticks that were left out to keep the stops within the plan's share of time.
  private(set) var ticksSpared: Int64 = 0
  private(set) var ending = CaptureInfo.Ending.duration
  /// The processes that were found to hold a thread we wanted to stop, and the kernel's answer.
  var refusals: [Int32: Int32] = [:]
  private let hasSchedulerStatistics: Bool
  var lacksSystemCallFile = false
  /// Told when the clock is about to start.
  var ready: (@Sendable () -> Void)?
  /// Rung when the ring fills before the resolver looks for something to do.
  var resolverBell: Bell?
  var hasRung = false

  init(
    pid: Int32, liveThread: Int32, plan: SamplingPlan, control: CaptureControl, ring: SampleRing,
    requests: ThreadRequests, spaces: AddressSpaces, runtimes: ProcessRuntimes?,
    membership: FamilyMembership? = nil
  ) throws(SystemError) {
    self.spaces = spaces
    self.runtimes = runtimes
    self.pid = pid
    birth = membership?.birth
    isPunctual = membership == nil && (plan.rate ?? 0) >= Self.punctualRate
    isOneOfMany = membership != nil
    isStarting = plan.kind == .run
    stops = StoppedThreads(process: pid)
    self.plan = plan
    self.control = control
    self.ring = ring
    self.requests = requests
    memory = ProcessMemory(tid: liveThread)
    threadList = try ThreadList(process: pid)
    folder = try TaskFolder(process: pid)
    hasSchedulerStatistics =
      !plan.ignoresSchedulerStatistics && ThreadCounters.areKeptByKernel()
    startTime = MonotonicClock.now()
  }

  /// Whether the kernel's scheduler statistics serve, or only its context switch counts.
  var usesSchedulerStatistics: Bool { hasSchedulerStatistics }

  /// Time since the start of the capture, in nanoseconds.
  var now: Int64 { MonotonicClock.now() - startTime }

  // MARK: - The clock

  /// Samples until the plan's duration is over, the target ends, or the control says stop.
  @available(*, noasync, message: "blocks for the whole capture")
  func run(rate: Double) {
    let period = Int64(1e9 / rate)
    begin()
    // What went by before a new process was found counts for the first sample of it. Of a process that
    // was there, ticks are late that go by before the first sample, where this thread got no CPU.
    let before = birth == nil ? 0 : now / period
    var tick = before + 1
    var jitter = TickJitter(period: period)
    var budget = PauseBudget(share: plan.maxPause)
    let last = plan.duration.map { max(1, Int64((Double($0) / Double(period)).rounded(.down))) }
    while true {
      if let last, tick > last { break }
      guard waitForTick(at: tick * period + jitter.next()) else {
        ending = .interrupted
        break
      }
      waitForResolver()
      let time = now
      if time < budget.earliestTick, tick != last {
        spare(time: time)
        tick += 1
        continue
      }
      // Periods that went by unused are not made up for: the tick counts for all of them.
      let due = min(max(tick, time / period), last ?? .max)
      if time - tick * period > period / 2 + jitter.limit { cost.ticksLate += due - tick + 1 }
      cost.ticksTaken += 1
      takeTick(due, time: time)
      budget.spend(heldTime: pauses.heldTime, at: now)
      reportProgress(time: time)
      // What is left of a program that has ended, until its parent collects it, is a zombie.
      guard watches.contains(where: { !$0.isZombie }) else {
        ending = .targetEnded
        break
      }
      cost.ticksPlanned = due - before
      tick = due + 1
    }
    finish()
  }

  /// Opens the threads' files, learns where their interpreted frames are, and starts the clock behind
  /// that: of a thousand threads it takes as long as several ticks.
  private func begin() {
    refreshThreads(tick: 0)
    refreshStackRanges(time: 0)
    refreshRuntimes(time: 0)
    if birth == nil { for watch in watches { runtimes?.warmUp(watch.tid, from: memory) } }
    // What a program does that is let go now counts, and this thread may get no CPU for a while.
    if isStarting { readBaselines() }
    ready?()
    startTime = birth ?? MonotonicClock.now()
    if !isStarting { readBaselines() }
    for watch in watches { watch.lastTime = 0 }
  }

  private func readBaselines() {
    for watch in watches {
      // The threads of a new process began at zero.
      watch.counters = birth == nil ? counters(of: watch) ?? watch.counters : ThreadCounters()
    }
  }

  /// Looks at every thread once, now.
  func sampleOnce() {
    refreshThreads(tick: 0)
    refreshRuntimes(time: 0)
    cost.ticksPlanned = 1
    cost.ticksTaken = 1
    ending = .once
    takeTick(1, time: now)
  }

  /// Looks again at the threads of which the resolver wanted more, and at those that did not stop
  /// in time.
  ///
  /// Returns whether there were any.
  func sampleAgain() -> Bool {
    guard watches.contains(where: wantsSample) else { return false }
    if !stops.isEmpty { MonotonicClock.sleep(until: MonotonicClock.now() + 2_000_000) }
    takeTick(1, time: now, onlyWanted: true)
    return true
  }

  private func wantsSample(_ watch: SampledThread) -> Bool {
    !watch.isZombie && (requests.isAsked(watch.slot) || !watch.wasSeen)
  }

  /// Waits for a tick; false when the capture is to end before.
  private func waitForTick(at time: Int64) -> Bool {
    let deadline = startTime + time
    while true {
      guard !control.shouldStop else { return false }
      let left = deadline - MonotonicClock.now()
      if left <= 0 { return true }
      let longest: Int64 = 100_000_000
      guard isPunctual else {
        MonotonicClock.sleep(until: min(deadline, MonotonicClock.now() + longest))
        continue
      }
      // Waking up from sleep takes up to 60 µs, which at high rates is most of the period.
      if left < 60_000 {
        while MonotonicClock.now() < deadline {}
        return true
      }
      MonotonicClock.sleep(until: min(deadline - 30_000, MonotonicClock.now() + longest))
    }
  }

  /// Leaves out a tick; the next one counts for it.
  private func spare(time: Int64) {
    ticksSpared += 1
    cost.ticksLate += 1
    stops.releaseOverdue()
    reportProgress(time: time)
  }

  private func reportProgress(time: Int64) {
    guard time - control.progress.elapsed >= 100_000_000 else { return }
    // Whoever reads how far it is finds all samples until then.
    runtimes?.confirm(from: memory)
    var progress = CaptureProgress()
    progress.elapsed = time
    progress.ticks = cost.ticksTaken
    progress.threads = watches.count
    progress.stoppedTime = pauses.heldTime
    control.progress = progress
  }

  /// Hands over what every thread's last stack has lasted on, and sums up the cost.
  func finish() {
    releaseAll()
    runtimes?.confirm(from: memory)
    for watch in watches where !watch.hasEnded { handOver(endOf: watch, beforeProgram: false) }
    cost.stops = pauses.count
    cost.pauseMedian = pauses.percentile(0.5)
    cost.pause99 = pauses.percentile(0.99)
    cost.pauseMax = pauses.longest
    cost.stoppedTime = pauses.heldTime
  }

  /// Lets go whatever a late stop still holds; gives up after a second, when the end of this
  /// process will do it.
  private func releaseAll() {
    let deadline = MonotonicClock.now() + 1_000_000_000
    while !stops.isEmpty, MonotonicClock.now() < deadline {
      stops.releaseOverdue()
      if !stops.isEmpty { MonotonicClock.sleep(until: MonotonicClock.now() + 1_000_000) }
    }
  }

  func countSampleWithoutStop() { cost.samplesWithoutStop += 1 }
  func countDroppedSample() { cost.samplesDropped += 1 }

  // MARK: - One tick

  private func takeTick(_ tick: Int64, time: Int64, onlyWanted: Bool = false) {
    stops.releaseOverdue()
    if !onlyWanted { refreshThreads(tick: tick) }
    // A new program loads its libraries first: its maps are read again after 1, 2, 4 … ms.
    let pause = isStarting || birth != nil ? max(1_000_000, mapsTime) : 1_000_000_000
    if areMapsStale || time - mapsTime >= min(pause, 1_000_000_000) {
      refreshStackRanges(time: time)
    }
    refreshRuntimes(time: time)
    var anyEnded = false
    for index in watches.indices {
      let watch = watches[index]
      if onlyWanted, !wantsSample(watch) { continue }
      inspect(watch, index: index, tick: tick, time: time)
      anyEnded = anyEnded || watch.hasEnded
    }
    stopRunningThreads(time: time)
    runtimes?.finish(from: memory)
    if plan.rate == nil { runtimes?.confirm(from: memory) }
    lastTickTime = time
    if anyEnded || watches.contains(where: isLost) { dropEndedThreads() }
  }

  private func refreshRuntimes(time: Int64) {
    guard let runtimes else { return }
    runtimes.refresh(time: time, memory: memory, hasNewThreads: hasNewThreads)
    hasNewThreads = false
  }

  /// The counters of a thread; nil when it has ended.
  func counters(of watch: SampledThread) -> ThreadCounters? {
    hasSchedulerStatistics
      ? watch.files.counters()
      : ThreadCounters(contextSwitchesOf: watch.tid, process: pid)
  }

  // MARK: - Threads

  private func refreshThreads(tick: Int64) {
    guard let count = threadList.count() else {
      for watch in watches { watch.hasEnded = true }
      dropEndedThreads()
      return
    }
    // An equal number may hide that one thread has ended and another begun: look now and then.
    guard count != watches.count || tick % 64 == 0 else { return }
    let time = now
    for tid in threadList.read() where !knownThreads.contains(tid) {
      add(tid, time: time, tick: tick)
    }
  }

  private func add(_ tid: Int32, time: Int64, tick: Int64) {
    guard usedSlots < ThreadRequests.capacity || !freeSlots.isEmpty,
      let files = try? ThreadFiles(folder: folder, thread: tid)
    else { return }
    if !files.hasSystemCallFile { lacksSystemCallFile = true }
    let slot = freeSlots.popLast() ?? usedSlots
    if slot == usedSlots { usedSlots += 1 }
    requests.reset(slot)
    // A thread that was there when the capture began has used its CPU time before: the clock's start
    // reads how much.
    let isOld = tick == 0
    let watch = SampledThread(
      files: files, slot: slot, time: isOld ? time : lastTickTime, tick: isOld ? 0 : tick - 1,
      baseline: ThreadCounters())
    watches.append(watch)
    knownThreads.insert(tid)
    hasNewThreads = true
  }

  private func dropEndedThreads() {
    // Those that end with the program are shown where they were: none of them has ended before it.
    let isFirst = isOneOfMany || !isProgramOver
    for watch in watches where watch.hasEnded {
      handOver(endOf: watch, beforeProgram: isFirst)
      knownThreads.remove(watch.tid)
      freeSlots.append(watch.slot)
    }
    watches.removeAll { $0.hasEnded }
    // The one that maps and memory were read through may be among them.
    if !watches.contains(where: { $0.tid == memory.tid && !$0.isZombie }),
      let live = watches.first(where: { !$0.isZombie })
    {
      memory.tid = live.tid
      areMapsStale = true
    }
  }

  // MARK: - Stacks

  private func refreshStackRanges(time: Int64) {
    guard let maps = try? memory.maps(), !maps.mappings.isEmpty else { return }
    areMapsStale = false
    mapsTime = time
    mapsSerial += 1
    spaces.publish(
      AddressSpaces.Reading(
        serial: mapsSerial, time: MonotonicClock.now(), maps: maps,
        name: ProcessSearch.threadName(process: pid, thread: pid)))
    stackRanges.removeAll(keepingCapacity: true)
    for mapping in maps.mappings where mapping.isReadable && mapping.isWritable {
      stackRanges.append(mapping.start.rawValue..<mapping.end.rawValue)
    }
  }

  /// Reads the mappings again when `address` is in none that is known; not while anything is
  /// stopped.
  func makeStackKnown(_ address: UInt64) {
    if stackRange(containing: address) == nil { refreshStackRanges(time: now) }
  }

  /// The writable mapping around `address`, by binary search; allocates nothing.
  func stackRange(containing address: UInt64) -> Range<UInt64>? {
    var low = 0
    var high = stackRanges.count
    while low < high {
      let middle = (low + high) / 2
      if stackRanges[middle].upperBound <= address { low = middle + 1 } else { high = middle }
    }
    guard low < stackRanges.count, stackRanges[low].contains(address) else { return nil }
    return stackRanges[low]
  }
}
