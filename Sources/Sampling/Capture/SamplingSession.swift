internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// A capture under way that samples for some time: on the tracer thread, while a second one unwinds, and
/// a third one records.
final class SamplingSession: @unchecked Sendable {
  // Sendable: `outcome` is the tracer thread's until that was joined, and `answers` the resolver's; all else
  // is the pipeline's, or does not change.
  private let pipeline: SamplePipeline
  private let plan: SamplingPlan
  private let control: CaptureControl
  private let ready: (@Sendable () -> Void)?
  private let recording: (any GrowthReceiver)?
  private let sleepWatch: SleepWatch
  private let isSampled = Atomic<Bool>(false)
  private var outcome = TickLoop.Outcome()
  /// The resolver's.
  private var answers = AnsweredModules()

  private var sampler: Sampler { pipeline.sampler }
  private var resolver: Resolver { pipeline.resolver }

  init(
    _ pipeline: SamplePipeline, plan: SamplingPlan, control: CaptureControl,
    ready: (@Sendable () -> Void)?, recording: (any GrowthReceiver)?
  ) {
    self.pipeline = pipeline
    self.plan = plan
    self.control = control
    self.ready = ready
    self.recording = recording
    sleepWatch = SleepWatch(
      pipeline.target.folder, liveThread: pipeline.target.liveThread, cpuBudget: plan.cpuBudget,
      sharesRecords: plan.quietRate != nil || recording?.feed != nil,
      runtimeLocks: pipeline.options.readsRuntimes ? pipeline.runtimeLocks : nil,
      lookups: pipeline.lookups, peers: plan.peers)
    pipeline.sampler.waitTrace?.feed = recording?.feed
  }

  @available(*, noasync, message: "blocks for the whole capture")
  func run() throws(SystemError) -> FinishedCapture {
    var info = pipeline.beginning(CaptureInfo.Kind(plan.kind), rate: plan.rate)
    info.seed = plan.seed
    info.knowsUnseenSleeps = true
    let sleeps = try sample(info)
    let notes = CaptureNotes.notes(of: pipeline, sparing: outcome, by: plan)
    return pipeline.finish(info, ending: outcome.ending, notes: notes, sleeps: sleeps)
  }

  /// Returns the long sleeps.
  private func sample(_ info: CaptureInfo) throws(SystemError) -> [SleepRecord] {
    if pipeline.membership.goesOn {
      // What the thread of this capture has used to prepare it.
      var cpuMeter = CPUBudget.Meter(plan.cpuBudget, sinceThreadBegan: true)
      cpuMeter.count()
    }
    try recording?.start()
    defer { recording?.finish() }
    // What threads wait for is not looked up while nothing is stopped.
    try sleepWatch.start(threads: control.isQuiet ? [] : pipeline.target.folder.threads())
    let resolving: OSThread.Handle
    do {
      resolving = try OSThread.start { [self] in resolve(info) }
    } catch {
      _ = sleepWatch.finish()
      throw error
    }
    let tracing: OSThread.Handle
    do {
      tracing = try OSThread.startTracer { [self] in trace() }
    } catch {
      endResolving(resolving)
      _ = sleepWatch.finish()
      throw error
    }
    tracing.join()
    endResolving(resolving)
    return sleepWatch.finish()
  }

  private func trace() {
    let loop = TickLoop(sampler, plan: plan, control: control)
    outcome = loop.run(ready: { [self] in
      pipeline.lookups.begin(at: MonotonicClock.now())
      ready?()
    })
    guard !control.isQuiet else { return }
    sampler.runtimes?.census(memory: sampler.memory) { sampler.now }
  }

  // MARK: - The resolver's thread

  private static let longestPause = Nanoseconds.milliseconds(200)
  /// A capture that is quiet has few samples; its tick loop wakes the resolver when that is over.
  private static let quietPause = Nanoseconds.seconds(1)

  private func resolve(_ info: CaptureInfo) {
    var pace = ResolverPace(rate: plan.rate, pipeline.membership)
    var cpuMeter = CPUBudget.Meter(plan.cpuBudget)
    while true {
      let isLast = isSampled.load(ordering: .acquiring)
      let progress = control.progress
      if resolver.drain() { pace.quicken(at: progress.elapsed) }
      if !control.isQuiet {
        sleepWatch.watch(
          resolver.takeLongSleeps(
            until: progress.elapsed, threshold: SleepWatch.threshold, isLast: isLast))
        record(until: progress, info)
        takeSnapshot(info)
      }
      cpuMeter.count()
      if isLast { break }
      // While ticks are skipped there is less to do; a ring that fills rings.
      let now = MonotonicClock.now()
      let skipped = min(plan.cpuBudget.earliestTick - now, Self.longestPause)
      pipeline.channel.resolverWaker.wait(
        until: now + max(pause(pace, at: progress.elapsed), skipped))
    }
    recordEnd(info)
  }

  /// A capture that may be asked for what it has seen answers soon.
  private static let snapshotPause = Nanoseconds.milliseconds(20)

  private func pause(_ pace: ResolverPace, at time: Nanoseconds) -> Nanoseconds {
    let pause = pace.pause(at: time)
    guard plan.quietRate != nil else { return pause }
    return control.isQuiet ? max(pause, Self.quietPause) : min(pause, Self.snapshotPause)
  }

  /// Hands over a profile of what was seen so far, if one is wanted.
  private func takeSnapshot(_ info: CaptureInfo) {
    guard let receive = control.takeSnapshotRequest() else { return }
    let progress = control.progress
    let profile = pipeline.snapshot(
      capture(info, until: progress), sleeps: sleepWatch.records, until: progress.elapsed)
    receive(profile, sampler.startTime)
  }

  private func endResolving(_ resolving: consuming OSThread.Handle) {
    isSampled.store(true, ordering: .releasing)
    pipeline.channel.resolverWaker.wake()
    resolving.join()
  }

  /// Hands over what is new, when it is time and the recorder has worked off the last.
  private func record(until progress: CaptureProgress, _ info: CaptureInfo) {
    guard let recording, control.isRecorded, recording.isDue(at: progress.elapsed) else { return }
    handOver(until: progress, info, to: recording)
  }

  /// Hands over the last of a process, where the recording goes on without it.
  private func recordEnd(_ info: CaptureInfo) {
    guard let recording, recording.wantsEnd else { return }
    var progress = control.progress
    progress.elapsed = sampler.lastTickEnd
    handOver(until: progress, info, to: recording)
  }

  private func handOver(
    until progress: CaptureProgress, _ info: CaptureInfo, to recording: any GrowthReceiver
  ) {
    var growth = resolver.takeGrowth(until: progress.elapsed, rate: plan.rate)
    growth.capture = capture(info, until: progress)
    growth.programStart = resolver.executions.lastTime.map { ($0 - sampler.startTime).rawValue }
    recording.take(growth, files: files(of: growth.frames.map(\.frame), in: resolver.modules))
    guard let feed = recording.feed else { return }
    // What ended long ago is of no interest to who looks on.
    let oldest = MonotonicClock.now() - .seconds(60)
    let records = resolver.followed(
      sleepWatch.records.filter { $0.lastSeen >= oldest }, since: sampler.startTime,
      until: progress.elapsed)
    let waits = feed.take()
    answers.ask(records, waits, resolver.modules)
    recording.take(
      UnnamedSleeps(
        records: records, waits: waits, modules: answers, startTime: sampler.startTime,
        interpreterLocks: sleepWatch.interpreterLocks, pid: pipeline.target.pid))
  }

  /// What is known of a capture that goes on.
  private func capture(_ info: CaptureInfo, until progress: CaptureProgress) -> CaptureInfo {
    var capture = resolver.executions.head(info)
    capture.ending = .unfinished
    capture.duration = progress.elapsed.rawValue
    capture.cost.ticksPlanned = progress.ticksPlanned
    capture.cost.ticksTaken = progress.ticks
    capture.cost.samplesWithoutStop = progress.samplesWithoutStop
    capture.cost.stops = progress.stops
    capture.cost.ownCPU = pipeline.ownCPU
    capture.cost.stoppedTime = progress.stoppedTime.rawValue
    return capture
  }
}

/// How often the resolver looks for work: being called would cost the tracer a system call a tick.
///
/// Some ticks at a time, for which its caches are warm; fewer where the tracer has to know soon what
/// more is wanted of a thread.
private struct ResolverPace {
  /// For how long it looks often at first, and after each request.
  private static let firstTime = Nanoseconds.seconds(1)
  private static let soonTime = Nanoseconds.seconds(10)

  private let shortPause: Nanoseconds
  private let longPause: Nanoseconds
  private var soonUntil = firstTime

  init(rate: Double, _ membership: Membership) {
    switch membership {
    case .alone:
      shortPause = min(.milliseconds(40), max(.milliseconds(1), Nanoseconds(Int64(4e9 / rate))))
      longPause = shortPause * 4
    case .ofFamily:
      shortPause = .milliseconds(25)
      longPause = shortPause
    }
  }

  /// Notes that more of a thread was asked for.
  mutating func quicken(at time: Nanoseconds) { soonUntil = time + Self.soonTime }

  func pause(at time: Nanoseconds) -> Nanoseconds { time < soonUntil ? shortPause : longPause }
}
