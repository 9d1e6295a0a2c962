internal import ProfileModel

/// Names by which waits are known.
enum WaitNames {
  /// What the kernel goes on with when a signal or a stop interrupted a call with a time limit.
  static let restartedCall = "restart_syscall"

  static let systemCalls: [String: WaitKind] = table([
    (.sleep, "nanosleep clock_nanosleep"),
    (.poll, "poll ppoll"),
    (.select, "select pselect6 pselect"),
    (.epoll, "epoll_wait epoll_pwait epoll_pwait2 epoll_wait_old"),
    (.read, "read readv pread64 preadv preadv2"),
    (.write, "write writev pwrite64 pwritev pwritev2 sendfile vmsplice"),
    (.open, "open openat openat2 creat"),
    (.connect, "connect"),
    (.accept, "accept accept4"),
    (.receive, "recvfrom recvmsg recvmmsg recv"),
    (.send, "sendto sendmsg sendmmsg send"),
    (.childProcess, "wait4 waitid waitpid"),
    (.signal, "rt_sigtimedwait rt_sigsuspend pause sigwait sigsuspend sigwaitinfo"),
    (.fileLock, "flock fcntl"),
    (.messageQueue, "msgrcv msgsnd mq_timedreceive mq_timedsend"),
    (.systemVSemaphore, "semop semtimedop"),
    (.asynchronousIO, "io_getevents io_pgetevents io_uring_enter"),
    (.futex, "futex futex_wait futex_waitv"),
    // Which of two descriptors these wait for is not known, or they wait for none.
    (.otherCall, "splice tee copy_file_range getrandom"),
  ])

  static let locks: [String: WaitKind] = table([
    (
      .mutex,
      """
      pthread_mutex_lock pthread_mutex_lock_full pthread_mutex_timedlock pthread_mutex_clocklock \
      pthread_mutex_clocklock_common pthread_mutex_cond_lock pthread_mutex_cond_lock_full \
      lll_lock_wait lll_lock_wait_private lll_timedlock_wait lll_clocklock_wait mtx_lock \
      mtx_timedlock flockfile IO_flockfile g_mutex_lock g_mutex_lock_slowpath g_rec_mutex_lock \
      uv_mutex_lock std::mutex::lock QMutex::lock QBasicMutex::lockInternal QMutex::lockInternal \
      QRecursiveMutex::lock absl::Mutex::Lock os_unfair_lock_lock \
      \(JavaFunctions.entries)
      """
    ),
    (
      .readLock,
      """
      pthread_rwlock_rdlock pthread_rwlock_rdlock_full pthread_rwlock_rdlock_full64 \
      pthread_rwlock_timedrdlock pthread_rwlock_clockrdlock g_rw_lock_reader_lock uv_rwlock_rdlock
      """
    ),
    (
      .writeLock,
      """
      pthread_rwlock_wrlock pthread_rwlock_wrlock_full pthread_rwlock_wrlock_full64 \
      pthread_rwlock_timedwrlock pthread_rwlock_clockwrlock g_rw_lock_writer_lock uv_rwlock_wrlock
      """
    ),
    (
      .conditionVariable,
      """
      pthread_cond_wait pthread_cond_timedwait pthread_cond_clockwait pthread_cond_wait_common \
      cnd_wait cnd_timedwait g_cond_wait g_cond_wait_until uv_cond_wait uv_cond_timedwait \
      QWaitCondition::wait QWaitConditionPrivate::wait std::condition_variable::wait \
      ObjectMonitor::wait
      """
    ),
    (
      .semaphore,
      """
      sem_wait sem_timedwait sem_clockwait new_sem_wait new_sem_wait_slow new_sem_wait_slow64 \
      do_futex_wait uv_sem_wait QSemaphore::acquire PySemaphore_Wait PyThread_acquire_lock_timed
      """
    ),
    (.barrier, "pthread_barrier_wait uv_barrier_wait"),
    (
      .onceInitializer,
      """
      pthread_once pthread_once_slow cxa_guard_acquire call_once swift_once dispatch_once_f \
      g_once_init_enter g_once_init_enter_pointer uv_once
      """
    ),
    (
      .join,
      """
      pthread_join pthread_timedjoin_np pthread_clockjoin_np pthread_clockjoin_ex \
      pthread_clockjoin_ex64 pthread_join_common thrd_join std::thread::join g_thread_join \
      uv_thread_join
      """
    ),
    (
      .parking,
      """
      runtime.notesleep runtime.notetsleep runtime.notetsleepg runtime.notetsleep_internal \
      runtime.futexsleep runtime.mPark runtime.stopm runtime.futex Parker::park Unsafe_Park \
      std::thread::park std::thread::park_timeout std::thread::Thread::park QThreadPoolThread::run \
      dispatch_worker_thread
      """
    ),
  ])

  /// Python's waits for the interpreter lock; `take_gil` may be inlined into its callers.
  static let gil: Set<String> = [
    "take_gil", "PyEval_RestoreThread", "PyEval_AcquireThread", "PyEval_AcquireLock",
    "PyGILState_Ensure", "PyThreadState_Attach",
  ]

  /// The kind of lock that a function of this name waits for.
  static func lock(_ name: String) -> WaitKind? {
    if let kind = locks[name] { return kind }
    if gil.contains(name) { return .gil }
    guard name.contains(bytesOf: "::") else { return nil }
    return endings.first { name.hasSuffix($0.text) }?.kind
  }

  /// Endings of longer names, of Rust's and C++'s own libraries.
  private static let endings: [(text: String, kind: WaitKind)] = [
    ("futex::Mutex::lock_contended", .mutex), ("RawMutex::lock_slow", .mutex),
    ("futex::Mutex>::lock_contended", .mutex), ("RawMutex>::lock_slow", .mutex),
    ("futex::RwLock::read_contended", .readLock), ("futex::RwLock>::read_contended", .readLock),
    ("futex::RwLock::write_contended", .writeLock), ("futex::RwLock>::write_contended", .writeLock),
    ("futex::Condvar::wait_optional_timeout", .conditionVariable),
    ("futex::Condvar>::wait_optional_timeout", .conditionVariable),
    ("Condvar::wait", .conditionVariable), ("Condvar>::wait", .conditionVariable),
    ("Condvar::wait_until_internal", .conditionVariable),
    ("futex::Once::call", .onceInitializer), ("futex::Once>::call", .onceInitializer),
    ("JoinHandle::join", .join), ("thread::JoinInner::join", .join),
    ("Parker::park", .parking), ("Parker>::park", .parking), ("Inner::park", .parking),
    ("ThreadParker::park", .parking), ("CachedParkThread::park", .parking),
    ("PlatformEvent::park", .parking), ("PlatformEvent::park_nanos", .parking),
    ("PlatformMonitor::wait", .conditionVariable),
  ]

  private static func table(_ rows: [(WaitKind, String)]) -> [String: WaitKind] {
    var table: [String: WaitKind] = [:]
    for (kind, names) in rows {
      for name in names.split(separator: " ") { table[String(name)] = kind }
    }
    return table
  }
}
