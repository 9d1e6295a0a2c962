/// What was captured, how, and what it cost: the facts about a capture as a whole.
package struct CaptureInfo: Sendable {
  package enum Kind: String, Sendable {
    /// Sampled for a time.
    case attach
    /// Started by sprof, and sampled from its first instruction on.
    case run
    /// Looked at once.
    case dump
    /// Made by another tool and read from its file.
    case imported
  }

  /// Why the capture ended.
  package enum Ending: String, Sendable {
    case duration
    case interrupted
    case targetEnded
    /// A dump has no duration to run through.
    case once
    /// sprof was ended before the capture was, or the capture still goes on.
    case unfinished
  }

  /// How a program ended.
  package enum ProgramEnd: Hashable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  package var kind: Kind
  package var pid: Int32
  /// The process name as `/proc/PID/comm` gives it.
  package var processName: String
  package var executable: String?
  package var commandLine: [String]
  package var hostName: String
  package var kernel: String
  /// Seconds since 1970 when the capture began.
  package var startTime: Double
  /// Nanoseconds from the first to the last tick.
  package var duration: Int64
  /// Ticks per second that were asked for; 0 for a dump.
  package var rate: Double
  package var ending: Ending
  /// How the program ended; known only of one that sprof started.
  package var programEnd: ProgramEnd?
  package var cost: CaptureCost
  /// What the user should know about how the capture was made.
  ///
  /// A tracer that holds the program, a kernel without schedstat, threads that could not be read.
  /// Whole sentences.
  package var notes: [String]

  package init(
    kind: Kind, pid: Int32, processName: String, executable: String? = nil,
    commandLine: [String] = [], hostName: String = "", kernel: String = "", startTime: Double = 0,
    duration: Int64 = 0, rate: Double = 0, ending: Ending = .duration,
    programEnd: ProgramEnd? = nil, cost: CaptureCost = CaptureCost(), notes: [String] = []
  ) {
    self.kind = kind
    self.pid = pid
    self.processName = processName
    self.executable = executable
    self.commandLine = commandLine
    self.hostName = hostName
    self.kernel = kernel
    self.startTime = startTime
    self.duration = duration
    self.rate = rate
    self.ending = ending
    self.programEnd = programEnd
    self.cost = cost
    self.notes = notes
  }
}

/// What a capture cost the program, and sprof itself.
package struct CaptureCost: Sendable {
  /// Timer periods in the capture.
  package var ticksPlanned: Int64 = 0
  /// Ticks in which the threads were looked at.
  package var ticksTaken: Int64 = 0
  /// Ticks that began more than half a period late, the periods missed altogether included.
  package var ticksLate: Int64 = 0
  /// Looks at a thread that needed no stop: it had not run, or its sleeping stack was copied.
  package var samplesWithoutStop: Int64 = 0
  /// Stops of one thread.
  package var stops: Int64 = 0
  /// Length of a stop as the thread feels it, from the request to the release, in nanoseconds.
  package var pauseMedian: Int64 = 0
  package var pause99: Int64 = 0
  package var pauseMax: Int64 = 0
  /// Time in which at least one thread was held, in nanoseconds.
  package var stoppedTime: Int64 = 0
  /// CPU time of sprof itself during the capture, in nanoseconds.
  package var ownCPU: Int64 = 0
  /// Looks that got lost because the resolver could not keep up.
  package var samplesDropped: Int64 = 0

  package init() {}

  /// The part of the capture's wall time in which at least one thread was held, 0 to 1.
  package func stoppedShare(of duration: Int64) -> Double {
    duration > 0 ? Double(stoppedTime) / Double(duration) : 0
  }
}
