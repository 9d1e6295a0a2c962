internal import CLinux
internal import Glibc
package import ProfileModel
internal import Synchronization

/// Finds since when a thread has slept, by the scheduler's note of when it last ran.
///
/// `se.exec_start` of `/proc/PID/task/TID/sched` counts in a clock of the CPU that the thread ran on,
/// which starts at boot and leaves out what a hypervisor took, and on some kernels interrupts
/// (kernel: update_rq_clock_task): after days the clocks of two CPUs are seconds apart, and
/// `/proc/stat` counts too roughly to show by how much. So how far a CPU's clock is behind is measured
/// by a thread of sprof's own that runs there for some microseconds. What was taken since the thread
/// fell asleep makes the sleep seem that much shorter, never longer.
package final class SleepClock {
  /// How far each CPU's clock is behind the monotonic one; nil where that cannot be measured.
  private var leads: [Int32: Nanoseconds?] = [:]

  package init() {}

  /// When a thread last ran, as far as the kernel says.
  package enum LastRun {
    case at(MonotonicClock.Instant)
    /// It was woken on another CPU than it ran on, and has not run there yet: the kernel has then
    /// forgotten when it ran (migrate_task_rq_fair; seen on 6.18).
    case forgotten
    /// The kernel does not say, or no thread of sprof may run on that CPU.
    case unknown
  }

  /// When a thread last ran whose last CPU is `processor`.
  ///
  /// `processor` has to be read before: if the thread was woken on another one since, its last run is
  /// forgotten. About 12 µs; the first time for each CPU 0.2 ms.
  package func lastRun(of thread: Int32, on processor: Int32?, in folder: TaskFolder) -> LastRun {
    guard let processor, let lead = lead(of: processor),
      let start = folder.read("sched", of: thread, capacity: 512, { Self.start(parsing: $0) })
    else { return .unknown }
    return start == 0 ? .forgotten : .at(MonotonicClock.Instant(start.rawValue) + lead)
  }

  /// Forgets how far the clocks differ: they drift apart.
  package func forget() { leads = [:] }

  private func lead(of processor: Int32) -> Nanoseconds? {
    if let known = leads[processor] { return known }
    let lead = LeadMeasurement(of: processor).run()
    leads[processor] = .some(lead)
    return lead
  }

  /// The value of the line `se.exec_start : 12345.678901`, which is in milliseconds.
  package static func start(parsing text: UnsafeRawBufferPointer) -> Nanoseconds? {
    // It is one of the first lines.
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

  private static func time(parsing line: UnsafeRawBufferPointer) -> Nanoseconds? {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
    guard let point = value.firstIndex(of: UInt8(ascii: ".")) else { return nil }
    let part = value[(point + 1)...].prefix { $0 != UInt8(ascii: " ") }
    guard part.count == 6, let whole = number(value[..<point], radix: 10),
      let rest = number(part, radix: 10), whole < 1 << 43
    else { return nil }
    return .milliseconds(Int64(whole)) + Nanoseconds(Int64(rest))
  }
}

/// A short visit to a CPU by a thread of its own: the thread wakes up there, and so its start is the
/// present time of the CPU's clock.
private final class LeadMeasurement: Sendable {
  /// A CPU that a real-time thread keeps for itself never runs sprof's.
  private static let patience = Nanoseconds.milliseconds(120)

  private let processor: Int32
  private let thread = Atomic<Int32>(0)
  private let lead = Atomic<Int64>(.max)
  private let isDone = Atomic<Bool>(false)

  init(of processor: Int32) { self.processor = processor }

  /// How far the clock is behind; nil where no thread of sprof may run.
  func run() -> Nanoseconds? {
    guard !IsolatedProcessors.all.contains(processor),
      let helper = try? OSThread.startTracer({ self.visit() })
    else { return nil }
    let end = MonotonicClock.now() + Self.patience
    var pause = Nanoseconds.microseconds(20)
    while !isDone.load(ordering: .acquiring) {
      let now = MonotonicClock.now()
      // Again and again: it may be on its way there just now.
      if now > end { sprof_leave_cpu(thread.load(ordering: .acquiring)) }
      MonotonicClock.sleep(until: now + pause)
      pause = min(pause * 2, .milliseconds(1))
    }
    helper.join()
    let found = lead.load(ordering: .acquiring)
    return found == .max ? nil : Nanoseconds(found)
  }

  private func visit() {
    defer { isDone.store(true, ordering: .releasing) }
    let own = sprof_gettid()
    thread.store(own, ordering: .releasing)
    guard sprof_go_to_cpu(own, processor) == 0,
      let folder = try? TaskFolder(process: getpid())
    else { return }
    for _ in 0..<3 {
      MonotonicClock.sleep(for: .microseconds(10))
      guard let start = folder.read("sched", of: own, capacity: 512, SleepClock.start(parsing:))
      else { return }
      let now = MonotonicClock.now()
      let place = folder.read("stat", of: own, capacity: 512) { ThreadStat(parsing: $0)?.processor }
      guard place == processor else { continue }
      // A turn that was interrupted makes the difference larger.
      lead.min(now.rawValue &- start.rawValue, ordering: .acquiringAndReleasing)
    }
  }
}
