internal import ProfileModel

/// What a function of a C library or a runtime waits for, by its name.
enum LockFunction: Hashable {
  /// The way into the kernel, which says nothing.
  case plumbing
  /// The slow path of glibc's plain locks, which a mutex shares with locks inside the library.
  case lowLevelLock
  case mutex
  /// Locks of other runtimes, which are not laid out like those of a C library.
  case foreignMutex
  case foreignReadLock
  case foreignWriteLock
  case readLock
  case writeLock
  case conditionVariable
  /// Those of other runtimes, of one word.
  case foreignConditionVariable
  case semaphore
  case barrier
  case once
  case join
  case parking

  init?(_ name: String) {
    let plain = Self.plain(name)
    // musl's `__wait` and `__lock`; a program's own may be anything.
    if plain == "wait" || plain == "lock" || plain == "timedwait", !name.hasPrefix("__") {
      return nil
    }
    if let known = Self.names[plain] {
      self = known
      return
    }
    if let known = Self.prefixes.first(where: { plain.hasPrefix($0.0) }) {
      self = known.1
      return
    }
    guard ["::", ".", "_"].contains(where: { name.contains(bytesOf: $0) }) else { return nil }
    // Rust writes `<std::sys::sync::mutex::futex::Mutex>::lock`.
    let text = name.filter { $0 != "<" && $0 != ">" }
    guard let known = Self.parts.first(where: { text.contains(bytesOf: $0.0) }) else { return nil }
    self = known.1
  }

  /// Without what compilers and glibc put around a name: `__GI___pthread_mutex_lock.part.0`.
  private static func plain(_ name: String) -> Substring {
    var plain = name[...]
    if let dot = plain.firstIndex(of: "."), dot != plain.startIndex, !plain.contains(bytesOf: "::"),
      plain[dot...].hasPrefix(".part") || plain[dot...].hasPrefix(".cold")
        || plain[dot...].hasPrefix(".isra") || plain[dot...].hasPrefix(".constprop")
    {
      plain = plain[..<dot]
    }
    plain = plain.drop { $0 == "_" }
    if plain.hasPrefix("GI_") { plain = plain.dropFirst(3).drop { $0 == "_" } }
    for suffix in ["_time64", "64"] where plain.hasSuffix(suffix) {
      plain = plain.dropLast(suffix.count)
    }
    return plain
  }

  /// Functions of glibc and musl, without leading underscores.
  private static let names: [Substring: LockFunction] = [
    "lll_lock_wait": .lowLevelLock, "lll_lock_wait_private": .lowLevelLock,
    "lll_timedlock_wait": .lowLevelLock, "lll_clocklock_wait": .lowLevelLock,
    "lll_lock_wake": .lowLevelLock, "lock": .lowLevelLock,
    "syscall": .plumbing, "syscall_cp": .plumbing, "syscall_cp_c": .plumbing,
    "syscall_cp_asm": .plumbing, "cp_begin": .plumbing, "cp_end": .plumbing,
    "timedwait": .plumbing, "timedwait_cp": .plumbing, "wait": .plumbing,
    "do_futex_wait": .plumbing, "internal_syscall_cancel": .plumbing,
    "syscall_cancel": .plumbing, "syscall_cancel_arch": .plumbing,
    "pthread_mutex_lock": .mutex, "pthread_mutex_lock_full": .mutex,
    "pthread_mutex_timedlock": .mutex, "pthread_mutex_clocklock": .mutex,
    "pthread_mutex_clocklock_common": .mutex, "pthread_mutex_cond_lock": .mutex,
    "pthread_mutex_cond_lock_full": .mutex, "pthread_mutex_timedlock_pi": .mutex,
    "mtx_lock": .mutex, "mtx_timedlock": .mutex,
    "pthread_rwlock_rdlock": .readLock, "pthread_rwlock_timedrdlock": .readLock,
    "pthread_rwlock_clockrdlock": .readLock, "pthread_rwlock_rdlock_full": .readLock,
    "pthread_rwlock_wrlock": .writeLock, "pthread_rwlock_timedwrlock": .writeLock,
    "pthread_rwlock_clockwrlock": .writeLock, "pthread_rwlock_wrlock_full": .writeLock,
    "pthread_cond_wait": .conditionVariable, "pthread_cond_timedwait": .conditionVariable,
    "pthread_cond_clockwait": .conditionVariable, "pthread_cond_wait_common": .conditionVariable,
    "cnd_wait": .conditionVariable, "cnd_timedwait": .conditionVariable,
    "private_cond_wait": .conditionVariable,
    "sem_wait": .semaphore, "sem_timedwait": .semaphore, "sem_clockwait": .semaphore,
    "new_sem_wait": .semaphore, "new_sem_wait_slow": .semaphore,
    "PySemaphore_Wait": .semaphore, "PyThread_acquire_lock_timed": .semaphore,
    "pthread_barrier_wait": .barrier,
    "pthread_once": .once, "pthread_once_slow": .once, "pthread_once_full": .once,
    "call_once": .once,
    "cxa_guard_acquire": .once,
    "pthread_join": .join, "pthread_timedjoin_np": .join, "pthread_clockjoin_np": .join,
    "pthread_clockjoin_ex": .join, "pthread_tryjoin_np": .join, "thrd_join": .join,
    "nptl_wait_for_tid": .join,
  ]

  private static let prefixes: [(String, LockFunction)] = [
    ("futex_", .plumbing), ("lll_", .lowLevelLock), ("pthread_mutex_lock", .mutex),
    ("new_sem_wait", .semaphore), ("pthread_cond_", .conditionVariable),
    // GLib, whose locks are words of its own.
    ("g_mutex_lock", .foreignMutex), ("g_rec_mutex_lock", .foreignMutex),
    ("g_cond_wait", .foreignConditionVariable), ("g_rw_lock_writer_lock", .foreignWriteLock),
    ("g_rw_lock_reader_lock", .foreignReadLock), ("g_once_init_enter", .once),
    // The Swift runtime's lazy initializers.
    ("swift_once", .once),
  ]

  /// Parts of the names of other runtimes; the first that fits counts.
  private static let parts: [(String, LockFunction)] = [
    // Rust's standard library.
    ("futex::futex_wait", .plumbing), ("mutex::futex::Mutex::lock", .foreignMutex),
    ("futex_mutex::Mutex::lock", .foreignMutex), ("rwlock::futex::RwLock::read", .foreignReadLock),
    ("futex_rwlock::RwLock::read", .foreignReadLock),
    ("rwlock::futex::RwLock::write", .foreignWriteLock),
    ("futex_rwlock::RwLock::write", .foreignWriteLock),
    ("condvar::futex::Condvar", .foreignConditionVariable),
    ("futex_condvar::Condvar", .foreignConditionVariable), ("once::futex::Once", .once),
    ("thread_parking::futex::Parker", .parking), ("thread_parker::futex::Parker", .parking),
    ("std::thread::park", .parking), ("parking_lot_core::thread_parker", .parking),
    // Swift's Synchronization.
    ("_MutexHandle", .foreignMutex), ("Mutex.withLock", .foreignMutex), ("swift_futex", .plumbing),
    // Go's runtime.
    ("runtime.lock2", .foreignMutex), ("runtime.futexsleep", .plumbing),
    ("runtime.futex", .plumbing), ("runtime.notesleep", .parking),
    ("runtime.notetsleep", .parking), ("runtime.stopm", .parking),
    ("runtime.semasleep", .parking), ("runtime.mPark", .parking),
    // Qt.
    ("QtLinuxFutex", .plumbing), ("QtFutex", .plumbing), ("QBasicMutex::lock", .foreignMutex),
    ("QMutex::lock", .foreignMutex), ("QRecursiveMutex", .foreignMutex),
    ("QSemaphore::", .semaphore), ("QReadWriteLock::", .foreignMutex),
    // libstdc++.
    ("__atomic_futex_unsigned", .plumbing), ("std::__detail::__platform_wait", .plumbing),
    ("counting_semaphore", .semaphore), ("std::barrier", .barrier),
  ]

  /// What a wait on a condition or a semaphore is for, by the functions around it.
  static func purpose(_ functions: some Sequence<StackFunction>) -> Purpose? {
    for function in functions where function.isKnown {
      if function.name == "take_gil" { return .gil }
      if idle.contains(where: { function.name.contains(bytesOf: $0) }) { return .parking }
    }
    return nil
  }

  enum Purpose { case gil, parking }

  /// Where runtimes let threads without work wait.
  private static let idle = [
    "os::PlatformEvent::park", "Parker::park", "Unsafe_Park", "QThreadPoolThread::run",
    "g_thread_pool_wait_for_new_task", "_dispatch_worker_thread", "std::thread::park",
    "tokio::runtime::park",
  ]
}

/// What the functions of a stack, innermost first, say of a wait; made once for a stack.
package struct WaitFunctions: Sendable {
  /// The function that waits; nil when it is not known.
  let function: LockFunction?
  /// Whether the slow path of glibc's plain locks is between it and the kernel.
  let isLowLevel: Bool
  /// What a wait on a condition or a semaphore would be for.
  let purpose: LockFunction.Purpose?

  package init(_ functions: [StackFunction]) {
    (function, isLowLevel) = Self.innermost(functions)
    purpose = LockFunction.purpose(functions.prefix(16))
  }

  /// The function that waits: the first that is more than the way into the kernel.
  private static func innermost(
    _ functions: [StackFunction]
  ) -> (function: LockFunction?, isLowLevel: Bool) {
    var isLowLevel = false
    for (index, function) in functions.prefix(12).enumerated() {
      guard function.isKnown else {
        // A library without its local symbols: the exported function is its caller. Code of another
        // file may be anything.
        guard index < 6, function.module == functions[0].module else { return (nil, isLowLevel) }
        continue
      }
      switch LockFunction(function.name) {
      case .plumbing: continue
      case .lowLevelLock: isLowLevel = true
      case nil: return (nil, isLowLevel)
      case let found?: return (found, isLowLevel)
      }
    }
    return (nil, isLowLevel)
  }
}
