internal import CLinux
internal import Glibc

/// Tells since when a thread sleeps, by the scheduler's note of when it last ran.
///
/// `se.exec_start` of `/proc/PID/task/TID/sched` counts in the clock of the CPU that the thread ran
/// on, which starts at boot and leaves out what a hypervisor or interrupts took. So the clock is
/// read by a thread of our own on the same CPU, each time anew: what was left out since the thread
/// fell asleep makes the sleep seem so much shorter, never longer.
package final class SleepClock {
  /// How much the monotonic clock is ahead of a CPU's scheduler clock, in nanoseconds.
  private var leads: [Int32: Int64] = [:]
  private let ownFile: String
  private var isMissing = false

  package init() {
    ownFile = "/proc/self/task/\(sprof_gettid())/sched"
  }

  /// When the thread last ran, by `MonotonicClock`; nil when the kernel does not tell.
  ///
  /// About 20 µs a thread, and once for each CPU 0.1 ms. Used by the thread that made the value.
  package func lastRun(of thread: Int32, process: Int32) -> Int64? {
    guard !isMissing else { return nil }
    let folder = "/proc/\(process)/task/\(thread)/"
    guard let text = try? ProcFile.bytes(of: folder + "sched"),
      let start = Self.start(parsing: text)
    else { return nil }
    guard let cpu = (try? ProcFile.read(folder + "stat")).flatMap({ Self.processor(parsing: $0) }),
      let lead = lead(of: cpu)
    else { return nil }
    return start &+ lead
  }

  /// Forgets how the clocks differ: they drift apart.
  package func forget() { leads = [:] }

  private func lead(of cpu: Int32) -> Int64? {
    if let known = leads[cpu] { return known }
    guard let measured = measure(on: cpu) else {
      isMissing = leads.isEmpty
      return leads.values.min()
    }
    leads[cpu] = measured
    return measured
  }

  /// A thread that wakes up gets the CPU's time of now as its own start.
  private func measure(on cpu: Int32) -> Int64? {
    guard leads.count < 64 else { return nil }
    let saved = sprof_move_to_cpu(cpu)
    defer { if saved.is_valid != 0 { sprof_restore_cpus(saved) } }
    var least: Int64?
    for _ in 0..<3 {
      MonotonicClock.sleep(until: MonotonicClock.now() + 20_000)
      let now = MonotonicClock.now()
      guard let text = try? ProcFile.bytes(of: ownFile), let start = Self.start(parsing: text)
      else {
        return nil
      }
      // A wake-up that another thread delayed makes the difference larger.
      least = min(least ?? .max, now &- start)
    }
    return least
  }

  /// The nanoseconds of the line `se.exec_start : 12345.678901`, which is in milliseconds.
  package static func start(parsing text: [UInt8]) -> Int64? {
    let key = Array("se.exec_start".utf8)
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: key) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let words = line[(colon + 1)...].split(separator: UInt8(ascii: " "))
      guard let parts = words.first?.split(separator: UInt8(ascii: ".")), parts.count == 2,
        parts[1].count == 6, let whole = number(parts[0], radix: 10),
        let part = number(parts[1], radix: 10), whole < 1 << 43
      else { return nil }
      return Int64(whole) * 1_000_000 + Int64(part)
    }
    return nil
  }

  /// The CPU that the thread last ran on: field 39 of `stat` (proc(5)), 36 behind the name.
  package static func processor(parsing text: String) -> Int32? {
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 36 ? Int32(fields[36]) : nil
  }
}
