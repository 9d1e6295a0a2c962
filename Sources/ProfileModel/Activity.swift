/// What a thread did when it was looked at.
package enum Activity: Hashable, Sendable {
  /// On a CPU.
  case running
  /// Ready to run, but most of its time since the last sample went by waiting for a CPU.
  case waitingForCPU
  /// Asleep in the kernel.
  case blocked(WaitReason)
  /// Asleep in the kernel and not to be woken by a signal (state D): a disk, a page fault.
  case uninterruptible(WaitReason)
  /// Stopped by a signal or by a debugger.
  case stopped
  /// The kernel did not tell.
  case unknown
}

/// Why a thread sleeps.
package struct WaitReason: Hashable, Sendable {
  /// The system call by its kernel name, such as `epoll_wait`; nil outside any system call.
  package let systemCall: String?

  package init(systemCall: String?) { self.systemCall = systemCall }
}

/// How a stack ended: missing frames are said, never silently left out.
package enum StackEnd: Hashable, Sendable {
  /// The outermost frame is the thread's first one.
  case complete
  /// Complete, but a register that only a stop would have given was found by a search of the stack:
  /// very likely right, not certain.
  case inferred
  /// The unwinder could go no further.
  case truncated(Reason)

  package enum Reason: String, Hashable, Sendable {
    /// No rule to find the caller, and no frame pointer.
    case noUnwindRule
    /// The caller's frame needs a register that only a stop of a blocked thread would give.
    case unknownRegister
    /// The stack is larger than the bytes that were copied.
    case copyLimit
    /// The stack memory could not be read.
    case unreadable
    /// The next frame made no sense: not in executable memory, or not further out.
    case badFrame
    /// More frames than the unwinder accepts.
    case frameLimit
    /// Nothing is known of this thread's stack.
    case noStack
  }

  /// Whether outer frames are missing.
  package var isTruncated: Bool {
    if case .truncated = self { true } else { false }
  }
}

// MARK: - Words for programs

extension Activity {
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

  /// The activity of that word; nil for a word that is none.
  package init?(rawName: String, wait: String?) {
    switch rawName {
    case "running": self = .running
    case "waiting_for_cpu": self = .waitingForCPU
    case "blocked": self = .blocked(WaitReason(systemCall: wait))
    case "uninterruptible": self = .uninterruptible(WaitReason(systemCall: wait))
    case "stopped": self = .stopped
    case "unknown": self = .unknown
    default: return nil
    }
  }
}

extension StackEnd {
  /// A word for programs.
  package var rawName: String {
    switch self {
    case .complete: "complete"
    case .inferred: "inferred"
    case .truncated(let reason): reason.rawValue
    }
  }

  /// The end of that word; nil for a word that is none.
  package init?(rawName: String) {
    switch rawName {
    case "complete": self = .complete
    case "inferred": self = .inferred
    default:
      guard let reason = Reason(rawValue: rawName) else { return nil }
      self = .truncated(reason)
    }
  }
}
