internal import CLinux
internal import Glibc

/// Makes all threads share one heap that grows by a megabyte: a thread's own grows page by page, each
/// with a system call.
///
/// For work of a tenth of a second, before the first thread starts: in longer work they would block each
/// other.
package func growHeapInLargeSteps() { sprof_grow_heap_in_large_steps() }

/// Raises the limit of open files to what is allowed, and makes the table of open files large enough
/// for three a thread of the process.
///
/// A table that grows while several threads share it waits each time for all CPUs to have passed
/// through the kernel's scheduler, 5 to 30 ms (fs/file.c, `expand_fdtable`, `synchronize_rcu`): call
/// this before the first thread starts.
package func prepareOpenFiles(forThreadsOf pid: Int32) {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  let threads = (try? ProcessStatus(of: pid))?.threadCount ?? 0
  let count = min(rlim_t(threads) * 3 + 250, limit.rlim_max - 1, 1 << 20)
  let file = sprof_open("/dev/null", O_RDONLY)
  guard file >= 0 else { return }
  let last = fcntl(file, F_DUPFD_CLOEXEC, CInt(count))
  if last >= 0 { close(last) }
  close(file)
}
