internal import LinuxProcess
internal import ProfileModel

/// Samples the threads of a process, tick by tick: the work of the one tracer thread.
///
/// Nothing is unwound or named here. A sample ends with registers and stack bytes in the ring.
final class Sampler {
  let folder: TaskFolder
  var pid: Int32 { folder.process }
  let options: SampleOptions
  let series: SampleSeries
  let origin: ProgramOrigin
  let membership: Membership
  let channel: SampleChannel
  var ring: SampleRing { channel.ring }
  var requests: ThreadRequests { channel.requests }

  private var roster: ThreadRoster
  private(set) var memory: ProcessMemory
  var mappings: StackMappings
  let stops: StoppedThreads
  /// Nil where all frames are to be native.
  let runtimes: ProcessRuntimes?
  let stackRead = StackRead()
  /// Nil for a dump, whose waits are all looked up.
  let waitTrace: WaitTrace?
  /// Whether threads began since the runtimes' threads were listed.
  private var hasNewThreads = false
  /// Whether the threads were listed in the tick under way.
  private var isListed = false
  /// Whether the kernel's scheduler statistics serve, or only its context switch counts.
  let usesSchedulerStatistics: Bool

  /// When the capture began.
  private(set) var startTime: MonotonicClock.Instant
  /// CPU time of the program when the capture began; nil where it is not known, or not wanted.
  private var cpuBefore: Nanoseconds?
  /// The same from the start of the capture to its end.
  private(set) var programCPU: Nanoseconds?
  /// The end of the last tick's period, since the start of the capture.
  private(set) var lastTickEnd: Nanoseconds = 0
  /// The length of the periods that the last tick stands for.
  private var tickLength: Nanoseconds = 0
  /// The end of the period of the tick under way.
  private(set) var tickEnd: Nanoseconds = 0
  /// Whether a thread may be stopped; one that runs has no stack where it may not.
  var mayStop: Bool
  /// Whether nobody wants the samples yet.
  var isQuiet = false
  var cost = CaptureCost()
  var pauses = PauseMeter()
  /// When the last thread of a round of stops was resumed.
  var lastResumption = MonotonicClock.Instant.distantPast
  /// The threads that could not be stopped, and the kernel's answer.
  var refusals: [Int32: Int32] = [:]
  /// What threads are not sampled.
  var leftOut: ThreadRoster.LeftOut { roster.leftOut }
  /// The threads that got no CPU in which to stop, and have no sample with a stack.
  var unsampled = 0

  init(
    _ folder: TaskFolder, liveThread: ProcessIdentity, options: SampleOptions, series: SampleSeries,
    origin: ProgramOrigin, membership: Membership, channel: SampleChannel,
    runtimes: ProcessRuntimes?, waitTrace: WaitTrace? = nil
  ) {
    self.folder = folder
    self.options = options
    self.series = series
    self.origin = origin
    self.membership = membership
    self.channel = channel
    self.runtimes = runtimes
    mayStop = !options.stopsNothing
    self.waitTrace = waitTrace
    stops = StoppedThreads(process: folder.process)
    memory = ProcessMemory(liveThread)
    mappings = StackMappings(of: ProgramIdentity(memory))
    roster = ThreadRoster(folder)
    usesSchedulerStatistics = options.usesSchedulerStatistics
    startTime = MonotonicClock.now()
  }

  /// When this thread last woke up for a tick, and took its CPU from whoever had it; nil where it has not
  /// slept.
  var awakeSince: MonotonicClock.Instant?

  /// Time since the start of the capture.
  var now: Nanoseconds { MonotonicClock.now() - startTime }

  /// Those that are sampled, and a main thread that has ended.
  var threads: [SampledThread] { roster.threads }

  /// Whether no thread of the program is left but its main thread's entry.
  var isProgramOver: Bool { roster.isProgramOver }

  /// The counters of a thread; nil when it has ended.
  func counters(of thread: SampledThread) -> ThreadCounters? {
    usesSchedulerStatistics
      ? thread.files.counters()
      : ThreadCounters(contextSwitchesOf: thread.tid, in: folder)
  }
}

// MARK: - Begin and end

extension Sampler {
  /// Opens the threads' files, learns where their interpreted frames are, and starts the clock after
  /// that: with a thousand threads it takes as long as several ticks.
  ///
  /// `ready` is called just before the clock starts.
  func begin(ready: (@Sendable () -> Void)?) {
    refreshThreads(tick: 0)
    readMappings(time: 0)
    refreshRuntimes(time: 0)
    switch origin {
    case .running:
      warmUpRuntimes()
      ready?()
      startTime = MonotonicClock.now()
      readBaselines()
    case .held:
      warmUpRuntimes()
      // What a program does that is resumed now counts, and this thread may get no CPU for a while.
      readBaselines()
      ready?()
      startTime = MonotonicClock.now()
    case .born(let time):
      // Its threads began at zero.
      if usesSchedulerStatistics { cpuBefore = 0 }
      ready?()
      startTime = time
    }
    for thread in threads { thread.account.beginWithCapture() }
  }

  private func warmUpRuntimes() {
    for thread in threads { runtimes?.warmUp(thread.tid, from: memory) }
  }

  private func readBaselines() {
    if usesSchedulerStatistics { cpuBefore = KernelClock.cpu(ofProcess: folder.process) }
    for thread in threads {
      if let counters = counters(of: thread) { thread.account.begin(at: counters) }
    }
  }

  /// Samples every thread once, now.
  func sampleOnce() {
    refreshThreads(tick: 0)
    readMappings(time: 0)
    refreshRuntimes(time: 0)
    cost.ticksPlanned = 1
    cost.ticksTaken = 1
    let time = now
    takeTick(1, time: time, end: time)
    runtimes?.confirm(from: memory)
  }

  /// Samples again the threads of which the resolver wants more, and those that did not stop in
  /// time; returns whether there were any.
  ///
  /// In the first tick a sample replaces one of which more is wanted; in a second it counts for itself.
  func sampleAgain(tick: Int64) -> Bool {
    guard threads.contains(where: isSampleWanted) else { return false }
    if !stops.isEmpty { MonotonicClock.sleep(for: .milliseconds(2)) }
    let time = now
    releaseOverdue()
    prepareTick(time: time)
    tickEnd = time
    sampleThreads(tick: tick, time: time, where: isSampleWanted)
    runtimes?.confirm(from: memory)
    return true
  }

  private func isSampleWanted(_ thread: SampledThread) -> Bool {
    thread.isAlive && (requests.isAsked(thread.slot) || !thread.wasSampled)
  }

  /// Hands over what every thread's last stack has lasted on, and sums up the cost.
  func finish() {
    if let cpuBefore, let cpu = KernelClock.cpu(ofProcess: folder.process) {
      programCPU = max(0, cpu - cpuBefore)
    }
    releaseAll()
    runtimes?.confirm(from: memory)
    // Since the last tick another thread may have executed a program: its counters are not the main thread's.
    if !isProgramOver, endReplacedMainThread(time: now) { dropEndedThreads() }
    for thread in threads where thread.awaitsFirstSample { recordWithoutCPU(thread) }
    waitTrace?.finish()
    for thread in threads where !thread.hasEnded { handOver(endOf: thread, beforeProgram: false) }
    cost.setPauses(pauses)
  }

  /// Resumes whatever a late stop still holds; gives up after a second, when the end of this
  /// process will do it.
  func releaseAll() {
    let deadline = MonotonicClock.now() + .seconds(1)
    while !stops.isEmpty, MonotonicClock.now() < deadline {
      releaseOverdue()
      if !stops.isEmpty { MonotonicClock.sleep(for: .milliseconds(1)) }
    }
  }
}

// MARK: - One tick

extension Sampler {
  /// Samples every thread that has run.
  ///
  /// At `time`, in a period that ends at `end`, both since the start of the capture.
  func takeTick(_ tick: Int64, time: Nanoseconds, end: Nanoseconds) {
    releaseOverdue()
    refreshThreads(tick: tick)
    prepareTick(time: time)
    tickEnd = end
    tickLength = max(0, end - lastTickEnd)
    sampleThreads(tick: tick, time: time) { _ in true }
    // A thread that executes a program takes the place of a main thread that has ended.
    if isProgramOver { listThreads(tick: tick) }
  }

  private func prepareTick(time: Nanoseconds) {
    if mappings.areDue(at: time, isQuiet: isQuiet) { readMappings(time: time) }
    refreshRuntimes(time: time)
  }

  private func sampleThreads(
    tick: Int64, time: Nanoseconds, where isWanted: (SampledThread) -> Bool
  ) {
    var anyEnded = false
    let threads = threads
    exchangeRuntimeLocks()
    waitTrace?.beginTick(memory: memory, time: time)
    runtimes?.forgetLockHolders()
    for (index, thread) in threads.enumerated() where isWanted(thread) {
      inspect(thread, index: index, tick: tick, time: time)
      anyEnded = anyEnded || thread.hasEnded
    }
    // As many may have begun as have ended.
    if anyEnded, !isListed {
      addNewThreads(tick: tick)
      for (index, thread) in self.threads.enumerated().dropFirst(threads.count) {
        inspect(thread, index: index, tick: tick, time: time)
      }
    }
    stopRunningThreads(time: time)
    settleMappings()
    runtimes?.finish(from: memory)
    lastTickEnd = tickEnd
    if anyEnded || threads.contains(where: isLost) { dropEndedThreads() }
  }

  /// Whether a thread has ended, or is a dead main thread through which nothing can be read any more.
  private func isLost(_ thread: SampledThread) -> Bool {
    thread.hasEnded || thread.isZombie && thread.tid == memory.tid
  }

  private func refreshRuntimes(time: Nanoseconds) {
    guard let runtimes else { return }
    let isSame = runtimes.refresh(
      time: time, memory: memory, mappings: mappings, hasNewThreads: hasNewThreads)
    if !isSame { mappings.areStale = true }
    hasNewThreads = false
    // One that sleeps is not sampled again for as long as it has not run.
    runtimes.takeGains(among: threads) { $0.wake() }
  }

  private func readMappings(time: Nanoseconds) {
    mappings.read(
      from: memory, of: folder, at: time, isNewProgram: origin.isNew, to: channel.spaces)
  }

  /// Reads the mappings for the samples that need them as they are now; nothing may be stopped.
  ///
  /// The sooner, the less the loader has done meanwhile.
  func settleMappings() {
    guard mappings.isAwaited else { return }
    let time = now
    if mappings.areDueForSamples(at: time) { readMappings(time: time) }
    mappings.settle(channel.spaces)
  }

  /// Reads the mappings again when `address` is in none that is known, unless that would take too much
  /// of the time; not while anything is stopped.
  func makeStackKnown(_ address: RemoteAddress) {
    guard mappings.range(containing: address) == nil else { return }
    mappings.areStale = true
    let time = now
    if mappings.areDue(at: time, isQuiet: isQuiet) {
      readMappings(time: time)
    } else {
      mappings.noteUnknownStack(at: address, memory)
    }
  }
}

// MARK: - Threads

extension Sampler {
  private func refreshThreads(tick: Int64) {
    isListed = false
    guard let hasChanged = roster.hasChanged() else {
      for thread in threads { thread.end() }
      dropEndedThreads()
      return
    }
    // An equal number may hide that one thread has ended and another begun: the sample finds that the first
    // has ended, but for one whose number is in use again. Look now and then.
    if hasChanged || tick % 64 == 0 { listThreads(tick: tick) }
  }

  private func listThreads(tick: Int64) {
    if endReplacedMainThread(time: now) { dropEndedThreads() }
    addNewThreads(tick: tick)
  }

  /// Those that are listed already keep their places.
  private func addNewThreads(tick: Int64) {
    let time = now
    isListed = true
    for tid in roster.newThreads() { add(tid, time: time, tick: tick) }
  }

  /// Ends a main thread whose number another thread has taken over, by executing a program; returns
  /// whether there was one.
  private func endReplacedMainThread(time: Nanoseconds) -> Bool {
    roster.endReplacedMainThread { main in
      guard main.wasSampled, let counters = counters(of: main) else { return true }
      // Its last sample may be as old as the period whose end was its last time.
      let passed = max(0, time - main.account.lastTime) + tickLength
      let interval = Weight(wall: passed.rawValue)
      return main.account.mayReach(counters, after: interval)
    }
  }

  private func add(_ tid: Int32, time: Nanoseconds, tick: Int64) {
    // Of a thread that was there when the capture began the clock's start reads how much CPU time it
    // had used.
    let isOld = tick == 0
    let account = ThreadAccount(
      counters: ThreadCounters(), time: isOld ? time : lastTickEnd, tick: isOld ? 0 : tick - 1)
    guard let thread = roster.add(tid, account: account) else { return }
    requests.reset(thread.slot)
    // It has executed a program: what it did before that was counted under its own number.
    if thread.isMain, !isOld, let counters = counters(of: thread) {
      thread.account.begin(at: counters)
    }
    hasNewThreads = true
  }

  private func dropEndedThreads() {
    // Those that end with the program are shown where they were: none of them has ended before it. Those
    // that end because one of them executes another program have.
    let isReplaced =
      isProgramOver && (endReplacedMainThread(time: now) || roster.hasOtherThreads())
    let isFirst = membership.goesOn || isReplaced || !isProgramOver
    for thread in threads where thread.hasEnded {
      handOver(endOf: thread, beforeProgram: isFirst)
    }
    roster.removeEnded()
    // The one that maps and memory were read through may be among them.
    if !threads.contains(where: { $0.tid == memory.tid && $0.isAlive }),
      let live = threads.first(where: \.isAlive), let thread = folder.identity(of: live.tid)
    {
      memory = ProcessMemory(thread)
      mappings.areStale = true
    }
  }
}
