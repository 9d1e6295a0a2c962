internal import LinuxProcess

/// What a capture says of itself: what was missing, and what it did to the program.
enum CaptureNotes {
  /// The notes of a capture whose threads have ended; `spared` says how many ticks were left out for
  /// which share of time.
  static func lines(
    of pipeline: SamplePipeline, spared: (ticks: Int64, maxPause: Double)? = nil
  ) -> [String] {
    let sampler = pipeline.sampler
    var lines = tracing(pipeline.target.holder, refusals: sampler.refusals.count)
    lines += sampler.runtimes?.problems.map(\.note) ?? []
    if !sampler.usesSchedulerStatistics {
      lines.append(
        "This kernel has no scheduler statistics (schedstat): CPU times come in steps of 10 ms, and "
          + "waiting for a CPU counts as running.")
    }
    if let spared, spared.ticks > 0 {
      lines.append(
        "\(spared.ticks) of the late ticks were skipped to spare the program: stops may take "
          + "at most \(PauseBudget.words(spared.maxPause)) of its time (--max-pause).")
    }
    let restarted = sampler.stops.restartedSystemCalls
    if restarted > 0 {
      lines.append(
        restarted == 1
          ? "1 system call was interrupted by a stop and restarted transparently."
          : "\(restarted) system calls were interrupted by a stop and restarted transparently.")
    }
    if sampler.lacksSystemCallFile {
      lines.append(
        "This kernel has no /proc/PID/syscall: sleeping threads had to be stopped for each sample.")
    }
    return lines
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
      "The kernel refused to stop \(refusals == 1 ? "1 thread" : "\(refusals) threads"), which left no "
        + "stacks of the time on a CPU."
    ]
  }
}
