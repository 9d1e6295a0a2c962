/// How a stack ended: a stack says so when frames are missing.
package enum StackEnd: Hashable, Sendable {
  /// The outermost frame is the thread's first one.
  case complete
  /// Complete, but a register that only a stop would have given comes from a search of the stack:
  /// very likely right, not certain.
  case inferred
  /// The unwinder could go no further.
  case truncated(Reason)

  /// Why frames are missing; the raw values are words for programs.
  package enum Reason: String, Hashable, Sendable {
    /// No rule to find the caller, and no frame pointer.
    case noUnwindRule
    /// The caller's frame needs a register of a blocked thread that only a stop would give.
    case unknownRegister
    /// The stack is larger than the bytes that were copied.
    case copyLimit
    /// The stack memory could not be read.
    case unreadable
    /// The next frame makes no sense: it is not in executable memory, or not further out.
    case badFrame
    /// More frames than the unwinder accepts.
    case frameLimit
    /// The capture was to keep no more callers.
    case depthLimit
    /// The thread does the kernel's work, such as io_uring's, and has no stack of the program.
    case kernelWorker
    /// The program is not one of 64 bits.
    case unsupportedProgram
    /// Nothing is known of this thread's stack.
    case noStack
  }

  /// Whether outer frames are missing.
  package var isTruncated: Bool {
    if case .truncated = self { true } else { false }
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
