internal import LinuxProcess
internal import ProfileModel
internal import Symbolication

/// What a capture says of itself: what was missing, and what it did to the program.
enum CaptureNotes {
  /// The notes of a capture whose threads have ended, and of the ticks that were left out to keep to its
  /// plan.
  static func lines(
    of pipeline: SamplePipeline, sparing outcome: TickLoop.Outcome, by plan: SamplingPlan
  ) -> [String] {
    lines(of: pipeline) + sparing(outcome, plan, pipeline.membership)
  }

  private static func sparing(
    _ outcome: TickLoop.Outcome, _ plan: SamplingPlan, _ membership: Membership
  ) -> [String] {
    // Without its number a note is that of many processes.
    func skipped(_ ticks: Int64) -> String {
      membership.goesOn ? "Ticks were skipped" : "\(ticks)\(CountedNote.lateTicks)"
    }
    var lines: [String] = []
    if outcome.ticksSparedForPauses > 0 {
      lines.append(
        "\(skipped(outcome.ticksSparedForPauses)) to spare the program: stops may take at most "
          + "\(TimeBudget.words(plan.maxPause)) of its time (--max-pause).")
    }
    if outcome.ticksSparedForCPU > 0 {
      lines.append(
        "\(skipped(outcome.ticksSparedForCPU)) to spare the machine: sprof may use at most "
          + "\(TimeBudget.words(plan.cpuBudget.share)) of a core to sample (--max-cpu).")
    }
    return lines
  }

  /// The notes of a capture whose threads have ended.
  static func lines(of pipeline: SamplePipeline) -> [String] {
    let sampler = pipeline.sampler
    var lines = tracing(pipeline.target.holder, refusals: sampler.refusals.count)
    if let depth = pipeline.options.maxDepth { lines.append(depthLimit(depth)) }
    lines += threads(sampler.leftOut)
    lines += sampler.runtimes?.problems.map(\.note) ?? []
    if !sampler.usesSchedulerStatistics {
      lines.append(
        "This kernel has no scheduler statistics (schedstat): CPU times come in steps of 10 ms, and "
          + "waiting for a CPU counts as running.")
    }
    lines += CountedNote.restarted.words(Int(clamping: sampler.stops.restartedSystemCalls))
    if sampler.mappings.areOf32Bits {
      lines.append(
        "The program executed a 32-bit program, which sprof does not support; there are no stacks from "
          + "then on.")
    }
    lines += CountedNote.uncertain.words(
      Int(clamping: pipeline.resolver.libraries.uncertainSamples))
    lines += CountedNote.unsampled.words(Int(clamping: sampler.unsampled))
    if !SystemCallState.isShownByKernel {
      lines.append(
        "This kernel has no /proc/PID/syscall: sleeping threads had to be stopped for each sample.")
    }
    return lines
  }

  private static func depthLimit(_ depth: Int) -> String {
    depth == 1
      ? "Callers were not captured (--no-callers): self figures are as usual, totals have only inlined "
        + "calls, and the verdict is less exact."
      : "Stacks have at most \(depth) frames (--max-depth): totals lack what callers further out called."
  }

  /// Why threads are missing, or cost more than others.
  private static func threads(_ leftOut: ThreadRoster.LeftOut) -> [String] {
    var lines: [String] = []
    if !leftOut.threads.isEmpty {
      let reason =
        leftOut.failure?.reason ?? "\(ThreadRequests.capacity) were being sampled already"
      lines.append("\(counted(leftOut.threads.count)) not sampled: \(reason).")
    }
    if leftOut.reopened > 0 {
      lines.append(
        "\(counted(leftOut.reopened)) read more slowly, by opening their files each time: sprof may "
          + "have no more than \(OpenFileLimit.current) files open (ulimit -n).")
    }
    if OpenFileLimit.wasMet {
      lines.append(
        "sprof ran out of open files (ulimit -n \(OpenFileLimit.current)): names, waits or processes may "
          + "be missing.")
    }
    return lines
  }

  private static func counted(_ threads: Int) -> String {
    threads == 1 ? "1 thread was" : "\(threads) threads were"
  }

  /// Which files with code that was sampled are not those any more that the program has loaded.
  static func lines(ofModulesIn profile: Profile) -> [String] {
    let used = Set(
      profile.stacks.frames.compactMap { frame in
        if case .code(let address) = frame { Int(address.module.rawValue) } else { nil }
      })
    return used.sorted().filter { profile.modules.indices.contains($0) }
      .map { profile.modules[$0] }
      .compactMap(line)
  }

  /// Nil for a module that nothing is missing of, or that cannot have more.
  private static func line(of module: Module) -> String? {
    guard let problem = module.problem else { return nil }
    if [Module.changedFile, Module.replacedFile, Module.deletedFile].contains(problem) {
      return "Functions of \(module.path) are shown as addresses: \(problem)."
    }
    return Symbolizer.isAboutLines(problem) ? "\(module.name): \(problem)." : nil
  }

  /// Which module has no lines although a large part of the CPU time was spent in it.
  static func linesMissing(in profile: Profile, of modules: Set<ModuleID>) -> [String] {
    var cpu: [ModuleID: Int64] = [:]
    var total: Int64 = 0
    var byStack: [StackID: Int64] = [:]
    for run in profile.runs where run.weight.cpu > 0 {
      total &+= run.weight.cpu
      byStack[run.stack, default: 0] &+= run.weight.cpu
    }
    for (id, time) in byStack {
      // Below interpreted functions, whose lines are known, nobody misses those of the interpreter.
      let stack = profile.stacks.frames(of: id).map { profile.stacks[$0] }
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
        let id = known.buildID.map { " for build-id \($0)" } ?? ""
        return
          "\(known.name) has no lines: it has no debug data, and no debug file\(id) was found. "
          + "With its debug package, sprof symbols adds them to a capture."
      }
  }

  /// Why running threads have no stacks, if they have none.
  private static func tracing(_ holder: Int32, refusals: Int) -> [String] {
    if holder != 0 {
      let name = ProcessSearch.threadName(process: holder, thread: holder) ?? "?"
      return [
        "The program is traced by \(name) (pid \(holder)), so its running threads could not be "
          + "stopped; only sleeping threads have stacks."
      ]
    }
    guard refusals > 0 else { return [] }
    return [
      refusals == 1
        ? "The kernel refused to stop 1 thread, so its time on a CPU has no stacks."
        : "The kernel refused to stop \(refusals) threads, so their time on a CPU has no stacks."
    ]
  }
}
