internal import CLinux
internal import Glibc
internal import Synchronization

/// Makes all threads share one heap that grows by a megabyte: a thread's own grows page by page, each
/// with a system call.
///
/// For work of a tenth of a second, before the first thread starts: in longer work they would block each
/// other.
package func growHeapInLargeSteps() { sprof_grow_heap_in_large_steps() }

/// Makes all threads share one heap: each would keep freed memory of its own.
///
/// Before the first thread starts, in what is to run for days with little memory.
package func useOneHeap() { sprof_use_one_heap() }

/// Gives back to the kernel what was freed, and the pages of this program's own code.
///
/// What runs once is not kept in memory for days so. The next call of a function brings its page back (1 µs for
/// each 64 KiB).
package func giveMemoryBack() { sprof_give_memory_back() }

/// Raises the limit of open files to what is allowed, and makes the table of open files large enough
/// for three a thread of the process.
///
/// A table that grows while several threads share it waits each time for all CPUs to have passed
/// through the kernel's scheduler, 5 to 30 ms (fs/file.c, `expand_fdtable`, `synchronize_rcu`): call
/// this before the first thread starts, and start no program after it, which would inherit the limit.
package func prepareOpenFiles(forThreadsOf pid: Int32) {
  guard let limit = OpenFileLimit.raise() else { return }
  let threads = (try? ProcessStatus(of: pid))?.threadCount ?? 0
  let count = min(threads * 3 + 250, limit - 1, 1 << 20)
  let file = sprof_open("/dev/null", O_RDONLY)
  guard file >= 0 else { return }
  let last = fcntl(file, F_DUPFD_CLOEXEC, CInt(count))
  if last >= 0 { close(last) }
  close(file)
}

/// How many files this process may have open at a time (RLIMIT_NOFILE; `ulimit -n`).
package enum OpenFileLimit {
  private static let hasFailed = Atomic<Bool>(false)

  /// Whether anything could not be opened for want of it, so that something may be missing.
  package static var wasMet: Bool { hasFailed.load(ordering: .relaxed) }

  static func noteFailure() { hasFailed.store(true, ordering: .relaxed) }

  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

  /// The limit that is in force.
  package static var current: Int { read().map { Int(clamping: $0.rlim_cur) } ?? 1024 }

  /// Raises the limit to the highest that may be had without privileges; gives that.
  fileprivate static func raise() -> Int? {
    guard var limit = read() else { return nil }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(resource, &limit)
    return current
  }

  private static func read() -> rlimit? {
    var limit = rlimit()
    return getrlimit(resource, &limit) == 0 ? limit : nil
  }
}
