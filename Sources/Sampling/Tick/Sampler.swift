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
  var mappings = StackMappings()
  let stops: StoppedThreads
  /// Nil where all frames are to be native.
  let runtimes: ProcessRuntimes?
  let stackRead = StackRead()
  /// Whether threads began since the runtimes' threads were listed.
  private var hasNewThreads = false
  /// Whether the kernel's scheduler statistics serve, or only its context switch counts.
  let usesSchedulerStatistics: Bool

  /// When the capture began.
  private(set) var startTime: MonotonicClock.Instant
  /// Since the start of the capture.
  private(set) var lastTickTime: Nanoseconds = 0
  var cost = CaptureCost()
  var pauses = PauseMeter()
  /// When the last thread of a round of stops was resumed.
  var lastResumption = MonotonicClock.Instant.distantPast
  /// The threads that could not be stopped, and the kernel's answer.
  var refusals: [Int32: Int32] = [:]
  private(set) var lacksSystemCallFile = false

  init(
    _ folder: TaskFolder, liveThread: ProcessIdentity, options: SampleOptions, series: SampleSeries,
    origin: ProgramOrigin, membership: Membership, channel: SampleChannel,
    runtimes: ProcessRuntimes?
  ) {
    self.folder = folder
    self.options = options
    self.series = series
    self.origin = origin
    self.membership = membership
    self.channel = channel
    self.runtimes = runtimes
    stops = StoppedThreads(process: folder.process)
    memory = ProcessMemory(liveThread)
    roster = ThreadRoster(folder)
    usesSchedulerStatistics =
      !options.ignoresSchedulerStatistics && ThreadCounters.areKeptByKernel()
    startTime = MonotonicClock.now()
  }

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
      ready?()
      startTime = time
    }
    for thread in threads { thread.account.beginWithCapture() }
  }

  private func warmUpRuntimes() {
    for thread in threads { runtimes?.warmUp(thread.tid, from: memory) }
  }

  private func readBaselines() {
    for thread in threads {
      if let counters = counters(of: thread) { thread.account.begin(at: counters) }
    }
  }

  /// Samples every thread once, now.
  func sampleOnce() {
    refreshThreads(tick: 0)
    refreshRuntimes(time: 0)
    cost.ticksPlanned = 1
    cost.ticksTaken = 1
    takeTick(1, time: now)
    runtimes?.confirm(from: memory)
  }

  /// Samples again the threads of which the resolver wants more, and those that did not stop in
  /// time; returns whether there were any.
  func sampleAgain() -> Bool {
    guard threads.contains(where: isSampleWanted) else { return false }
    if !stops.isEmpty { MonotonicClock.sleep(for: .milliseconds(2)) }
    let time = now
    stops.releaseOverdue()
    prepareTick(time: time)
    sampleThreads(tick: 1, time: time, where: isSampleWanted)
    runtimes?.confirm(from: memory)
    return true
  }

  private func isSampleWanted(_ thread: SampledThread) -> Bool {
    thread.isAlive && (requests.isAsked(thread.slot) || !thread.wasSampled)
  }

  /// Hands over what every thread's last stack has lasted on, and sums up the cost.
  func finish() {
    releaseAll()
    runtimes?.confirm(from: memory)
    for thread in threads where !thread.hasEnded { handOver(endOf: thread, beforeProgram: false) }
    cost.setPauses(pauses)
  }

  /// Resumes whatever a late stop still holds; gives up after a second, when the end of this
  /// process will do it.
  private func releaseAll() {
    let deadline = MonotonicClock.now() + .seconds(1)
    while !stops.isEmpty, MonotonicClock.now() < deadline {
      stops.releaseOverdue()
      if !stops.isEmpty { MonotonicClock.sleep(for: .milliseconds(1)) }
    }
  }
}

// MARK: - One tick

extension Sampler {
  /// Samples every thread that has run, at `time` since the start of the capture.
  func takeTick(_ tick: Int64, time: Nanoseconds) {
    stops.releaseOverdue()
    refreshThreads(tick: tick)
    prepareTick(time: time)
    sampleThreads(tick: tick, time: time) { _ in true }
    // A thread that executes a program takes the place of a main thread that has ended.
    if isProgramOver { listThreads(tick: tick) }
  }

  private func prepareTick(time: Nanoseconds) {
    if mappings.areDue(at: time, isNewProgram: origin.isNew) { readMappings(time: time) }
    refreshRuntimes(time: time)
  }

  private func sampleThreads(
    tick: Int64, time: Nanoseconds, where isWanted: (SampledThread) -> Bool
  ) {
    var anyEnded = false
    let threads = threads
    for (index, thread) in threads.enumerated() where isWanted(thread) {
      inspect(thread, index: index, tick: tick, time: time)
      anyEnded = anyEnded || thread.hasEnded
    }
    stopRunningThreads(time: time)
    runtimes?.finish(from: memory)
    lastTickTime = time
    if anyEnded || threads.contains(where: isLost) { dropEndedThreads() }
  }

  /// Whether a thread has ended, or is a dead main thread through which nothing can be read any more.
  private func isLost(_ thread: SampledThread) -> Bool {
    thread.hasEnded || thread.isZombie && thread.tid == memory.tid
  }

  private func refreshRuntimes(time: Nanoseconds) {
    guard let runtimes else { return }
    runtimes.refresh(time: time, memory: memory, hasNewThreads: hasNewThreads)
    hasNewThreads = false
  }

  private func readMappings(time: Nanoseconds) {
    mappings.read(from: memory, of: folder, at: time, to: channel.spaces)
  }

  /// Reads the mappings again when `address` is in none that is known; not while anything is
  /// stopped.
  func makeStackKnown(_ address: RemoteAddress) {
    if mappings.range(containing: address) == nil { readMappings(time: now) }
  }
}

// MARK: - Threads

extension Sampler {
  private func refreshThreads(tick: Int64) {
    guard let hasChanged = roster.hasChanged() else {
      for thread in threads { thread.end() }
      dropEndedThreads()
      return
    }
    // An equal number may hide that one thread has ended and another begun: look now and then.
    if hasChanged || tick % 64 == 0 { listThreads(tick: tick) }
  }

  private func listThreads(tick: Int64) {
    if roster.endReplacedMainThread() { dropEndedThreads() }
    let time = now
    for tid in roster.newThreads() { add(tid, time: time, tick: tick) }
  }

  private func add(_ tid: Int32, time: Nanoseconds, tick: Int64) {
    // Of a thread that was there when the capture began the clock's start reads how much CPU time it
    // had used.
    let isOld = tick == 0
    let account = ThreadAccount(
      counters: ThreadCounters(), time: isOld ? time : lastTickTime, tick: isOld ? 0 : tick - 1)
    guard let thread = roster.add(tid, account: account) else { return }
    requests.reset(thread.slot)
    if !thread.files.hasSystemCallFile { lacksSystemCallFile = true }
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
      isProgramOver && (roster.endReplacedMainThread() || roster.hasOtherThreads())
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
