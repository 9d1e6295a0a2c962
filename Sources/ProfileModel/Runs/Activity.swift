/// What a thread did when it was sampled.
package enum Activity: Hashable, Sendable {
  /// On a CPU.
  case running
  /// Runnable, but it spent most of its time since the last sample waiting for a CPU.
  case waitingForCPU
  /// Asleep in the kernel.
  case blocked(WaitReason)
  /// In uninterruptible sleep in the kernel (state D): a disk, a page fault.
  case uninterruptible(WaitReason)
  /// Stopped by a signal or by a debugger.
  case stopped
  /// Not known from the kernel.
  case unknown
}

/// Why a thread sleeps.
package struct WaitReason: Hashable, Sendable {
  /// The system call by its kernel name, such as `epoll_wait`; nil outside any system call.
  package let systemCall: String?
  /// Whether it sleeps at the lock of its interpreter, known by the address: an interpreter without symbols
  /// has no functions that say so.
  package let isInterpreterLock: Bool

  package init(systemCall: String?, isInterpreterLock: Bool = false) {
    self.systemCall = systemCall
    self.isInterpreterLock = isInterpreterLock
  }
}

extension Activity {
  /// On a CPU, or ready for one.
  package var isRunnable: Bool {
    switch self {
    case .running, .waitingForCPU: true
    case .blocked, .uninterruptible, .stopped, .unknown: false
    }
  }

  /// A word for programs, without the reason.
  package var rawName: String {
    switch self {
    case .running: "running"
    case .waitingForCPU: "waiting_for_cpu"
    case .blocked: "blocked"
    case .uninterruptible: "uninterruptible"
    case .stopped: "stopped"
    case .unknown: "unknown"
    }
  }

  /// The system call that the thread sleeps in.
  package var wait: String? {
    switch self {
    case .blocked(let reason), .uninterruptible(let reason): reason.systemCall
    case .running, .waitingForCPU, .stopped, .unknown: nil
    }
  }

  /// Whether the thread sleeps at the lock of its interpreter, where the address shows it.
  package var awaitsInterpreterLock: Bool {
    switch self {
    case .blocked(let reason): reason.isInterpreterLock
    case .uninterruptible, .running, .waitingForCPU, .stopped, .unknown: false
    }
  }

  /// Whether each sleep of it is a wait of its own: a system call that waits for a disk begins many sleeps, and who
  /// waits for an interpreter's lock wakes up every few milliseconds.
  package var isWaitPerSleep: Bool {
    switch self {
    case .blocked(let reason): !reason.isInterpreterLock
    case .uninterruptible, .running, .waitingForCPU, .stopped, .unknown: false
    }
  }

  /// The activity of that word; nil for a word that is none.
  package init?(rawName: String, wait: String?, isInterpreterLock: Bool = false) {
    switch rawName {
    case "running": self = .running
    case "waiting_for_cpu": self = .waitingForCPU
    case "blocked":
      self = .blocked(WaitReason(systemCall: wait, isInterpreterLock: isInterpreterLock))
    case "uninterruptible": self = .uninterruptible(WaitReason(systemCall: wait))
    case "stopped": self = .stopped
    case "unknown": self = .unknown
    default: return nil
    }
  }
}
