internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel

/// The way of a process's samples to a profile: the tracer's sampler, the resolver, and what passes
/// between them.
final class SamplePipeline: @unchecked Sendable {
  // Sendable: the sampler is used by the tracer thread alone and the resolver by the resolver's,
  // from their start until they are joined; before and after, by the thread that runs the session.
  let target: CaptureTarget
  let membership: Membership
  let names: FrameNames
  let channel: SampleChannel
  let resolver: Resolver
  let sampler: Sampler
  let lookups: DescriptorLookups
  let runtimeLocks: RuntimeLockLookups
  let options: SampleOptions
  private let series: SampleSeries
  /// sprof's CPU time before the capture.
  private let earlierCPU = OwnUsage.cpu()

  init(
    _ target: CaptureTarget, options: SampleOptions, series: SampleSeries, origin: ProgramOrigin,
    membership: Membership, names: FrameNames
  ) {
    self.target = target
    self.options = options
    self.series = series
    self.membership = membership
    self.names = names
    channel = SampleChannel(ring: membership.makeRing())
    let stacks = options.readsRuntimes ? RuntimeStacks() : nil
    let lookups = DescriptorLookups()
    let runtimeLocks = RuntimeLockLookups(
      target.folder, usesSchedulerStatistics: options.usesSchedulerStatistics, bell: lookups.bell)
    self.lookups = lookups
    self.runtimeLocks = runtimeLocks
    resolver = Resolver(
      target, options: options, series: series, channel: channel, runtimeStacks: stacks)
    sampler = Sampler(
      target.folder, liveThread: target.liveThread, options: options, series: series,
      origin: origin, membership: membership, channel: channel,
      runtimes: stacks.map {
        ProcessRuntimes(
          target.folder, stacks: $0, followsTasks: options.followsTasks,
          maxDepth: options.maxDepth, isDump: series == .single)
      },
      waitTrace: series == .ticks
        ? WaitTrace(target.folder, lookups: lookups, runtimeLocks: runtimeLocks) : nil)
  }

  /// What is known of a capture when it begins; `rate` in ticks per second.
  func beginning(_ kind: CaptureInfo.Kind, rate: Double = 0) -> CaptureInfo {
    let pid = target.pid
    var info = CaptureInfo(
      kind: kind, pid: pid, processName: target.folder.name(of: pid) ?? "?")
    info.executable = target.folder.link("exe", of: target.liveThread.pid)
    info.commandLine = target.folder.commandLine()
    info.hostName = Host.name()
    info.kernel = Host.kernel()
    info.startTime = Host.wallClock()
    info.processors = AllowedProcessors.count(of: target.liveThread.pid)
    info.rate = rate
    info.maxDepth = options.maxDepth
    return info
  }

  /// CPU time of sprof since the capture began, in nanoseconds.
  var ownCPU: Int64 { (OwnUsage.cpu() - earlierCPU).rawValue }

  /// The profile of all samples, once both threads have ended.
  func finish(
    _ info: CaptureInfo, ending: CaptureInfo.Ending, notes: [CaptureNote], sleeps: [SleepRecord],
    tasks: [AsyncTasks] = []
  ) -> FinishedCapture {
    var info = resolver.executions.head(info)
    info.duration = sampler.lastTickEnd.rawValue
    // The clock of the ticks has begun a little after the capture's.
    info.startTime = Host.wallClock() - Double(sampler.now.rawValue) / 1e9
    info.ending = ending
    if series == .ticks {
      // On a busy machine some time goes by between the order and the first moment of the clock.
      let elapsed = MonotonicClock.now() - sampler.startTime
      info.startTime = Host.wallClock() - Double(elapsed.rawValue) / 1e9
    }
    info.cost = sampler.cost
    info.cost.ownCPU = ownCPU
    info.notes = notes
    info.unsampled.threads = sampler.leftOut.threads.count
    let modules = resolver.modules
    let facts = liveFacts(modules: modules, sleeps: sleeps)
    var profile = resolver.finish(capture: info)
    profile.capture.unsampled.cpu = unsampledCPU(in: profile)
    profile.tasks = tasks
    profile.goroutines = sampler.runtimes?.goroutines ?? []
    if let trace = sampler.waitTrace {
      profile.waitHistory = trace.history(profile.threads)
      if let note = trace.note { profile.capture.notes.append(note) }
    }
    return FinishedCapture(
      profile: CapturedProfile(
        profile, names: names, collectedEnd: sampler.stops.collectedEnd, facts: facts
      ) { files(of: $0, in: modules) },
      startTime: sampler.startTime, pauses: sampler.pauses)
  }

  /// CPU time of the program that none of its threads has; 0 where it is not more than what they may have
  /// used since the last tick.
  private func unsampledCPU(in profile: Profile) -> Int64 {
    guard let cpu = sampler.programCPU, profile.threads.contains(where: \.hasEnded) else {
      return 0
    }
    let counted = profile.threads.reduce(0) { $0 + $1.cpu }
    let missing = cpu.rawValue - counted
    return missing > max(20_000_000, cpu.rawValue / 20) ? missing : 0
  }

  /// The profile, with names, of the samples that were resolved so far; belongs to the resolver's thread.
  func snapshot(_ info: CaptureInfo, sleeps: [SleepRecord], until time: Nanoseconds) -> Profile {
    let modules = resolver.modules
    let profile = resolver.snapshot(capture: info, until: time)
    // The runtimes are the tracer's.
    let facts = CapturedProfile.LiveFacts(
      modules: modules, sleeps: sleeps, startTime: sampler.startTime, runtimes: [],
      hidesMachinery: options.frames == .mixed, locks: InterpreterLockReport())
    let captured = CapturedProfile(
      profile, names: names, collectedEnd: nil, facts: facts
    ) { files(of: $0, in: modules) }
    return names.exclusively { captured.named() }
  }

  private func liveFacts(modules: ModuleMap, sleeps: [SleepRecord]) -> CapturedProfile.LiveFacts {
    CapturedProfile.LiveFacts(
      modules: modules, sleeps: sleeps, startTime: sampler.startTime,
      runtimes: sampler.runtimes?.nativeCode ?? [], hidesMachinery: options.frames == .mixed,
      locks: sampler.runtimes?.lockReport ?? InterpreterLockReport())
  }
}
