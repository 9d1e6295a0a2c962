internal import CLinux
internal import Glibc
internal import ProfileModel

/// The end of a process, as something to sleep until.
///
/// Holds one file of sprof's, and costs the process nothing. Where the kernel has no descriptors of processes
/// (before 5.3), the end is never noticed.
package struct ProcessEnd: ~Copyable {
  /// Less than 0 where there is nothing to wait for any more.
  private var descriptor: CInt

  package init(of pid: Int32) { descriptor = sprof_pidfd_open(pid) }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Sleeps until the clock shows `deadline` or the process ends: until its last thread has, whether or
  /// not its parent has collected it.
  ///
  /// Returns whether it has ended, once only.
  @available(*, noasync, message: "blocks the thread")
  package mutating func sleep(until deadline: MonotonicClock.Instant) -> Bool {
    while descriptor >= 0 {
      let left = deadline - MonotonicClock.now()
      guard left > 0 else { return false }
      let result = sprof_await_input(descriptor, left.rawValue)
      if result == 0 { return false }
      if result == -EINTR { continue }
      close(descriptor)
      descriptor = -1
      if result > 0 { return true }
    }
    MonotonicClock.sleep(until: deadline)
    return false
  }
}
