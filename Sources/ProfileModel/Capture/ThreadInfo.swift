/// The ticks in which a thread held its interpreter's lock (Python's GIL), and waited for it.
package struct InterpreterLockUse: Hashable, Sendable {
  /// Ticks in which the thread held the lock.
  package var held: Int64
  /// Ticks in which it waited for the lock.
  package var awaited: Int64
  /// All ticks in which that is known.
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

/// A thread of the program, with the kernel's counts for it during the capture.
package struct ThreadInfo: Sendable {
  /// The number of the thread in sprof's own PID namespace.
  package let tid: Int32
  package var name: String
  /// The process that it belongs to, in a capture of several; nil where all threads belong to the
  /// capture's own.
  package var process: OwningProcess?
  /// Whether it is the first thread of its process.
  package var isMain: Bool
  /// Nanoseconds from the start of the capture to the first and to the last sample.
  package var firstSeen: Int64
  package var lastSeen: Int64
  /// CPU time during the capture, in nanoseconds.
  package var cpu: Int64
  /// Time runnable without a CPU during the capture, in nanoseconds.
  package var delay: Int64
  /// CPU time since the thread began, in nanoseconds.
  package var cpuSinceStart: Int64
  /// The state letter of /proc at the last sample: R, S, D, T, t, Z, I; nil when never read.
  package var state: Character?
  /// The system call of the last sample, with its arguments, for `dump`; nil when it ran.
  package var systemCall: SystemCall?
  /// Whether the thread ended during the capture.
  package var hasEnded: Bool
  /// How it used its interpreter's lock; nil when it ran no Python.
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
  /// Whether it was sampled only because the program waited for it.
  package let isPeer: Bool

  package init(pid: Int32, name: String, isPeer: Bool = false) {
    self.pid = pid
    self.name = name
    self.isPeer = isPeer
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
