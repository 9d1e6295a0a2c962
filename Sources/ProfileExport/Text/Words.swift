internal import ProfileAnalysis
internal import ProfileModel

/// Numbers as the reports write them.
enum Figures {
  /// A number with a fixed count of decimals; what is not a number counts as 0.
  static func fixed(_ value: Double, decimals: Int) -> String {
    let scaled = scaled(value, decimals: decimals)
    let digits = String(scaled.magnitude)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = scaled < 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// The number in units of its last decimal: 0 for one that shows as zero.
  static func scaled(_ value: Double, decimals: Int) -> Int64 {
    let scale = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
    let bounded = value.isFinite ? min(max(value, -1e12), 1e12) : 0
    return Int64((bounded * scale).rounded())
  }

  /// Nanoseconds as seconds without their unit.
  static func seconds(_ nanoseconds: Int64, decimals: Int = 3) -> String {
    fixed(Double(nanoseconds) / 1e9, decimals: decimals)
  }

  /// Nanoseconds in the unit that suits them: `850 ns`, `12.3 µs`, `4.0 ms`, `10.00 s`.
  static func duration(_ nanoseconds: Int64) -> String {
    let value = Double(nanoseconds)
    switch nanoseconds.magnitude {
    case ..<1_000: return "\(nanoseconds) ns"
    case ..<999_950: return fixed(value / 1e3, decimals: 1) + " µs"
    case ..<999_950_000: return fixed(value / 1e6, decimals: 1) + " ms"
    default: return fixed(value / 1e9, decimals: 2) + " s"
    }
  }

  /// A share of 0 to 1 in percent, one decimal; something that is not nothing never shows as `0.0`.
  static func percent(_ share: Double) -> String {
    let percent = share * 100
    return percent > 0 && percent < 0.05 ? "<0.1" : fixed(percent, decimals: 1)
  }

  /// A part of a whole in percent without the sign; `-` when there is no whole.
  static func percent(_ part: Int64, of whole: Int64) -> String {
    whole > 0 ? fixed(Double(part) / Double(whole) * 100, decimals: 1) : "-"
  }

  /// `1 stop`, `2 stops`.
  static func count(_ number: Int64, _ noun: String, plural: String? = nil) -> String {
    "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
  }

  /// A rate without needless decimals: `100`, `2.5`.
  static func plain(_ value: Double) -> String {
    let text = fixed(value, decimals: 2)
    return text.hasSuffix(".00")
      ? String(text.dropLast(3)) : text.hasSuffix("0") ? String(text.dropLast()) : text
  }
}

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
    case .blocked(let reason): reason.systemCall ?? "asleep, no system call"
    case .uninterruptible(let reason): (reason.systemCall ?? "asleep") + " (uninterruptible)"
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
    case .noUnwindRule: "no rule to find the caller, and no frame pointer"
    case .unknownRegister: "the next frame needs a register that only a stop would give"
    case .copyLimit: "the stack is larger than what was copied of it"
    case .unreadable: "the stack memory could not be read"
    case .badFrame: "the next frame made no sense"
    case .frameLimit: "more frames than sprof follows"
    case .noStack: "nothing is known of this thread's stack"
    }
  }
}

extension CaptureInfo {
  /// Why the capture ended.
  var endingWords: String {
    switch ending {
    case .duration: "ended after the time asked for"
    case .interrupted: "ended by an interrupt"
    case .targetEnded: "ended because the program " + (programEnd?.words ?? "ended")
    case .once: "one look"
    case .unfinished: "cut off before its end"
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

  /// `SIGSEGV`; `signal 35` for one of real time, whose names are each program's own.
  static func name(ofSignal number: Int32) -> String {
    let place = Int(number) - 1
    return signals.indices.contains(place) ? "SIG" + signals[place] : "signal \(number)"
  }

  /// By number, from 1: the same on x86-64 and arm64.
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
