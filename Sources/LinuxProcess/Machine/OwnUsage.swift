internal import CLinux
internal import Glibc

/// What sprof itself has used.
package enum OwnUsage {
  /// CPU time of all threads of this process, in nanoseconds.
  package static func cpu() -> Int64 { time(of: CLOCK_PROCESS_CPUTIME_ID) }

  /// CPU time of the calling thread, in nanoseconds: a measure of work that a busy machine does not
  /// stretch.
  package static func threadCPU() -> Int64 { time(of: CLOCK_THREAD_CPUTIME_ID) }

  private static func time(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
