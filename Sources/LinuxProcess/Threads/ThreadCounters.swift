internal import CLinux
internal import Glibc

/// What the scheduler has counted for a thread since it began (`/proc/PID/task/TID/schedstat`).
package struct ThreadCounters: Equatable, Sendable {
  /// Nanoseconds on a CPU.
  ///
  /// For a thread that runs on another CPU the kernel brings it up to date only at its timer ticks
  /// (4 ms at HZ=250); it is exact while the thread sleeps or is stopped.
  package var cpu: UInt64
  /// Nanoseconds ready to run without a CPU.
  package var delay: UInt64
  /// Times that the thread was put on a CPU: unchanged means that it has not run since.
  package var switches: UInt64

  package init(cpu: UInt64 = 0, delay: UInt64 = 0, switches: UInt64 = 0) {
    self.cpu = cpu
    self.delay = delay
    self.switches = switches
  }

  /// Whether this kernel keeps the counters: built with CONFIG_SCHED_INFO, and not switched off.
  package static func areKeptByKernel() -> Bool {
    guard let bytes = try? ProcFile.bytes(of: "/proc/self/schedstat") else { return false }
    return bytes.withUnsafeBytes { ThreadCounters(parsing: $0)?.switches ?? 0 } > 0
  }

  /// Reads the file of one thread; 3 µs, nil when the thread is gone.
  package init?(of thread: Int32, process: Int32) {
    guard let bytes = try? ProcFile.bytes(of: "/proc/\(process)/task/\(thread)/schedstat"),
      let counters = bytes.withUnsafeBytes({ ThreadCounters(parsing: $0) })
    else { return nil }
    self = counters
  }

  /// The next best without scheduler statistics.
  ///
  /// Context switches, and CPU time in clock ticks of 10 ms. Costs 20 µs; nil when the thread is
  /// gone.
  package init?(contextSwitchesOf thread: Int32, process: Int32) {
    let folder = "/proc/\(process)/task/\(thread)/"
    guard let status = try? ProcFile.read(folder + "status"),
      let stat = try? ProcFile.read(folder + "stat"), let end = stat.lastIndex(of: ")")
    else { return nil }
    var switches: UInt64 = 0
    for line in status.split(separator: "\n") where line.contains("_ctxt_switches:") {
      switches += line.split(separator: "\t").last.flatMap { UInt64($0) } ?? 0
    }
    // utime and stime are fields 14 and 15 (proc(5)), 11 and 12 behind the name.
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else {
      return nil
    }
    let tick = UInt64(1_000_000_000 / max(1, sysconf(Int32(_SC_CLK_TCK))))
    self.init(cpu: (user &+ system) &* tick, delay: 0, switches: switches)
  }

  /// Reads `cpu delay switches`; nil when it is not of that form.
  package init?(parsing text: UnsafeRawBufferPointer) {
    var scanner = NumberScanner(text)
    guard let cpu = scanner.decimal(), let delay = scanner.decimal(),
      let switches = scanner.decimal()
    else { return nil }
    self.init(cpu: cpu, delay: delay, switches: switches)
  }
}

/// What `/proc/PID/task/TID/syscall` tells of a thread, without a stop.
package enum SystemCallState: Equatable, Sendable {
  /// On a CPU, or ready for one.
  case running
  /// Asleep in system call `number` (-1: in the kernel for another reason, such as a page fault),
  /// where its user registers SP and PC are known.
  case asleep(number: Int32, arguments: InlineArray<6, UInt64>, stackPointer: UInt64, pc: UInt64)
  /// The kernel did not say: the file is missing, forbidden, or the thread has no user stack.
  case unavailable

  package static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.running, .running), (.unavailable, .unavailable): true
    case (.asleep(let n1, let a1, let s1, let p1), .asleep(let n2, let a2, let s2, let p2)):
      n1 == n2 && s1 == s2 && p1 == p2 && (0..<6).allSatisfy { a1[$0] == a2[$0] }
    default: false
    }
  }

  /// Reads one line of the file.
  package init(parsing text: UnsafeRawBufferPointer) {
    guard let first = text.first, first != UInt8(ascii: "r") else {
      self = text.isEmpty ? .unavailable : .running
      return
    }
    var scanner = NumberScanner(text)
    var arguments = InlineArray<6, UInt64>(repeating: 0)
    var number: Int32 = -1
    if first == UInt8(ascii: "-") {
      scanner.skipWord()
    } else {
      guard let decimal = scanner.decimal(), let small = Int32(exactly: decimal) else {
        self = .unavailable
        return
      }
      number = small
      for index in 0..<6 {
        guard let argument = scanner.hexadecimal() else {
          self = .unavailable
          return
        }
        arguments[index] = argument
      }
    }
    guard let stackPointer = scanner.hexadecimal(), let pc = scanner.hexadecimal(), pc != 0 else {
      // "-1 0x0 0x0": a thread without a user stack, such as an io_uring worker.
      self = .unavailable
      return
    }
    self = .asleep(number: number, arguments: arguments, stackPointer: stackPointer, pc: pc)
  }
}

/// Reads numbers out of a line of `/proc` without allocating.
struct NumberScanner {
  private let text: UnsafeRawBufferPointer
  private var position = 0

  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  private mutating func skipSpaces() {
    while position < text.count, text[position] == UInt8(ascii: " ") { position += 1 }
  }

  mutating func skipWord() {
    skipSpaces()
    while position < text.count, text[position] > UInt8(ascii: " ") { position += 1 }
  }

  mutating func decimal() -> UInt64? {
    skipSpaces()
    var value: UInt64 = 0
    let start = position
    while position < text.count, case let digit = text[position] &- UInt8(ascii: "0"), digit < 10 {
      value = value &* 10 &+ UInt64(digit)
      position += 1
    }
    return position > start && position - start <= 20 ? value : nil
  }

  mutating func hexadecimal() -> UInt64? {
    skipSpaces()
    guard position + 2 < text.count, text[position] == UInt8(ascii: "0"),
      text[position + 1] == UInt8(ascii: "x")
    else { return nil }
    position += 2
    var value: UInt64 = 0
    let start = position
    while position < text.count {
      let byte = text[position]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return position > start ? value : nil
      }
      guard position - start < 16 else { return nil }
      value = value << 4 | UInt64(digit)
      position += 1
    }
    return position > start ? value : nil
  }
}
