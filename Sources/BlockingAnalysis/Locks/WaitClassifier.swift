package import ProfileModel

/// Decides what a sleeping thread waits for, by what was read of it and by its functions.
///
/// To the kernel all locks are futexes; the functions distinguish mutexes from conditions. An owner is claimed only
/// where the lock's words agree with each other and with the call.
package enum WaitClassifier {
  /// Classifies a wait by the thread's stack, innermost function first, inlined ones included.
  ///
  /// `hints` are functions whose return addresses are on the stack of a thread that could not be
  /// unwound, innermost first; some may have returned long ago.
  package static func classify(
    _ sample: SleepSample, functions: WaitFunctions, hints: [StackFunction] = []
  ) -> Wait {
    guard let futex = sample.futex else { return sample.wait }
    var wait = sample.wait
    wait.object = WaitObject(address: futex.address)
    var function = functions.function
    var isHint = false
    if function == nil, !hints.isEmpty {
      function = hint(hints)
      isHint = function != nil
    }
    if function == .mutex || functions.isLowLevel, futex.isParked(at: sample.place) {
      return parked(wait, futex, isHint: isHint)
    }
    let reading = FutexReading(futex: futex, function: function, isHint: isHint)
    if reading.describe(&wait) { return wait }
    wait.kind = kind(function, isLowLevel: functions.isLowLevel)
    if function == .conditionVariable { wait.object = condition(at: futex.address) }
    if wait.kind == .conditionVariable || wait.kind == .semaphore {
      switch functions.purpose {
      case .gil: wait.kind = .gil
      case .parking: wait.kind = .parking
      case nil: break
      }
    }
    return wait
  }

  /// The wait of a thread that sleeps for ever, as the kernel refused it a mutex.
  private static func parked(_ wait: Wait, _ futex: FutexFacts, isHint: Bool) -> Wait {
    var wait = wait
    wait.kind = .mutex
    wait.object = nil
    guard futex.refused.count == 1 else { return wait }
    let mutex = futex.refused[0]
    wait.object = WaitObject(address: mutex.address)
    _ = FutexReading(futex: mutex, function: .mutex, isHint: isHint).describe(&wait)
    return wait
  }

  /// The condition variable in which a thread sleeps at a word.
  ///
  /// Its waiters sleep at two words in turn, `__g_signals[2]`, which begin at a multiple of 8 bytes in all
  /// versions (glibc 2.25 and later, sysdeps/nptl/bits/thread-shared-types.h); the first stands for both.
  private static func condition(at word: RemoteAddress) -> WaitObject {
    WaitObject(address: word.advanced(by: -Int64(word.rawValue % 8)))
  }

  private static func kind(_ function: LockFunction?, isLowLevel: Bool) -> WaitKind {
    switch function {
    case .mutex, .foreignMutex: .mutex
    case .readLock, .foreignReadLock: .readLock
    case .writeLock, .foreignWriteLock: .writeLock
    case .conditionVariable, .foreignConditionVariable: .conditionVariable
    case .semaphore: .semaphore
    case .barrier: .barrier
    case .once: .onceInitializer
    case .join: .join
    case .parking: .parking
    case .lowLevelLock: .mutex
    case .plumbing, nil: isLowLevel ? .mutex : .futex
    }
  }

  /// The first of the hints that waits for something.
  private static func hint(_ hints: [StackFunction]) -> LockFunction? {
    for function in hints where function.isKnown {
      switch LockFunction(function.name) {
      case nil, .plumbing, .lowLevelLock: continue
      case let found?: return found
      }
    }
    return nil
  }
}

/// Reads the words of a lock by the layouts of glibc and musl.
struct FutexReading {
  let futex: FutexFacts
  let function: LockFunction?
  /// Whether the function is only likely.
  let isHint: Bool

  /// Says what the words prove; false when they prove nothing.
  func describe(_ wait: inout Wait) -> Bool {
    if let joined = futex.joined, function == nil || function == .join || isHint {
      wait.kind = .join
      wait.object = nil
      claim(joined, for: &wait, mayBeGone: false)
      return true
    }
    switch function {
    case .mutex: return describeMutex(&wait)
    case .readLock, .writeLock: return describeReadWriteLock(&wait)
    case nil: return describeByWord(&wait)
    case .foreignMutex:
      // Only the kernel's own form proves anything.
      guard futex.isPriorityInheriting else { return false }
      return describeByWord(&wait)
    case .semaphore, .conditionVariable, .foreignConditionVariable, .barrier, .once, .join,
      .parking, .lowLevelLock,
      .plumbing, .foreignReadLock, .foreignWriteLock:
      return false
    }
  }

  private func claim(_ number: UInt32, for wait: inout Wait, mayBeGone: Bool = true) {
    switch futex.owners[number] {
    case .thread(let tid): wait.owners = [.thread(tid: tid)]
    case .elsewhere(let owner): wait.owners = [owner]
    case .gone:
      if mayBeGone { wait.owners = [.dead(tid: Int32(bitPattern: number))] }
    case .unknown, nil: break
    }
  }

  // MARK: - Mutexes

  private func describeMutex(_ wait: inout Wait) -> Bool {
    wait.kind = .mutex
    guard let word = futex.word(at: 0) else { return true }
    if futex.isPriorityInheriting {
      describeInheriting(word, &wait)
    } else if word == 2, futex.value == 2, let kind = glibcKind, !isHint {
      // glibc's plain, recursive, error-checking and adaptive mutexes: 2 is locked with waiters
      // (nptl/lowlevellock.h), the owner follows after the count.
      setFlavor(glibcFlavor(kind), &wait)
      let owner = futex.word(at: 8) ?? 0
      if owner != 0 { claim(owner, for: &wait) }
    } else if word & FutexFacts.waiters != 0 {
      describeKernelWord(word, &wait)
    }
    return true
  }

  /// A word of the form that the kernel knows, of a mutex that does not inherit priority.
  private func describeKernelWord(_ word: UInt32, _ wait: inout Wait) {
    let owner = word & FutexFacts.threadMask
    if let kind = glibcKind, kind & 0x10 != 0, isGlibcOwner(owner) {
      setFlavor(glibcFlavor(kind), &wait)
      claim(owner, for: &wait)
      return
    }
    guard let type = muslType else { return }
    if type & 0xf == 0 {
      // musl's plain mutex says EBUSY, 16, and no owner (pthread_mutex_trylock.c).
      if owner == 0x10 { moveToMuslMutex(&wait) }
      return
    }
    guard word == futex.value, owner != 0x10 || futex.owners[owner] != nil else { return }
    moveToMuslMutex(&wait)
    setFlavor(muslFlavor(type), &wait)
    claim(owner, for: &wait)
  }

  private func describeInheriting(_ word: UInt32, _ wait: inout Wait) {
    if let kind = glibcKind, kind & 0x20 != 0 {
      setFlavor(glibcFlavor(kind), &wait)
    } else if let type = muslType, type & 8 != 0 {
      moveToMuslMutex(&wait)
      setFlavor(muslFlavor(type), &wait)
    } else {
      setFlavor(LockFlavor([.priorityInheriting]), &wait)
    }
    let owner = word & FutexFacts.threadMask
    if owner != 0 { claim(owner, for: &wait) }
  }

  /// Without a function that is known: only what the word itself proves.
  private func describeByWord(_ wait: inout Wait) -> Bool {
    guard let word = futex.word(at: 0) else { return false }
    if futex.isPriorityInheriting {
      wait.kind = .mutex
      describeInheriting(word, &wait)
      return true
    }
    guard word & FutexFacts.waiters != 0, word == futex.value else { return false }
    let owner = word & FutexFacts.threadMask
    if let kind = glibcKind, kind & 0x10 != 0, isGlibcOwner(owner) {
      wait.kind = .mutex
      setFlavor(glibcFlavor(kind), &wait)
      claim(owner, for: &wait)
      return true
    }
    guard let type = muslType, type & 0xf != 0, case .thread = futex.owners[owner] else {
      return false
    }
    wait.kind = .mutex
    moveToMuslMutex(&wait)
    setFlavor(muslFlavor(type), &wait)
    claim(owner, for: &wait)
    return true
  }

  // MARK: - Layouts

  /// The `__kind` of glibc's `pthread_mutex_t`, if it can be one (nptl/pthreadP.h): the type in the
  /// low two bits, robust 0x10, inheriting 0x20, protecting 0x40, shared 0x80, elision 0x300.
  private var glibcKind: UInt32? {
    guard let kind = futex.word(at: 16), kind & ~0x3f3 == 0 else { return nil }
    return kind
  }

  /// A robust mutex has its owner in the word and behind it, where INT_MAX marks one that was
  /// taken over from a dead thread and not yet made consistent.
  private func isGlibcOwner(_ owner: UInt32) -> Bool {
    let second = futex.word(at: 8)
    return owner != 0 && (second == owner || second == 0x7fff_ffff)
  }

  private func glibcFlavor(_ kind: UInt32) -> LockFlavor? {
    var traits: Set<LockFlavor.Trait> = []
    if kind & 0x10 != 0 { traits.insert(.robust) }
    if kind & 0x20 != 0 { traits.insert(.priorityInheriting) }
    switch kind & 3 {
    case 1: traits.insert(.recursive)
    case 2: traits.insert(.errorChecking)
    case 3: traits.insert(.adaptive)
    default: break
    }
    return LockFlavor(traits)
  }

  /// The `_m_type` of musl's mutex, whose lock word comes second, with waiters counted behind it: 1
  /// recursive, 2 error-checking, 4 robust, 8 inheriting, 128 shared (pthread_mutexattr_*.c).
  private var muslType: UInt32? {
    // Waiters for one that inherits priority are counted by the kernel alone.
    guard let type = futex.word(at: -4), type & ~0x8f == 0, type & 3 != 3,
      let waiters = futex.word(at: 4), waiters > 0 || type & 8 != 0, waiters < 1 << 20,
      (type & 128 == 0) == futex.isPrivate || type & 8 != 0
    else { return nil }
    return type
  }

  private func muslFlavor(_ type: UInt32) -> LockFlavor? {
    var traits: Set<LockFlavor.Trait> = []
    if type & 4 != 0 { traits.insert(.robust) }
    if type & 8 != 0 { traits.insert(.priorityInheriting) }
    switch type & 3 {
    case 1: traits.insert(.recursive)
    case 2: traits.insert(.errorChecking)
    default: break
    }
    return LockFlavor(traits)
  }

  private func moveToMuslMutex(_ wait: inout Wait) {
    wait.object = WaitObject(address: futex.address.advanced(by: -4))
  }

  private func setFlavor(_ flavor: LockFlavor?, _ wait: inout Wait) { wait.object?.flavor = flavor }

  // MARK: - Read-write locks

  /// glibc's (struct __pthread_rwlock_arch_t): readers at 0, writers at 4, the two futexes at 8 and
  /// 12, the writer that holds it at 24.
  private func describeReadWriteLock(_ wait: inout Wait) -> Bool {
    wait.kind = function == .readLock ? .readLock : .writeLock
    // musl's is one word: INT_MAX for a writer, else the number of readers.
    if !isGlibcReadWriteLock {
      let word = futex.value & 0x7fff_ffff
      if futex.value & FutexFacts.waiters != 0, function == .writeLock, word != 0x7fff_ffff,
        word > 0, word < 1 << 20
      {
        wait.owners = [.readers(count: Int(word))]
      }
      return true
    }
    let isSecond = futex.address.rawValue & 7 == 4
    let offset: Int64 = isSecond ? 12 : 8
    wait.object = WaitObject(address: futex.address.advanced(by: -offset))
    guard !isHint, let writer = futex.word(at: 24 - offset),
      let readers = futex.word(at: -offset)
    else { return true }
    if writer != 0 {
      claim(writer, for: &wait)
    } else if function == .writeLock, !isSecond, readers & 1 == 0, readers >> 3 > 0,
      readers >> 3 < 1 << 22
    {
      // In the phase of the readers all that are counted hold it (nptl/pthread_rwlock_common.c).
      wait.owners = [.readers(count: Int(readers >> 3))]
    }
    return true
  }

  /// Whether the thread sleeps on one of the two futexes, whose values are 0 to 3.
  private var isGlibcReadWriteLock: Bool { futex.value & ~3 == 0 }
}
