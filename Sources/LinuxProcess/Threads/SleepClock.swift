internal import CLinux
internal import Glibc
internal import Synchronization

/// Tells since when a thread sleeps, by the scheduler's note of when it last ran.
///
/// `se.exec_start` of `/proc/PID/task/TID/sched` counts in a clock of the CPU that the thread ran on,
/// which starts at boot and leaves out what a hypervisor took, and on some kernels interrupts
/// (kernel: update_rq_clock_task): after days the clocks of two CPUs are seconds apart, and
/// `/proc/stat` counts too roughly to tell by how much. So how far a CPU's clock is behind is measured
/// by a thread of our own that runs there for some microseconds. What was taken since the thread fell
/// asleep makes the sleep seem so much shorter, never longer.
package final class SleepClock {
  /// How far each CPU's clock is behind the monotonic one, in nanoseconds; nil where that cannot be
  /// measured.
  private var leads: [Int32: Int64?] = [:]

  package init() {}

  /// What the kernel tells of when a thread last ran.
  package enum LastRun {
    /// By `MonotonicClock`.
    case at(Int64)
    /// It was woken on another CPU than it ran on, and has not run there yet: the kernel has then
    /// forgotten when it ran (migrate_task_rq_fair; seen on 6.18).
    case forgotten
    /// Or no thread of ours may run on that CPU.
    case unknown
  }

  /// When a thread did that last ran on `processor`.
  ///
  /// `processor` has to be read before: if the thread was woken on another one since, its last run is
  /// forgotten. About 12 µs; the first time for each CPU 0.2 ms.
  package func lastRun(of thread: Int32, on processor: Int32?, in folder: TaskFolder) -> LastRun {
    guard let processor, let lead = lead(of: processor),
      let start = folder.read("sched", of: thread, capacity: 512, { Self.start(parsing: $0) })
    else { return .unknown }
    return start == 0 ? .forgotten : .at(start &+ lead)
  }

  /// Forgets how the clocks differ: they drift apart.
  package func forget() { leads = [:] }

  private func lead(of processor: Int32) -> Int64? {
    if let known = leads[processor] { return known }
    let lead = LeadMeasurement(of: processor).run()
    leads[processor] = .some(lead)
    return lead
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

/// A short visit to a CPU, by a thread of its own: that wakes up there, which gives it the CPU's time
/// of now as its start.
private final class LeadMeasurement: Sendable {
  /// A CPU that is kept by a real-time thread never lets ours run.
  private static let patience: Int64 = 20_000_000

  private let processor: Int32
  private let thread = Atomic<Int32>(0)
  private let lead = Atomic<Int64>(.max)
  private let isDone = Atomic<Bool>(false)

  init(of processor: Int32) { self.processor = processor }

  /// How far the clock is behind, in nanoseconds; nil where no thread of ours may run.
  func run() -> Int64? {
    guard !IsolatedProcessors.all.contains(processor),
      let helper = try? OSThread.startTracer({ self.visit() })
    else { return nil }
    let end = MonotonicClock.now() + Self.patience
    var pause: Int64 = 20_000
    while !isDone.load(ordering: .acquiring) {
      let now = MonotonicClock.now()
      // Again and again, for it may go there just now.
      if now > end { sprof_leave_cpu(thread.load(ordering: .acquiring)) }
      MonotonicClock.sleep(until: now + pause)
      pause = min(pause * 2, 1_000_000)
    }
    helper.join()
    let found = lead.load(ordering: .acquiring)
    return found == .max ? nil : found
  }

  private func visit() {
    defer { isDone.store(true, ordering: .releasing) }
    let own = sprof_gettid()
    thread.store(own, ordering: .releasing)
    guard sprof_go_to_cpu(own, processor) == 0,
      let folder = try? TaskFolder(process: getpid())
    else { return }
    for _ in 0..<3 {
      MonotonicClock.sleep(until: MonotonicClock.now() + 10_000)
      guard let start = folder.read("sched", of: own, capacity: 512, SleepClock.start(parsing:))
      else { return }
      let now = MonotonicClock.now()
      let place = folder.read("stat", of: own, capacity: 512) { ThreadStat(parsing: $0)?.processor }
      guard place == processor else { continue }
      // A turn that was interrupted makes the difference larger.
      lead.min(now &- start, ordering: .acquiringAndReleasing)
    }
  }
}

/// The CPUs that the machine's owner keeps free of everything but chosen threads.
package enum IsolatedProcessors {
  static let all: Set<Int32> = ["isolated", "nohz_full"].reduce(into: []) { result, name in
    let text = (try? ProcFile.read("/sys/devices/system/cpu/\(name)")) ?? ""
    result.formUnion(numbers(parsing: text))
  }

  /// The numbers of a list such as `2-5,8`, at most 8192.
  package static func numbers(parsing text: String) -> Set<Int32> {
    var result: Set<Int32> = []
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let ends = part.split(separator: "-").map { Int32($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0, first <= last,
        last < 8192
      else { continue }
      result.formUnion(first...last)
    }
    return result
  }
}
