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
        "This kernel keeps no scheduler statistics (schedstat): CPU times are in steps of 10 ms, "
          + "and waiting for a CPU is not told from running.")
    }
    if let spared, spared.ticks > 0 {
      lines.append(
        "\(spared.ticks) of the late ticks were left out to spare the program: its stops may "
          + "take \(PauseBudget.words(spared.maxPause)) of the time (--max-pause).")
    }
    let restarted = sampler.stops.restartedSystemCalls
    if restarted > 0 {
      lines.append(
        "A stop met \(restarted) system call(s) such as epoll_wait in its first microseconds; they "
          + "were started again, unseen by the program.")
    }
    if sampler.lacksSystemCallFile {
      lines.append(
        "This kernel has no /proc/PID/syscall: sleeping threads had to be stopped to be seen.")
    }
    return lines
  }

  /// Why running threads have no stacks, if they have none.
  private static func tracing(_ holder: Int32, refusals: Int) -> [String] {
    if holder != 0 {
      let name = ProcessSearch.threadName(process: holder, thread: holder) ?? "?"
      return [
        "The program is traced by \(name) (pid \(holder)), so its running threads could not be "
          + "stopped: only sleeping threads have stacks."
      ]
    }
    guard refusals > 0 else { return [] }
    return [
      "The kernel refused to stop \(refusals) thread(s): they have no stacks while they run."
    ]
  }
}
