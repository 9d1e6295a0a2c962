/// Everything that a capture saw, and all that the views need.
package struct Profile: Sendable {
  package var capture: CaptureInfo
  package var modules: [Module]
  package var threads: [ThreadInfo]
  package var stacks: StackTable
  /// The runs of each thread in the order of time; the runs of different threads mingle.
  package var runs: RunList
  /// Names and lines, indexed by `FrameID`; shorter than `stacks.frames` while names are missing.
  package var symbols: [ResolvedFrame]
  /// What threads were found to wait for, in the order of `firstSeen`: in a dump every sleeping one,
  /// in a capture those that slept long.
  package var blockings: [Blocking]
  /// The tasks of event loops that a dump found, process by process.
  package var tasks: [AsyncTasks]

  package init(
    capture: CaptureInfo, modules: [Module] = [], threads: [ThreadInfo] = [],
    stacks: StackTable = StackTable(), runs: RunList = [], symbols: [ResolvedFrame] = [],
    blockings: [Blocking] = [], tasks: [AsyncTasks] = []
  ) {
    self.capture = capture
    self.modules = modules
    self.threads = threads
    self.stacks = stacks
    self.runs = runs
    self.symbols = symbols
    self.blockings = blockings
    self.tasks = tasks
  }
}

extension Profile {
  /// Whether it is the main thread of the capture's own process.
  package func isMainThread(_ thread: Int) -> Bool {
    threads[thread].isMain && threads[thread].pid(in: capture.pid) == capture.pid
  }
}

/// A file with code that was mapped into the program.
package struct Module: Hashable, Sendable {
  /// The path as the program's own maps give it; `[vdso]` for the kernel's page.
  package let path: String
  /// Lower-case hex, nil where the file has none or could not be read.
  package let buildID: String?
  /// Why its code has no names, in words for the user; nil when it could be opened.
  package let problem: String?

  package init(path: String, buildID: String? = nil, problem: String? = nil) {
    self.path = path
    self.buildID = buildID
    self.problem = problem
  }

  /// The last part of the path.
  package var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// What a frame's address means in the source.
package struct ResolvedFrame: Hashable, Sendable {
  /// Innermost inlined function first, the function that the machine code belongs to last; at
  /// least one, also when nothing is known.
  package let lines: [SourceLine]
  package let module: ModuleID

  package init(lines: [SourceLine], module: ModuleID) {
    self.lines = lines
    self.module = module
  }

  /// A frame of which nothing is known: code is named by its address.
  package init(unknown frame: Frame) {
    switch frame {
    case .code(let code):
      self.init(
        lines: [SourceLine(function: code.address.description)], module: code.module)
    case .interpreted(let line): self.init(lines: [line], module: .anonymous)
    case .elided: self.init(lines: [SourceLine(function: "…")], module: .anonymous)
    }
  }
}

/// A function, and the place in it.
package struct SourceLine: Hashable, Sendable {
  /// Demangled; an address such as `0x4010f3` when the function is not known.
  package let function: String
  /// The name as the linker knows it, nil where it is the same or not known.
  package let linkageName: String?
  /// As the debug data gives it, compilation directory included; nil without debug data.
  package let file: String?
  /// 0 when not known.
  package let line: Int
  /// Whether the function's code was inlined into the next entry.
  package let isInlined: Bool

  package init(
    function: String, linkageName: String? = nil, file: String? = nil, line: Int = 0,
    isInlined: Bool = false
  ) {
    self.function = function
    self.linkageName = linkageName
    self.file = file
    self.line = line
    self.isInlined = isInlined
  }
}

/// For how many ticks a thread held its interpreter's lock (Python's GIL), and waited for it.
package struct InterpreterLockUse: Hashable, Sendable {
  package var held: Int64
  package var awaited: Int64
  /// All ticks at which that was known.
  package var ticks: Int64

  package init(held: Int64 = 0, awaited: Int64 = 0, ticks: Int64 = 0) {
    self.held = held
    self.awaited = awaited
    self.ticks = ticks
  }

  /// Percents of the ticks; nil without any.
  package var shares: (held: Double, awaited: Double)? {
    guard ticks > 0 else { return nil }
    let whole = Double(ticks) / 100
    return (Double(held) / whole, Double(awaited) / whole)
  }
}

/// A thread of the program, with what the kernel counted for it during the capture.
package struct ThreadInfo: Sendable {
  package let tid: Int32
  package var name: String
  /// The process that it belongs to, where threads of several were captured; nil where all belong to
  /// the capture's own.
  package var process: OwningProcess?
  /// Whether it is the first thread of its process.
  package let isMain: Bool
  /// Nanoseconds from the start of the capture to the first and to the last sample.
  package var firstSeen: Int64
  package var lastSeen: Int64
  /// CPU time during the capture, in nanoseconds.
  package var cpu: Int64
  /// Time ready to run without a CPU during the capture, in nanoseconds.
  package var delay: Int64
  /// CPU time since the thread began, in nanoseconds.
  package var cpuSinceStart: Int64
  /// The state letter of /proc at the last sample: R, S, D, T, t, Z, I; nil when never read.
  package var state: Character?
  /// The system call of the last sample, with its arguments, for `dump`; nil when it ran.
  package var systemCall: SystemCall?
  /// Whether the thread ended during the capture.
  package var hasEnded: Bool
  /// What it had of its interpreter's lock; nil when it ran no Python.
  package var lockUse: InterpreterLockUse?

  package init(
    tid: Int32, name: String, isMain: Bool, firstSeen: Int64 = 0, lastSeen: Int64 = 0,
    cpu: Int64 = 0, delay: Int64 = 0, cpuSinceStart: Int64 = 0, state: Character? = nil,
    systemCall: SystemCall? = nil, hasEnded: Bool = false, process: OwningProcess? = nil,
    lockUse: InterpreterLockUse? = nil
  ) {
    self.tid = tid
    self.name = name
    self.isMain = isMain
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.cpu = cpu
    self.delay = delay
    self.cpuSinceStart = cpuSinceStart
    self.state = state
    self.systemCall = systemCall
    self.hasEnded = hasEnded
    self.process = process
    self.lockUse = lockUse
  }

  /// The process that the thread belongs to, in a capture whose own process is `pid`.
  package func pid(in pid: Int32) -> Int32 { process?.pid ?? pid }

  /// The name by which reports call the thread: `process[pid]/thread` where there are several
  /// processes.
  package var title: String { process.map { "\($0.title)/\(name)" } ?? name }
}

/// A process of several that were captured together.
package struct OwningProcess: Hashable, Sendable {
  package let pid: Int32
  /// As `/proc/PID/comm` gives it.
  package let name: String

  package init(pid: Int32, name: String) {
    self.pid = pid
    self.name = name
  }

  /// `name[pid]`.
  package var title: String { "\(name)[\(pid)]" }
}

/// A system call in progress.
package struct SystemCall: Hashable, Sendable {
  /// The kernel's name, such as `futex`; `syscall_1234` for a number this version does not know.
  package let name: String
  /// As many as the call takes (all six for an unknown one).
  package let arguments: [UInt64]

  package init(name: String, arguments: [UInt64]) {
    self.name = name
    self.arguments = arguments
  }
}
