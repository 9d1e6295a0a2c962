/// What the kernel says a thread is doing, a letter in `/proc/PID/stat` (proc_pid_stat(5)).
package enum ThreadState: Hashable, Sendable {
  /// R: on a CPU, or ready for one.
  case running
  /// S: asleep; a signal or a stop wakes it.
  case sleeping
  /// D: asleep where nothing can interrupt it, mostly for a disk.
  case uninterruptible
  /// T: stopped by a signal.
  case stopped
  /// t: stopped by a tracer.
  case tracingStop
  /// Z: has ended, and its parent or tracer has not collected it.
  case zombie
  /// X: has ended and is about to disappear.
  case dead
  /// I: a kernel thread without work.
  case idle
  case other(UInt8)

  package init(letter: UInt8) {
    self =
      switch letter {
      case UInt8(ascii: "R"): .running
      case UInt8(ascii: "S"): .sleeping
      case UInt8(ascii: "D"): .uninterruptible
      case UInt8(ascii: "T"): .stopped
      case UInt8(ascii: "t"): .tracingStop
      case UInt8(ascii: "Z"): .zombie
      case UInt8(ascii: "X"): .dead
      case UInt8(ascii: "I"): .idle
      default: .other(letter)
      }
  }

  /// The letter in the file.
  package var letter: UInt8 {
    switch self {
    case .running: UInt8(ascii: "R")
    case .sleeping: UInt8(ascii: "S")
    case .uninterruptible: UInt8(ascii: "D")
    case .stopped: UInt8(ascii: "T")
    case .tracingStop: UInt8(ascii: "t")
    case .zombie: UInt8(ascii: "Z")
    case .dead: UInt8(ascii: "X")
    case .idle: UInt8(ascii: "I")
    case .other(let letter): letter
    }
  }

  /// Whether nothing of the thread is left but its entry.
  package var hasEnded: Bool { self == .zombie || self == .dead }
}
