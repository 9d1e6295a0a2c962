internal import Glibc
package import ProfileModel

/// What sprof itself has used.
package enum OwnUsage {
  /// CPU time of all threads of this process.
  package static func cpu() -> Nanoseconds { KernelClock.read(CLOCK_PROCESS_CPUTIME_ID) ?? 0 }

  /// CPU time of the calling thread: a measure of work that a busy machine does not stretch.
  package static func threadCPU() -> Nanoseconds { KernelClock.read(CLOCK_THREAD_CPUTIME_ID) ?? 0 }
}
