package import LinuxProcess
internal import NativeUnwinding
package import ProfileModel
internal import Synchronization

/// Captures a profile of a running process.
package enum Capture {
  /// Why a capture could not be made.
  package enum Failure: Error, Equatable {
    case access(AccessProblem)
    case system(SystemError)
  }

  /// Samples the process until the plan's duration is over, it ends, or `control` says stop; with
  /// a plan without a rate it looks once.
  ///
  /// The target is stopped only while running threads are copied. The result has no names yet.
  ///
  /// `ready` is told once everything is open and the clock is about to start: the moment to let a
  /// program go that was held until then. While it samples, `recorder` gets twice a second what is
  /// new, with names, on a thread of its own; a slow one delays nothing, and gets more at its next
  /// turn.
  @available(*, noasync, message: "blocks for the whole capture")
  package static func record(
    pid: Int32, plan: SamplingPlan, control: CaptureControl,
    ready: (@Sendable () -> Void)? = nil, recorder: (@Sendable (ProfileGrowth) -> Void)? = nil
  ) throws(Failure) -> CapturedProfile {
    prepareOpenFiles(forThreadsOf: pid)
    let names = FrameNames(pid: pid)
    return try record(
      pid: pid, plan: plan, control: control, names: names, ready: ready,
      recording: recorder.map { Recording(names: names, recorder: $0) })
  }

  /// One process's capture; `told` gets the session when it has ended.
  static func record(
    pid: Int32, plan: SamplingPlan, control: CaptureControl, names: FrameNames,
    ready: (@Sendable () -> Void)? = nil, recording: (any GrowthReceiver)?,
    membership: FamilyMembership? = nil, told: (CaptureSession) -> Void = { _ in }
  ) throws(Failure) -> CapturedProfile {
    let holder: Int32
    let live: Int32
    do {
      holder = try AccessCheck.check(pid)
      live = try AccessCheck.liveThread(of: pid)
    } catch {
      throw .access(error)
    }
    do {
      let session = try CaptureSession(
        pid: pid, live: live, plan: plan, control: control, names: names, ready: ready,
        recording: recording, membership: membership)
      // The thread that holds a program which sprof has started has let it go by the first tick.
      let captured = try session.run(holder: OSThread.isOwn(holder) ? 0 : holder)
      told(session)
      return captured
    } catch {
      throw error.meansGone ? .access(.noSuchProcess) : .system(error)
    }
  }
}

/// What makes a process one of many that are captured together.
struct FamilyMembership {
  /// When it was born, by the monotonic clock, if that was during the capture.
  let birth: Int64?
}

/// One capture under way: the tracer thread, the resolver thread, and what they share.
final class CaptureSession: @unchecked Sendable {
  // Sendable: the sampler is used by the tracer thread alone and the resolver by the resolver's,
  // from their start until they are joined; before and after, by the thread that runs the session.
  private let pid: Int32
  private let live: Int32
  private let plan: SamplingPlan
  private let control: CaptureControl
  private let ring: SampleRing
  private let requests = ThreadRequests()
  private let spaces = AddressSpaces()
  private let resolver: Resolver
  private let sampler: Sampler
  private let isSampled = Atomic<Bool>(false)
  /// Rung when it is, and when there is much to do.
  private let resolverBell = Bell()
  /// Whether the resolver's thread of a dump has ended, so that the tracer's may use the resolver.
  private let isDrained = Atomic<Bool>(false)
  private let names: FrameNames
  private let recording: (any GrowthReceiver)?
  private let isOneOfMany: Bool
  private let sleepWatch: SleepWatch
  private var sleeps: [SleepRecord] = []
  private var tasks: AsyncTasks?

  init(
    pid: Int32, live: Int32, plan: SamplingPlan, control: CaptureControl, names: FrameNames,
    ready: (@Sendable () -> Void)?, recording: (any GrowthReceiver)?, membership: FamilyMembership?
  ) throws(SystemError) {
    self.pid = pid
    self.live = live
    self.plan = plan
    self.control = control
    self.names = names
    self.recording = recording
    isOneOfMany = membership != nil
    sleepWatch = SleepWatch(pid: pid, liveThread: live)
    // Where there are many, each has few looks at a time.
    ring =
      membership == nil
      ? SampleRing(byteCapacity: 64 << 20)
      : SampleRing(byteCapacity: 16 << 20, recordCapacity: 1 << 11)
    let runtimeStacks = plan.readsRuntimes ? RuntimeStacks() : nil
    resolver = Resolver(
      pid: pid, liveThread: live, ring: ring, requests: requests, stackLimit: plan.stackLimit,
      spaces: spaces, runtimeStacks: runtimeStacks, frameChoice: plan.frames,
      isDump: plan.rate == nil)
    sampler = try Sampler(
      pid: pid, liveThread: live, plan: plan, control: control, ring: ring, requests: requests,
      spaces: spaces,
      python: runtimeStacks.map {
        PythonWatch(
          pid: pid, stacks: $0, followsTasks: plan.followsTasks, isDump: plan.rate == nil)
      }, membership: membership)
    sampler.ready = ready
    sampler.resolverBell = resolverBell
  }

  /// When the capture began, by the monotonic clock.
  var startTime: Int64 { sampler.startTime }
  /// The lengths of all stops.
  var pauses: PauseMeter { sampler.pauses }

  func run(holder: Int32) throws(SystemError) -> CapturedProfile {
    var info = CaptureInfo(
      kind: plan.kind, pid: pid,
      processName: ProcessSearch.threadName(process: pid, thread: pid) ?? "?")
    info.executable = try? ProcFile.link("/proc/\(live)/exe")
    info.commandLine = ProcessSearch.commandLine(of: pid)
    info.hostName = Host.name()
    info.kernel = Host.kernel()
    info.startTime = Host.wallClock()
    info.rate = plan.rate ?? 0
    let ownCPU = OwnUsage.cpu()
    if let rate = plan.rate {
      try sample(at: rate, info)
    } else {
      try sampleOnce()
    }
    info.duration = sampler.lastTickTime
    info.ending = sampler.ending
    info.cost = sampler.cost
    info.cost.ownCPU = OwnUsage.cpu() - ownCPU
    info.notes = notes(holder: holder)
    let modules = resolver.modules
    let facts = CapturedProfile.LiveFacts(
      modules: modules, sleeps: sleeps, startTime: sampler.startTime,
      interpreter: plan.frames == .mixed ? sampler.python?.path : nil,
      lockHolders: sampler.python?.stacks.lockHolders ?? [:],
      lockWaiters: sampler.python?.stacks.lockWaiters ?? [],
      lockTime: sampler.python?.stacks.lockTime ?? 0,
      lockRanges: sampler.python?.lockRanges ?? [])
    var profile = resolver.finish(capture: info)
    profile.tasks = tasks.map { [$0] } ?? []
    return CapturedProfile(
      profile, names: names, collectedEnd: sampler.stops.collectedEnd,
      facts: facts
    ) { files(of: $0, in: modules) }
  }

  /// Samples on the tracer thread while a second one unwinds, and a third one records.
  private func sample(at rate: Double, _ info: CaptureInfo) throws(SystemError) {
    try recording?.start()
    defer { recording?.finish() }
    try sleepWatch.start(threads: (try? ThreadList(process: pid).read()) ?? [])
    defer { sleeps = sleepWatch.finish() }
    let resolving = try OSThread.start { [self] in
      // Looked for now and then: being told would cost the tracer a system call a tick.
      // Some ticks at a time, for which its caches are warm; fewer where the tracer has to know soon
      // what more is wanted of a thread.
      let pause = isOneOfMany ? 25_000_000 : min(40_000_000, max(1_000_000, Int64(4e9 / rate)))
      var soonUntil = Self.firstTime
      while true {
        let isLast = isSampled.load(ordering: .acquiring)
        let progress = control.progress
        if resolver.drain() { soonUntil = progress.elapsed + Self.soonTime }
        sleepWatch.watch(
          resolver.takeLongSleeps(
            until: progress.elapsed, threshold: SleepWatch.threshold, isLast: isLast))
        record(until: progress, rate: rate, info)
        if isLast { break }
        let factor: Int64 = isOneOfMany || progress.elapsed < soonUntil ? 1 : 4
        resolverBell.wait(until: MonotonicClock.now() + factor * pause)
      }
      recordEnd(rate: rate, info)
    }
    let tracing: OSThread.Handle
    do {
      tracing = try OSThread.startTracer { [self] in
        sampler.run(rate: rate)
        sampler.python?.census(memory: sampler.memory) { sampler.now }
      }
    } catch {
      endResolving(resolving)
      throw error
    }
    tracing.join()
    endResolving(resolving)
  }

  /// For how long the resolver looks often at first, and behind each wish.
  private static let firstTime: Int64 = 1_000_000_000
  private static let soonTime: Int64 = 10_000_000_000

  private func endResolving(_ resolving: consuming OSThread.Handle) {
    isSampled.store(true, ordering: .releasing)
    resolverBell.ring()
    resolving.join()
  }

  /// Hands over what is new, when it is time and the recorder has worked off the last.
  private func record(until progress: CaptureProgress, rate: Double, _ info: CaptureInfo) {
    guard let recording, recording.isDue(at: progress.elapsed) else { return }
    handOver(until: progress, rate: rate, info, to: recording)
  }

  /// Hands over the last of a process, where the recording goes on without it.
  private func recordEnd(rate: Double, _ info: CaptureInfo) {
    guard let recording, recording.wantsEnd else { return }
    var progress = control.progress
    progress.elapsed = sampler.lastTickTime
    handOver(until: progress, rate: rate, info, to: recording)
  }

  private func handOver(
    until progress: CaptureProgress, rate: Double, _ info: CaptureInfo,
    to recording: any GrowthReceiver
  ) {
    var growth = resolver.takeGrowth(until: progress.elapsed, rate: rate)
    var capture = info
    capture.ending = .unfinished
    capture.duration = progress.elapsed
    capture.cost.ticksPlanned = Int64(Double(progress.elapsed) * rate / 1e9)
    capture.cost.ticksTaken = progress.ticks
    capture.cost.stoppedTime = progress.stoppedTime
    growth.capture = capture
    recording.take(growth, files: files(of: growth.frames.map(\.frame), in: resolver.modules))
  }

  /// Of a program with more threads the stacks are unwound while the next are copied.
  private static let largeProgram = 64

  /// Looks once; what is then still wanted is asked for at once, within reason.
  private func sampleOnce() throws(SystemError) {
    let isLarge = try ThreadList(process: pid).count() ?? 0 > Self.largeProgram
    isDrained.store(!isLarge, ordering: .releasing)
    var resolving = isLarge ? try OSThread.start { [self] in drainUntilSampled() } : nil
    defer { resolving.take()?.join() }
    defer { isSampled.store(true, ordering: .releasing) }
    let tracing = try OSThread.startTracer { [self] in
      sampler.sampleOnce()
      sampler.python?.noteLockHolders(memory: sampler.memory)
      isSampled.store(true, ordering: .releasing)
      while !isDrained.load(ordering: .acquiring) {
        MonotonicClock.sleep(until: MonotonicClock.now() + 50_000)
      }
      resolver.drain()
      let naming = startNaming()
      inspectSleeps()
      sampler.python?.census(memory: sampler.memory) { sampler.now }
      naming?.takeTime()
      tasks = sampler.readTasks()
      naming?.finish()
    }
    tracing.join()
  }

  /// Looks up the names of the frames that are known by now.
  private func startNaming() -> EarlyNames? {
    // Of many processes all frames get their names at the end.
    guard !isOneOfMany else { return nil }
    let frames = resolver.builder.openFrames
    let early = EarlyNames(names, of: frames, files: files(of: frames, in: resolver.modules))
    early.start()
    return early
  }

  /// Looks at what threads wait for, and again at those of which the resolver wants more.
  private func inspectSleeps() {
    // Before threads are stopped whose registers are wanted: their sleep ends with that.
    let survey = SleepSurvey(pid: pid, liveThread: live)
    let samples = survey.samples(sampler.watches, known: resolver.sleeps())
    for _ in 0..<100 where sampler.sampleAgain() { resolver.drain() }
    sampler.finish()
    resolver.drain()
    sleeps = survey.finish(samples, sampler.watches, known: resolver.sleeps())
  }

  private func drainUntilSampled() {
    while !isSampled.load(ordering: .acquiring) {
      resolver.drain()
      MonotonicClock.sleep(until: MonotonicClock.now() + 500_000)
    }
    isDrained.store(true, ordering: .releasing)
  }

  // MARK: - Notes

  private func notes(holder: Int32) -> [String] {
    var notes: [String] = []
    if holder != 0 {
      let name = ProcessSearch.threadName(process: holder, thread: holder) ?? "?"
      notes.append(
        "The program is traced by \(name) (pid \(holder)), so its running threads could not be "
          + "stopped; only sleeping threads have stacks.")
    } else if !sampler.refusals.isEmpty {
      let count = sampler.refusals.count
      notes.append(
        "The kernel refused to stop \(count == 1 ? "1 thread" : "\(count) threads"), which left no "
          + "stacks of the time on a CPU.")
    }
    if let problem = sampler.python?.problem { notes.append(problem) }
    if let problem = sampler.python?.taskProblem { notes.append(problem) }
    if !sampler.usesSchedulerStatistics {
      notes.append(
        "This kernel has no scheduler statistics (schedstat): CPU times come in steps of 10 ms, and "
          + "waiting for a CPU counts as running.")
    }
    if sampler.ticksSpared > 0 {
      notes.append(
        "\(sampler.ticksSpared) of the late ticks were skipped to spare the program: stops may take "
          + "at most \(PauseBudget.words(plan.maxPause)) of its time (--max-pause).")
    }
    let restarted = sampler.stops.restartedSystemCalls
    if restarted > 0 {
      notes.append(
        restarted == 1
          ? "1 system call was interrupted by a stop and restarted transparently."
          : "\(restarted) system calls were interrupted by a stop and restarted transparently.")
    }
    if sampler.lacksSystemCallFile {
      notes.append(
        "This kernel has no /proc/PID/syscall: sleeping threads had to be stopped for each sample.")
    }
    return notes
  }
}
