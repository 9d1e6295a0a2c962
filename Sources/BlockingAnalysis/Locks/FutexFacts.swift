internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// What a futex's words say, as they were while a thread slept on it.
struct FutexFacts: Sendable {
  let address: RemoteAddress
  /// The operation with its flags (linux/futex.h).
  let operation: Int32
  /// The value that the thread went to sleep on.
  let value: UInt32
  /// The bytes around the word.
  let memory: MemoryWindow
  /// Who the numbers are that may be owners.
  var owners: [UInt32: LockOwner] = [:]
  /// The thread whose control block the word belongs to: what `pthread_join` waits on.
  var joined: UInt32?
  /// The priority-inheriting mutexes that a parked thread may wait for.
  ///
  /// Where the kernel refuses such a mutex with EDEADLK, glibc and musl let the thread sleep for ever
  /// on a word of its own stack (pthread_mutex_lock.c, pthread_mutex_timedlock.c), which says nothing of
  /// the mutex.
  var refused: [FutexFacts] = []

  /// FUTEX_CMD_MASK.
  var command: Int32 { operation & 0x7f }
  /// FUTEX_PRIVATE_FLAG: used by one process alone.
  var isPrivate: Bool { operation & 0x80 != 0 }
  /// FUTEX_LOCK_PI and FUTEX_LOCK_PI2, whose word holds the owner's number by the kernel's rule.
  var isPriorityInheriting: Bool { command == 6 || command == 13 }

  /// Whether the thread sleeps for ever, on a word of its own stack, for the lock refused it.
  ///
  /// Nobody will change that; a lock's own word would not be 0 while somebody waits for it.
  func isParked(at place: SleepPlace?) -> Bool {
    guard value == 0, word(at: 0) == 0 else { return false }
    return place.map { address.distance(from: $0.stackPointer) < 4096 } ?? false
  }

  /// The word `offset` bytes from the futex; nil where no memory is.
  func word(at offset: Int64) -> UInt32? { memory.value(at: address.advanced(by: offset)) }

  /// FUTEX_TID_MASK: the owner in a lock word of the kernel's form.
  static let threadMask: UInt32 = 0x3fff_ffff
  /// FUTEX_WAITERS.
  static let waiters: UInt32 = 0x8000_0000
}

extension FutexFacts {
  /// Reads the words around the futex that a thread sleeps on; nil when they cannot be read.
  init?(_ place: SleepPlace, memory: ProcessMemory) {
    guard place.arguments.count > 2 else { return nil }
    address = RemoteAddress(place.arguments[0])
    operation = Int32(truncatingIfNeeded: place.arguments[1])
    value = UInt32(truncatingIfNeeded: place.arguments[2])
    // Not across the start of the page: the one before may not be there.
    let before = min(address.rawValue & 0xfff, 64)
    let start = address.advanced(by: -Int64(before))
    guard let bytes = memory.read(at: start, count: Int(before) + 64) else { return nil }
    self.memory = MemoryWindow(start: start, bytes: bytes)
    joined = Self.joinedThread(address, word: word(at: 0), before: word(at: -8), memory)
    refused = refusedMutexes(above: place.stackPointer, memory)
  }

  private init(mutexWord address: RemoteAddress, memory: MemoryWindow) {
    self.address = address
    // FUTEX_LOCK_PI: what the kernel refused.
    operation = 6
    self.memory = memory
    value = memory.value(at: address) ?? 0
  }

  /// The inheriting mutexes with an owner that a parked thread may wait for: those that words between its
  /// stack pointer and the futex on its stack point to (musl), and those that are an operand of a call
  /// whose return address is up to 256 bytes above (glibc keeps them in a register alone).
  private func refusedMutexes(
    above stackPointer: RemoteAddress, _ memory: ProcessMemory
  ) -> [FutexFacts] {
    let distance = address.distance(from: stackPointer)
    guard command == 0 || command == 9, value == 0, word(at: 0) == 0, distance < 1024,
      let bytes = memory.read(at: stackPointer, count: (Int(distance) + 256) & ~7)
    else { return [] }
    var stack = ByteReader(bytes.span.bytes)
    var pointers: Set<RemoteAddress> = []
    while let word = stack.next(UInt64.self) {
      if stack.offset - 8 < Int(distance) {
        pointers.insert(RemoteAddress(word))
      } else if let operand = Self.operand(ofCallBefore: RemoteAddress(word), memory) {
        pointers.insert(operand)
      }
    }
    return pointers.sorted().compactMap { Self.ownedMutex(at: $0, memory) }
  }

  /// The constant that the instruction before a call puts into its first argument, be it by way of
  /// rax: `lea disp(%rip), %rdi` or `mov $address, %edi` (Intel SDM, LEA and MOV).
  private static func operand(
    ofCallBefore returnAddress: RemoteAddress, _ memory: ProcessMemory
  ) -> RemoteAddress? {
    let count = 16
    guard returnAddress > lowestPointer,
      let code = memory.read(at: returnAddress.advanced(by: -Int64(count)), count: count),
      code.count == count
    else { return nil }
    // A call with a distance, or through a slot: `-fno-plt`.
    var end = code.count - (code[11] == 0xe8 ? 5 : 6)
    guard code[end] == 0xe8 || code[end] == 0xff && code[end + 1] == 0x15 else { return nil }
    let isByRax = Array(code[end - 3..<end]) == [0x48, 0x89, 0xc7]
    if isByRax { end -= 3 }
    guard let number = ByteReader(code.span.bytes).value(at: end - 4, as: Int32.self) else {
      return nil
    }
    if end >= 7, Array(code[end - 7..<end - 4]) == [0x48, 0x8d, isByRax ? 0x05 : 0x3d] {
      let next = returnAddress.advanced(by: Int64(end - count))
      return next.advanced(by: Int64(number))
    }
    guard code[end - 5] == (isByRax ? 0xb8 : 0xbf) else { return nil }
    return RemoteAddress(UInt64(UInt32(bitPattern: number)))
  }

  /// No memory is mapped below it (kernel: vm.mmap_min_addr).
  private static let lowestPointer = RemoteAddress(0xffff)

  private static func ownedMutex(
    at pointer: RemoteAddress, _ memory: ProcessMemory
  ) -> FutexFacts? {
    guard pointer > lowestPointer, pointer.rawValue & 3 == 0,
      let bytes = memory.read(at: pointer, count: 24)
    else { return nil }
    let window = MemoryWindow(start: pointer, bytes: bytes)
    func word(_ offset: Int64) -> UInt32? { window.value(at: pointer.advanced(by: offset)) }
    func facts(_ offset: Int64) -> FutexFacts? {
      let facts = FutexFacts(mutexWord: pointer.advanced(by: offset), memory: window)
      return ThreadNumbers.isPlausible(facts.value & threadMask) ? facts : nil
    }
    // glibc: the owner's number also behind the count, and 0x20 in the kind; musl: the type at 0.
    if let found = facts(0), let kind = word(16), kind & ~0x3f3 == 0, kind & 0x20 != 0,
      word(8) == found.value & threadMask
    {
      return found
    }
    guard let type = word(0), type & ~0x8f == 0, type & 8 != 0 else { return nil }
    return facts(4)
  }

  /// Keeps of the mutexes that may have been refused those whose owners live: a cycle has no others, and
  /// what only looks like a mutex has a number without an owner.
  mutating func settleRefused() {
    refused.removeAll { mutex in
      switch owners[mutex.value & Self.threadMask] {
      case .thread, .elsewhere: false
      case .gone, .unknown, nil: true
      }
    }
    for index in refused.indices { refused[index].owners = owners }
  }

  /// The thread that `pthread_join` waits for: its futex is in the thread's control block, which
  /// holds its own address.
  static func joinedThread(
    _ address: RemoteAddress, word: UInt32?, before: UInt32?, _ memory: ProcessMemory
  ) -> UInt32? {
    func isSelf(_ block: RemoteAddress, at offset: Int64) -> Bool {
      guard let bytes = memory.read(at: block.advanced(by: offset), count: 8) else { return false }
      return ByteReader(bytes.span.bytes).value(at: 0, as: UInt64.self) == block.rawValue
    }
    // glibc: struct pthread with its `tid` at 0x2d0 (x86_64, 2.3 to 2.41) and tcbhead_t's `self` at 16.
    if let word, ThreadNumbers.isPlausible(word), isSelf(address.advanced(by: -0x2d0), at: 16) {
      return word
    }
    // musl: `self` at 0, `tid` at 48, `detach_state` at 56 (pthread_impl.h, 1.2).
    if let before, ThreadNumbers.isPlausible(before), isSelf(address.advanced(by: -56), at: 0) {
      return before
    }
    return nil
  }

  /// The numbers that may be an owner's, by the layouts of all locks.
  var candidates: [UInt32] {
    var found: Set<UInt32> = []
    if let joined { found.insert(joined) }
    guard let word = word(at: 0) else { return Array(found) }
    if word & Self.waiters != 0 || isPriorityInheriting { found.insert(word & Self.threadMask) }
    if word == 2 || word & Self.waiters != 0 { found.insert(self.word(at: 8) ?? 0) }
    // The writer of glibc's read-write lock, from the first and the second of its futexes, on which
    // threads sleep with the values 2 and 3 (PTHREAD_RWLOCK_FUTEX_USED, pthread_rwlock_common.c).
    if value & ~1 == 2 { found.insert(self.word(at: address.rawValue & 7 == 4 ? 12 : 16) ?? 0) }
    for mutex in refused { found.insert(mutex.value & Self.threadMask) }
    return found.filter { ThreadNumbers.isPlausible($0) }
  }
}
