/// The facts about a capture as a whole: what was captured, how, and what it cost.
package struct CaptureInfo: Sendable {
  /// How the profile was made; the raw values are words for programs.
  package enum Kind: String, Sendable {
    /// A running program, sampled for a time.
    case attach
    /// A freeze of a running program, with the time before and after it.
    case watch
    /// Started by sprof, and sampled from its first instruction on.
    case run
    /// One sample of each thread.
    case dump
    /// Made by another tool and read from its file.
    case imported

    /// Whether its samples were taken at times, and are in their order.
    package var hasTimes: Bool {
      switch self {
      case .attach, .watch, .run: true
      case .dump, .imported: false
      }
    }
  }

  /// Why the capture ended.
  package enum Ending: String, Sendable {
    case duration
    case interrupted
    case targetEnded
    /// A dump has no duration to run through.
    case once
    /// sprof ended before the capture did, or the capture still goes on.
    case unfinished
  }

  /// How a program ended.
  package enum ProgramEnd: Hashable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// What the capture should have, and has no sample of; a note says why.
  package struct Unsampled: Hashable, Sendable {
    package var threads: Int
    /// Of a capture of many processes.
    package var processes: Int
    /// CPU time that the kernel counts for the process and no thread has, in nanoseconds: threads used it
    /// after their last sample, or lived between two.
    package var cpu: Int64

    package init(threads: Int = 0, processes: Int = 0, cpu: Int64 = 0) {
      self.threads = threads
      self.processes = processes
      self.cpu = cpu
    }
  }

  package var kind: Kind
  /// The main process, by its number in sprof's own PID namespace.
  package var pid: Int32
  /// The process name as `/proc/PID/comm` gives it.
  package var processName: String
  package var executable: String?
  package var commandLine: [String]
  package var hostName: String
  /// The release of the kernel; empty when not known.
  package var kernel: String
  /// Seconds since 1970 when the capture began.
  package var startTime: Double
  /// Nanoseconds from the start to the end of the last tick's period.
  package var duration: Int64
  /// Ticks per second that were asked for; 0 for a dump.
  package var rate: Double
  /// How many CPUs the program may run on; nil where that is not known.
  package var processors: Int?
  /// What the random times of the ticks followed from; nil where each fell in the middle of its period,
  /// and where that is not known.
  package var seed: UInt32?
  /// The most frames of a stack that were to be kept, 1 for no callers; nil for all of them.
  package var maxDepth: Int?
  package var ending: Ending
  /// How the program ended; known only of one that sprof started.
  package var programEnd: ProgramEnd?
  package var cost: CaptureCost
  /// Whether its runs are in the order of time and tell of sleeps between samples
  /// (`Run.unseenSleeps`).
  package var knowsUnseenSleeps = false
  package var unsampled: Unsampled
  /// The freezes for which it was kept; none unless a flight recorder made it.
  package var freezes: [RecordedFreeze] = []
  /// The program's windows and how they answered pings; none unless that was asked for.
  package var windows: [PingedWindow] = []
  /// What the user should know about how the capture was made: a tracer that holds the program, a kernel
  /// without schedstat, threads that could not be read.
  package var notes: [CaptureNote]

  package init(
    kind: Kind, pid: Int32, processName: String, executable: String? = nil,
    commandLine: [String] = [], hostName: String = "", kernel: String = "", startTime: Double = 0,
    duration: Int64 = 0, rate: Double = 0, ending: Ending = .duration,
    programEnd: ProgramEnd? = nil, cost: CaptureCost = CaptureCost(),
    unsampled: Unsampled = Unsampled(), notes: [CaptureNote] = []
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
    self.unsampled = unsampled
    self.notes = notes
  }
}
