internal import CLinux
internal import Glibc

/// Tells since when a thread sleeps, by the scheduler's note of when it last ran.
///
/// `se.exec_start` of `/proc/PID/task/TID/sched` counts in a clock of the CPU that the thread ran on,
/// which starts at boot and leaves out what a hypervisor took, and on some kernels interrupts
/// (kernel: update_rq_clock_task). How far that clock is behind is measured with a thread of our own
/// on the CPU that it happens to be on; for the others what `/proc/stat` says was taken from them
/// makes up the difference, in steps of 10 ms. What was taken since the thread fell asleep makes the
/// sleep seem so much shorter, never longer.
package final class SleepClock {
  /// How far each CPU's clock is behind the monotonic one, in nanoseconds; nil until it was measured.
  private var leads: [Int32: Int64]?

  package init() {}

  /// When a thread that last ran on `processor` did so, by `MonotonicClock`; nil when the kernel does
  /// not tell.
  ///
  /// About 12 µs; the first time 0.3 ms.
  package func lastRun(of thread: Int32, on processor: Int32?, in folder: TaskFolder) -> Int64? {
    let leads = self.leads ?? Self.measure()
    self.leads = leads
    guard let lead = processor.flatMap({ leads[$0] }),
      let start = folder.read("sched", of: thread, capacity: 512, { Self.start(parsing: $0) })
    else { return nil }
    return start &+ lead
  }

  /// Forgets how the clocks differ: they drift apart.
  package func forget() { leads = nil }

  private static func measure() -> [Int32: Int64] {
    guard let (own, lead) = measureOwn(), let text = try? ProcFile.read("/proc/stat") else {
      return [:]
    }
    let tick = 1_000_000_000 / max(1, Int64(sysconf(Int32(_SC_CLK_TCK))))
    let lost = LostTime.table(parsing: text)
    guard let mine = lost[own] else { return [own: lead] }
    // Where the lead is at least as long as all that was taken, interrupts were left out, too.
    let all = (mine.stolen + mine.interrupts) * tick
    let hasInterrupts = mine.interrupts * tick > 100_000_000 && lead > all - all / 10
    return lost.mapValues { other in
      let more =
        other.stolen - mine.stolen + (hasInterrupts ? other.interrupts - mine.interrupts : 0)
      return lead &+ more * tick
    }
  }

  /// A thread that wakes up gets the CPU's time of now as its own start.
  private static func measureOwn() -> (cpu: Int32, lead: Int64)? {
    let thread = sprof_gettid()
    guard let folder = try? TaskFolder(process: getpid()) else { return nil }
    func processor() -> Int32? {
      folder.read("stat", of: thread, capacity: 512) { ThreadStat(parsing: $0)?.processor }
    }
    var result: (cpu: Int32, lead: Int64)?
    for _ in 0..<4 {
      MonotonicClock.sleep(until: MonotonicClock.now() + 20_000)
      guard let before = processor(),
        let start = folder.read("sched", of: thread, capacity: 512, { start(parsing: $0) })
      else { return nil }
      let lead = MonotonicClock.now() &- start
      guard before == processor() else { continue }
      // A turn that was interrupted makes the difference larger.
      if let known = result, known.cpu == before, known.lead <= lead { continue }
      result = (before, lead)
    }
    return result
  }

  /// The nanoseconds of the line `se.exec_start : 12345.678901`, which is in milliseconds.
  package static func start(parsing text: UnsafeRawBufferPointer) -> Int64? {
    // One of the first lines: the others are not looked at.
    var begin = 0
    while let end = text[begin...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = UnsafeRawBufferPointer(rebasing: text[begin..<end])
      if line.count > label.utf8CodeUnitCount, isLabelled(line) { return time(parsing: line) }
      begin = end + 1
    }
    return nil
  }

  private static let label: StaticString = "se.exec_start"

  private static func isLabelled(_ line: UnsafeRawBufferPointer) -> Bool {
    label.withUTF8Buffer { label in line[..<label.count].elementsEqual(label) }
  }

  private static func time(parsing line: UnsafeRawBufferPointer) -> Int64? {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
    guard let point = value.firstIndex(of: UInt8(ascii: ".")) else { return nil }
    let part = value[(point + 1)...].prefix { $0 != UInt8(ascii: " ") }
    guard part.count == 6, let whole = number(value[..<point], radix: 10),
      let rest = number(part, radix: 10), whole < 1 << 43
    else { return nil }
    return Int64(whole) * 1_000_000 + Int64(rest)
  }
}

/// What was taken from a CPU: a line of `/proc/stat`, in clock ticks.
package struct LostTime: Equatable, Sendable {
  package let stolen: Int64
  package let interrupts: Int64

  /// Reads the lines `cpu0 user nice system idle iowait irq softirq steal …`, by CPU.
  package static func table(parsing text: String) -> [Int32: LostTime] {
    var result: [Int32: LostTime] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
      let words = line.split(separator: " ")
      guard words.count > 8, let cpu = Int32(words[0].dropFirst(3)) else { continue }
      let numbers = words.dropFirst().map { Int64($0).map { min($0, 1 << 40) } ?? 0 }
      result[cpu] = LostTime(stolen: numbers[7], interrupts: numbers[5] + numbers[6])
    }
    return result
  }
}
