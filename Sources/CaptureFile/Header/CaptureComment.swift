internal import FoundationEssentials
internal import ProfileModel

/// What pprof has no field for, as one `comment` line of a capture: `sprof:v1 ` and a JSON object.
///
/// docs/capture.md describes it.
struct CaptureComment: Codable {
  static let prefix = "sprof:v1 "

  /// The version of sprof that wrote the file.
  var version: String?
  /// Whether the capture came to its end; false in a file that grows.
  var complete: Bool?
  var capture: Capture?
  var progress: Progress?
  var threads: [Thread]?
  /// Why modules have no names, by the number of their mapping from 0.
  var problems: [Problem]?
  var waits: [Waiting]?
  var tasks: Tasks?

  init() {}

  /// Reads a comment line; nil for one that sprof did not write.
  init?(line: String) throws(CaptureFileError) {
    guard line.hasPrefix(Self.prefix) else { return nil }
    do {
      let data = Data(line.utf8.dropFirst(Self.prefix.utf8.count))
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch {
      throw .damaged(.header)
    }
  }

  var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    // Numbers that JSON cannot write are made finite before.
    let data = (try? encoder.encode(self)) ?? Data("{}".utf8)
    return Self.prefix + String(decoding: data, as: UTF8.self)
  }

  /// How far a capture is whose file still grows.
  struct Progress: Codable {
    var duration, ticksPlanned, ticksTaken, stopped: Int64

    enum CodingKeys: String, CodingKey {
      case duration = "duration_ns"
      case ticksPlanned = "ticks_planned"
      case ticksTaken = "ticks_taken"
      case stopped = "stopped_ns"
    }
  }

  struct Problem: Codable {
    var module: Int
    var problem: String
  }
}

// MARK: - The capture

extension CaptureComment {
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
    var ending: String
    /// How the program ended, where that is known: one of the two.
    var exitCode, exitSignal: Int32?
    var cost: Cost
    var notes: [String]

    enum CodingKeys: String, CodingKey {
      case kind, pid, process, executable, host, kernel, ending, cost, notes
      case commandLine = "command_line"
      case startTime = "start_time"
      case duration = "duration_ns"
      case rate = "rate_hz"
      case exitCode = "exit_code"
      case exitSignal = "exit_signal"
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
      ending = info.ending.rawValue
      switch info.programEnd {
      case .exited(let code): exitCode = code
      case .killed(let signal): exitSignal = signal
      case nil: break
      }
      cost = Cost(info.cost)
      notes = info.notes
    }

    /// The facts again; words that this version does not know become the nearest that it does.
    var info: CaptureInfo {
      CaptureInfo(
        kind: CaptureInfo.Kind(rawValue: kind) ?? .attach, pid: pid, processName: process,
        executable: executable, commandLine: commandLine, hostName: host, kernel: kernel,
        startTime: startTime, duration: duration, rate: rate,
        ending: CaptureInfo.Ending(rawValue: ending) ?? .unfinished,
        programEnd: exitSignal.map { .killed(signal: $0) } ?? exitCode.map { .exited($0) },
        cost: cost.cost, notes: notes)
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

// MARK: - Threads

extension CaptureComment {
  struct Thread: Codable {
    var index: Int
    var tid: Int32
    var name: String
    var main: Bool
    var firstSeen, lastSeen, cpu, delay, cpuSinceStart: Int64
    var state: String?
    var call: String?
    var arguments: [UInt64]?
    var ended: Bool
    /// The process, where there are several.
    var pid: Int32?
    var process: String?
    /// Ticks at which it held Python's lock, waited for it, and at which that was known.
    var lockHeld, lockAwaited, lockTicks: Int64?

    enum CodingKeys: String, CodingKey {
      case index, tid, name, main, state, call, arguments, ended, pid, process
      case lockHeld = "gil_held_ticks"
      case lockAwaited = "gil_awaited_ticks"
      case lockTicks = "gil_ticks"
      case firstSeen = "first_seen_ns"
      case lastSeen = "last_seen_ns"
      case cpu = "cpu_ns"
      case delay = "delay_ns"
      case cpuSinceStart = "cpu_since_start_ns"
    }

    init(_ index: Int, _ info: ThreadInfo) {
      self.index = index
      tid = info.tid
      name = info.name
      main = info.isMain
      firstSeen = info.firstSeen
      lastSeen = info.lastSeen
      cpu = info.cpu
      delay = info.delay
      cpuSinceStart = info.cpuSinceStart
      state = info.state.map { String($0) }
      call = info.systemCall?.name
      arguments = info.systemCall?.arguments
      ended = info.hasEnded
      pid = info.process?.pid
      process = info.process?.name
      lockHeld = info.lockUse?.held
      lockAwaited = info.lockUse?.awaited
      lockTicks = info.lockUse?.ticks
    }

    var info: ThreadInfo {
      ThreadInfo(
        tid: tid, name: name, isMain: main, firstSeen: firstSeen, lastSeen: lastSeen, cpu: cpu,
        delay: delay, cpuSinceStart: cpuSinceStart, state: state?.first,
        systemCall: call.map { SystemCall(name: $0, arguments: arguments ?? []) },
        hasEnded: ended, process: pid.map { OwningProcess(pid: $0, name: process ?? "") },
        lockUse: lockUse)
    }

    private var lockUse: InterpreterLockUse? {
      guard let lockTicks, lockTicks > 0 else { return nil }
      let part = { (ticks: Int64?) in min(max(0, ticks ?? 0), lockTicks) }
      return InterpreterLockUse(
        held: part(lockHeld), awaited: part(lockAwaited), ticks: lockTicks)
    }
  }
}
