internal import ProfileAnalysis
internal import ProfileModel

extension Activity {
  /// What the thread did, as a part of a sentence.
  var words: String {
    switch self {
    case .running: "running"
    case .waitingForCPU: "waiting for a CPU"
    case .blocked(let reason): "blocked " + reason.place
    case .uninterruptible(let reason): "in uninterruptible sleep " + reason.place
    case .stopped: "stopped by a signal or a debugger"
    case .unknown: "in an unknown state"
    }
  }

  /// The same as an entry of a table.
  var entry: String {
    switch self {
    case .running: "running"
    case .waitingForCPU: "waiting for a CPU"
    case .blocked(let reason): reason.systemCall ?? "blocked, no system call"
    case .uninterruptible(let reason): (reason.systemCall ?? "blocked") + " (uninterruptible)"
    case .stopped: "stopped"
    case .unknown: "unknown"
    }
  }
}

extension WaitReason {
  fileprivate var place: String { systemCall.map { "in " + $0 } ?? "outside any system call" }
}

extension StackEnd.Reason {
  /// Why callers are missing.
  var words: String {
    switch self {
    case .noUnwindRule: "no unwind rule and no frame pointer"
    case .unknownRegister: "the caller depends on a register that only a stop can read"
    case .copyLimit: "the stack is larger than the part that is copied"
    case .unreadable: "the stack memory could not be read"
    case .badFrame: "the next frame is invalid"
    case .frameLimit: "too many frames"
    case .depthLimit: "left out by --no-callers or --max-depth"
    case .kernelWorker: "a kernel worker runs no code of the program"
    case .unsupportedProgram: "32-bit programs are not supported"
    case .noStack: "none was captured"
    }
  }
}

extension CaptureInfo {
  /// Why the capture ended.
  var endingWords: String {
    switch ending {
    case .duration: "stopped after the requested duration"
    case .interrupted: "interrupted"
    case .targetEnded: "the program " + (programEnd?.words ?? "ended")
    case .once: "one sample"
    case .unfinished: "cut off before it finished"
    }
  }
}

extension CaptureInfo.ProgramEnd {
  fileprivate var words: String {
    switch self {
    case .exited(0): "ended"
    case .exited(let code): "exited with code \(code)"
    case .killed(let signal): "was killed by " + Self.name(ofSignal: signal)
    }
  }

  /// `SIGSEGV`; `signal 35` for a real-time signal, which has no name of its own.
  static func name(ofSignal number: Int32) -> String {
    let place = Int(number) - 1
    return signals.indices.contains(place) ? "SIG" + signals[place] : "signal \(number)"
  }

  /// By number, from 1: the same on x86-64 and arm64 (asm-generic/signal.h).
  private static let signals = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
  ]
}

extension SystemCall {
  /// The call as C would write it, arguments as numbers.
  var words: String { name + "(" + arguments.map(Self.number).joined(separator: ", ") + ")" }

  /// Small numbers in decimal, small negative ones of 32 or 64 bits signed, all others in hex.
  static func number(_ argument: UInt64) -> String {
    let small: ClosedRange<Int64> = -4096...(-1)
    let signed = Int64(bitPattern: argument)
    if small.contains(signed) { return String(signed) }
    if let half = UInt32(exactly: argument), small.contains(Int64(Int32(bitPattern: half))) {
      return String(Int32(bitPattern: half))
    }
    return argument < 0x10000 ? String(argument) : "0x" + String(argument, radix: 16)
  }
}

extension ThreadTable.Row {
  /// The row in a sentence or a heading: `thread 12 "worker"`, `31 threads "worker-*" ×31`.
  func words(_ profile: Profile) -> String {
    let quoted = "\"" + name.replacingQuotes + "\""
    guard threads.count == 1 else { return "\(threads.count) threads \(quoted)" }
    let role = isMain ? " (main)" : ""
    return "thread \(profile.threads[threads[0]].tid) \(quoted)\(role)"
  }
}

extension String {
  /// Printable, and with no `"` that could end a quoted name early.
  var replacingQuotes: String {
    PlainText.printable(
      split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\""))
  }

  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
