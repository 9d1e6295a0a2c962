internal import Glibc
internal import ProfileModel

/// A process, or one of its threads, told apart from every other that gets its number later.
///
/// The kernel gives a number anew when all others have had their turn, 32,768 or 4 million of them. So
/// what was opened by number counts only if the identity `isStillThere` afterwards; a descriptor of
/// `/proc/PID` needs no such check, for it belongs to the one process that it was opened of.
package struct ProcessIdentity: Hashable, Sendable {
  package let pid: Int32
  /// When it was started, in clock ticks since the machine's start.
  ///
  /// Field 22 of `/proc/PID/stat` (proc_pid_stat(5)); `execve` leaves it as it is (kernel: de_thread).
  package let startTicks: UInt64

  package init(pid: Int32, startTicks: UInt64) {
    self.pid = pid
    self.startTicks = startTicks
  }

  /// Whoever has the number now; about 8 µs.
  package init(of pid: Int32) throws(SystemError) {
    let path = "/proc/\(pid)/task/\(pid)/stat"
    let bytes = try ProcFile.bytes(of: path)
    guard let birth = bytes.withUnsafeBytes({ TaskBirth(parsing: $0) }) else {
      throw SystemError(path, code: SystemError.noSuchProcess)
    }
    self.init(pid: pid, startTicks: birth.startTicks)
  }

  /// Whether the number is still its own; also true of a zombie.
  package var isStillThere: Bool { (try? ProcessIdentity(of: pid)) == self }

  /// Throws what the kernel says of a process that is gone when this one is.
  func check() throws(SystemError) {
    guard isStillThere else { throw SystemError("/proc/\(pid)", code: SystemError.noSuchProcess) }
  }

  /// When it was started, to a clock tick.
  package var birth: MonotonicClock.Instant {
    // Ticks count from the start of the machine, sleep included; the monotonic clock leaves that out.
    let start = KernelClock.tick * Int64(clamping: startTicks)
    return MonotonicClock.now() - ((KernelClock.read(CLOCK_BOOTTIME) ?? start) - start)
  }
}

/// Parent and start of a process or thread, as `/proc/PID/stat` gives them in one read.
struct TaskBirth {
  let parent: Int32
  let startTicks: UInt64

  init?(parsing text: UnsafeRawBufferPointer) {
    guard var fields = NumberScanner(afterNameIn: text) else { return nil }
    // The state is field 3, the parent 4, the start 22.
    fields.skipWord()
    guard let parent = fields.decimal() else { return nil }
    for _ in 5..<22 { fields.skipWord() }
    guard let startTicks = fields.decimal() else { return nil }
    self.parent = Int32(truncatingIfNeeded: parent)
    self.startTicks = startTicks
  }
}
