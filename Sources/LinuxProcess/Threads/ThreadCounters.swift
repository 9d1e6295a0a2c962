package import ProfileModel

/// What the scheduler has counted for a thread since it began (`/proc/PID/task/TID/schedstat`).
package struct ThreadCounters: Equatable, Sendable {
  /// Time on a CPU.
  ///
  /// For a thread that runs on another CPU the kernel brings it up to date only at its timer ticks
  /// (4 ms at HZ=250); it is exact while the thread sleeps or is stopped.
  package var cpu: Nanoseconds
  /// Time ready to run without a CPU.
  package var delay: Nanoseconds
  /// Times that the thread was put on a CPU: unchanged means that it has not run since.
  package var switches: UInt64

  package init(cpu: Nanoseconds = 0, delay: Nanoseconds = 0, switches: UInt64 = 0) {
    self.cpu = cpu
    self.delay = delay
    self.switches = switches
  }

  /// Whether this kernel keeps the counters: built with CONFIG_SCHED_INFO, and not switched off.
  package static func areKeptByKernel() -> Bool {
    let bytes: [UInt8]
    do {
      bytes = try ProcFile.bytes(of: "/proc/self/schedstat")
    } catch {
      // That sprof may open no more files says nothing of the kernel.
      return error.meansTooManyFiles
    }
    return bytes.withUnsafeBytes { ThreadCounters(parsing: $0)?.switches ?? 0 } > 0
  }

  /// The next best without scheduler statistics.
  ///
  /// Context switches, and CPU time in clock ticks of 10 ms. Costs 20 µs; nil when the thread is
  /// gone.
  package init?(contextSwitchesOf thread: Int32, in folder: TaskFolder) {
    guard let status = folder.text(of: "status", of: thread),
      let stat = folder.text(of: "stat", of: thread), let end = stat.lastIndex(of: ")")
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
    self.init(
      cpu: KernelClock.tick * Int64(clamping: user &+ system), delay: 0, switches: switches)
  }

  /// Reads `cpu delay switches`; nil when it is not of that form.
  package init?(parsing text: UnsafeRawBufferPointer) {
    var scanner = NumberScanner(text)
    guard let cpu = scanner.decimal(), let delay = scanner.decimal(),
      let switches = scanner.decimal()
    else { return nil }
    self.init(
      cpu: Nanoseconds(Int64(clamping: cpu)), delay: Nanoseconds(Int64(clamping: delay)),
      switches: switches)
  }
}
