internal import LinuxProcess
internal import ProfileModel
internal import Symbolication

/// What a capture says of itself: what was missing, and what it did to the program.
enum CaptureNotes {
  /// The notes of a capture whose threads have ended, and of the ticks that were left out to keep to its
  /// plan.
  static func notes(
    of pipeline: SamplePipeline, sparing outcome: TickLoop.Outcome, by plan: SamplingPlan
  ) -> [CaptureNote] {
    notes(of: pipeline) + sparing(outcome, plan, pipeline.membership)
  }

  private static func sparing(
    _ outcome: TickLoop.Outcome, _ plan: SamplingPlan, _ membership: Membership
  ) -> [CaptureNote] {
    func skipped(_ ticks: Int64, by budget: TickBudget) -> [CaptureNote] {
      // Without its number a note is that of many processes.
      ticks > 0 ? [.skippedTicks(membership.goesOn ? nil : ticks, by: budget)] : []
    }
    return skipped(
      outcome.ticksSparedForPauses, by: .pauses(most: TimeBudget.words(plan.maxPause)))
      + skipped(
        outcome.ticksSparedForCPU, by: .cpu(most: TimeBudget.words(plan.cpuBudget.share)))
  }

  /// The notes of a capture whose threads have ended.
  static func notes(of pipeline: SamplePipeline) -> [CaptureNote] {
    let sampler = pipeline.sampler
    var notes = tracing(pipeline.target.holder, refusals: sampler.refusals.count)
    if let depth = pipeline.options.maxDepth { notes.append(.plain(depthLimit(depth))) }
    notes += threads(sampler.leftOut)
    if let note = pipeline.resolver.executions.note { notes.append(.plain(note)) }
    notes += sampler.runtimes?.problems.map { .plain($0.note) } ?? []
    if !sampler.usesSchedulerStatistics {
      notes.append(
        .plain(
          "This kernel has no scheduler statistics (schedstat): CPU times come in steps of 10 ms, and "
            + "waiting for a CPU counts as running."))
    }
    let restarted = Int(clamping: sampler.stops.restartedSystemCalls)
    if restarted > 0 { notes.append(.restartedCalls(restarted)) }
    if sampler.mappings.areOf32Bits {
      notes.append(
        .plain(
          "The program executed a 32-bit program, which sprof does not support; there are no stacks from "
            + "then on."))
    }
    let uncertain = Int(clamping: pipeline.resolver.libraries.uncertainSamples)
    if uncertain > 0 { notes.append(.uncertainSamples(uncertain)) }
    let unsampled = Int(clamping: sampler.unsampled)
    if unsampled > 0 { notes.append(.unsampledThreads(unsampled)) }
    if !SystemCallState.isShownByKernel {
      notes.append(
        .plain(
          "This kernel has no /proc/PID/syscall: sleeping threads had to be stopped for each sample."
        ))
    }
    return notes
  }

  private static func depthLimit(_ depth: Int) -> String {
    depth == 1
      ? "Callers were not captured (--no-callers): self figures are as usual, totals have only inlined "
        + "calls, and the verdict is less exact."
      : "Stacks have at most \(depth) frames (--max-depth): totals lack what callers further out called."
  }

  /// Why threads are missing, or cost more than others.
  private static func threads(_ leftOut: ThreadRoster.LeftOut) -> [CaptureNote] {
    var notes: [CaptureNote] = []
    if !leftOut.threads.isEmpty {
      let reason =
        leftOut.failure?.reason ?? "\(ThreadRequests.capacity) were being sampled already"
      notes.append("\(counted(leftOut.threads.count)) not sampled: \(reason).")
    }
    if leftOut.reopened > 0 {
      notes.append(
        .plain(
          "\(counted(leftOut.reopened)) read more slowly, by opening their files each time: sprof may "
            + "have no more than \(OpenFileLimit.current) files open (ulimit -n)."))
    }
    if OpenFileLimit.wasMet {
      notes.append(
        .plain(
          "sprof ran out of open files (ulimit -n \(OpenFileLimit.current)): names, waits or processes may "
            + "be missing."))
    }
    return notes
  }

  private static func counted(_ threads: Int) -> String {
    threads == 1 ? "1 thread was" : "\(threads) threads were"
  }

  /// Which files with code that was sampled are not those any more that the program has loaded, and which
  /// lack lines.
  static func notes(ofModulesIn profile: Profile) -> [CaptureNote] {
    let used = Set(
      profile.stacks.frames.compactMap { frame in
        if case .code(let address) = frame { Int(address.module.rawValue) } else { nil }
      })
    return used.sorted().filter { profile.modules.indices.contains($0) }
      .map { profile.modules[$0] }
      .compactMap(note)
  }

  /// Nil for a module that nothing is missing of, or that cannot have more.
  private static func note(of module: Module) -> CaptureNote? {
    guard let problem = module.problem else { return nil }
    if problem.isOfLoadedFile { return .noNames(path: module.path, problem) }
    guard case .lines(let problem) = problem else { return nil }
    return .noLines(module: module.name, problem)
  }

  /// Which module has no lines although a large part of the CPU time was spent in it.
  static func withoutLines(in profile: Profile, of modules: Set<ModuleID>) -> [CaptureNote] {
    var cpu: [ModuleID: Int64] = [:]
    var total: Int64 = 0
    var byStack: [StackID: Int64] = [:]
    for run in profile.runs where run.weight.cpu > 0 {
      total &+= run.weight.cpu
      byStack[run.stack, default: 0] &+= run.weight.cpu
    }
    for (id, time) in byStack {
      // Below interpreted functions, whose lines are known, nobody misses those of the interpreter.
      let frames = profile.stacks.frames(of: id)
      let stack = frames.map { profile.stacks[$0] }
      // Go's own tables may have had them.
      if let place = frames.first.map({ Int($0.rawValue) }),
        profile.symbols.indices.contains(place),
        profile.symbols[place].lines.contains(where: { $0.line > 0 })
      {
        continue
      }
      guard case .code(let code)? = stack.first, modules.contains(code.module),
        !stack.contains(where: { if case .interpreted = $0 { true } else { false } })
      else { continue }
      cpu[code.module, default: 0] &+= time
    }
    return cpu.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .filter { Double($0.value) >= Double(total) / 4 && total > 0 }
      .compactMap { module, _ in
        guard profile.modules.indices.contains(Int(module.rawValue)) else { return nil }
        let known = profile.modules[Int(module.rawValue)]
        return .noDebugData(module: known.name, buildID: known.buildID)
      }
  }

  /// Why running threads have no stacks, if they have none.
  private static func tracing(_ holder: Int32, refusals: Int) -> [CaptureNote] {
    if holder != 0 {
      let name = ProcessSearch.threadName(process: holder, thread: holder) ?? "?"
      return [.traced(by: name, pid: holder)]
    }
    guard refusals > 0 else { return [] }
    return [
      refusals == 1
        ? "The kernel refused to stop 1 thread, so its time on a CPU has no stacks."
        : "The kernel refused to stop \(refusals) threads, so their time on a CPU has no stacks."
    ]
  }
}
