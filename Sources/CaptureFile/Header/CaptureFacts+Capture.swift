internal import ProfileModel

extension CaptureFacts {
  struct Capture: Codable {
    var kind: String
    var pid: Int32
    var process: String
    var executable: String?
    var commandLine: [String]
    var host: String
    var kernel: String
    var startTime: Double
    var duration: Int64
    var rate: Double
    var seed: UInt32?
    /// How many CPUs the program may run on.
    var processors: Int?
    /// The most frames of a stack that were to be kept.
    var maxDepth: Int?
    var ending: String
    /// How the program ended, where that is known: one of the two.
    var exitCode, exitSignal: Int32?
    var cost: Cost
    /// What has no sample, where there is such.
    var unsampledThreads, unsampledProcesses: Int?
    var unsampledCPU: Int64?
    /// What a flight recorder has kept it for.
    var freezes: [Freeze]?
    /// How the program's windows answered pings.
    var windows: [Window]?
    var notes: [String]
    /// Missing for no, as in captures of older versions.
    var knowsUnseenSleeps: Bool?

    enum CodingKeys: String, CodingKey {
      case kind, pid, process, executable, host, kernel, ending, cost, freezes, windows, notes
      case seed
      case processors = "cpus"
      case maxDepth = "max_depth"
      case commandLine = "command_line"
      case startTime = "start_time"
      case duration = "duration_ns"
      case rate = "rate_hz"
      case exitCode = "exit_code"
      case exitSignal = "exit_signal"
      case unsampledThreads = "unsampled_threads"
      case unsampledProcesses = "unsampled_processes"
      case unsampledCPU = "unsampled_cpu_ns"
      case knowsUnseenSleeps = "knows_unseen_sleeps"
    }

    init(_ info: CaptureInfo) {
      kind = info.kind.rawValue
      pid = info.pid
      process = info.processName
      executable = info.executable
      commandLine = info.commandLine
      host = info.hostName
      kernel = info.kernel
      startTime = info.startTime.isFinite ? info.startTime : 0
      duration = info.duration
      rate = info.rate.isFinite ? info.rate : 0
      seed = info.seed
      processors = info.processors
      maxDepth = info.maxDepth
      ending = info.ending.rawValue
      switch info.programEnd {
      case .exited(let code): exitCode = code
      case .killed(let signal): exitSignal = signal
      case nil: break
      }
      cost = Cost(info.cost)
      if info.unsampled.threads > 0 { unsampledThreads = info.unsampled.threads }
      if info.unsampled.processes > 0 { unsampledProcesses = info.unsampled.processes }
      if info.unsampled.cpu > 0 { unsampledCPU = info.unsampled.cpu }
      if !info.freezes.isEmpty { freezes = info.freezes.map { Freeze($0) } }
      if !info.windows.isEmpty { windows = info.windows.map { Window($0) } }
      notes = info.notes.map(\.words)
      if info.knowsUnseenSleeps { knowsUnseenSleeps = true }
    }

    /// The facts; words that this version does not know become the nearest that it knows.
    var info: CaptureInfo {
      var info = CaptureInfo(
        kind: CaptureInfo.Kind(rawValue: kind) ?? .attach, pid: pid, processName: process,
        executable: executable, commandLine: commandLine, hostName: host, kernel: kernel,
        startTime: startTime, duration: duration, rate: rate,
        ending: CaptureInfo.Ending(rawValue: ending) ?? .unfinished,
        programEnd: exitSignal.map { .killed(signal: $0) } ?? exitCode.map { .exited($0) },
        cost: cost.cost,
        unsampled: CaptureInfo.Unsampled(
          threads: max(0, unsampledThreads ?? 0), processes: max(0, unsampledProcesses ?? 0),
          cpu: max(0, unsampledCPU ?? 0)),
        notes: notes.map { CaptureNote(text: $0) })
      info.seed = seed
      info.processors = processors.flatMap { $0 > 0 ? $0 : nil }
      info.knowsUnseenSleeps = knowsUnseenSleeps ?? false
      info.freezes = (freezes ?? []).map(\.freeze)
      info.windows = (windows ?? []).map(\.window)
      info.maxDepth = maxDepth.flatMap { $0 > 0 ? $0 : nil }
      return info
    }
  }

  /// A freeze that the capture was kept for.
  struct Freeze: Codable {
    var tid: Int32
    var start, end, threshold: Int64
    var isOver: Bool
    /// Missing for no.
    var beganBefore: Bool?

    enum CodingKeys: String, CodingKey {
      case tid
      case start = "start_ns"
      case end = "end_ns"
      case threshold = "threshold_ns"
      case isOver = "over"
      case beganBefore = "began_before"
    }

    init(_ freeze: RecordedFreeze) {
      tid = freeze.tid
      start = freeze.start
      end = freeze.end
      threshold = freeze.threshold
      isOver = freeze.isOver
      if freeze.beganBefore { beganBefore = true }
    }

    var freeze: RecordedFreeze {
      RecordedFreeze(
        tid: tid, start: start, end: end, isOver: isOver, beganBefore: beganBefore ?? false,
        threshold: threshold)
    }
  }

  /// A window that was pinged.
  struct Window: Codable {
    var title: String
    var sent, answered: Int
    var slowest: Int64
    var unanswered: Int64?

    enum CodingKeys: String, CodingKey {
      case title, sent, answered
      case slowest = "slowest_ns"
      case unanswered = "unanswered_ns"
    }

    init(_ window: PingedWindow) {
      (title, sent, answered) = (window.title, window.sent, window.answered)
      (slowest, unanswered) = (window.slowest, window.unanswered)
    }

    /// The window, without counts that cannot be.
    var window: PingedWindow {
      let sent = max(0, sent)
      return PingedWindow(
        title: title, sent: sent, answered: min(max(0, answered), sent), slowest: max(0, slowest),
        unanswered: unanswered.map { max(0, $0) })
    }
  }

  struct Cost: Codable {
    var ticksPlanned, ticksTaken, ticksLate, samplesWithoutStop, stops: Int64
    var pauseMedian, pause99, pauseMax, stopped, ownCPU, samplesDropped: Int64

    enum CodingKeys: String, CodingKey {
      case stops
      case ticksPlanned = "ticks_planned"
      case ticksTaken = "ticks_taken"
      case ticksLate = "ticks_late"
      case samplesWithoutStop = "looks_without_stop"
      case pauseMedian = "pause_p50_ns"
      case pause99 = "pause_p99_ns"
      case pauseMax = "pause_max_ns"
      case stopped = "stopped_ns"
      case ownCPU = "own_cpu_ns"
      case samplesDropped = "looks_dropped"
    }

    init(_ cost: CaptureCost) {
      ticksPlanned = cost.ticksPlanned
      ticksTaken = cost.ticksTaken
      ticksLate = cost.ticksLate
      samplesWithoutStop = cost.samplesWithoutStop
      stops = cost.stops
      pauseMedian = cost.pauseMedian
      pause99 = cost.pause99
      pauseMax = cost.pauseMax
      stopped = cost.stoppedTime
      ownCPU = cost.ownCPU
      samplesDropped = cost.samplesDropped
    }

    var cost: CaptureCost {
      var cost = CaptureCost()
      cost.ticksPlanned = ticksPlanned
      cost.ticksTaken = ticksTaken
      cost.ticksLate = ticksLate
      cost.samplesWithoutStop = samplesWithoutStop
      cost.stops = stops
      cost.pauseMedian = pauseMedian
      cost.pause99 = pause99
      cost.pauseMax = pauseMax
      cost.stoppedTime = stopped
      cost.ownCPU = ownCPU
      cost.samplesDropped = samplesDropped
      return cost
    }
  }
}
