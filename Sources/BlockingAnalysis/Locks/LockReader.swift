package import LinuxProcess
package import ProfileModel

/// What a thread sleeps on, where that may be a lock whose memory names its owner.
package struct FutexWait: Hashable, Sendable {
  /// The bytes around the futex that say who owns it: all that the layouts of locks need.
  package static let windowSize = 40

  let address: RemoteAddress
  let operation: Int32
  let value: UInt32

  /// By the arguments of the call; nil for a futex that no such lock can be.
  package init?(_ arguments: InlineArray<6, UInt64>) {
    address = RemoteAddress(arguments[0])
    operation = Int32(truncatingIfNeeded: arguments[1])
    value = UInt32(truncatingIfNeeded: arguments[2])
    switch operation & 0x7f {
    // FUTEX_LOCK_PI and FUTEX_LOCK_PI2.
    case 6, 13: return
    // FUTEX_WAIT and FUTEX_WAIT_BITSET: a lock with waiters by glibc's and by the kernel's rule; a
    // thread's number where the thread is joined.
    case 0, 9:
      guard value & ~1 == 2 || value & FutexFacts.waiters != 0 || mayBeThread else { return nil }
    default: return nil
    }
  }

  /// Small numbers are those of conditions and semaphores.
  private var mayBeThread: Bool { value >= 300 && ThreadNumbers.isPlausible(value) }

  /// Where these bytes are.
  package var window: MemoryRange {
    // Not across the start of the page: the one before may not be there.
    let before = min(address.rawValue & 0xfff, 16)
    return MemoryRange(start: address.advanced(by: -Int64(before)), count: Self.windowSize)
  }
}

/// Finds the owners of locks from the bytes around their futexes, for one process.
///
/// Used by one thread.
package final class LockReader {
  private var numbers: ThreadNumbers
  private let pid: Int32

  package init(_ folder: TaskFolder) {
    pid = folder.process
    numbers = ThreadNumbers(folder, processes: PeerProcesses())
  }

  /// Forgets which threads live.
  package func forget() { numbers.forget() }

  /// What the thread waits for, with its owner; without one, and as a futex of unknown use, where the
  /// bytes name none; nil for what is no lock.
  ///
  /// Only the functions of its stack tell whether it is that kind of lock.
  package func wait(
    _ futex: FutexWait, _ bytes: UnsafeRawBufferPointer, memory: ProcessMemory
  ) -> Wait? {
    let window = MemoryWindow(start: futex.window.start, bytes: [UInt8](bytes))
    var facts = FutexFacts(
      address: futex.address, operation: futex.operation, value: futex.value, memory: window)
    if futex.value & FutexFacts.waiters == 0, futex.value >= 300, !facts.isPriorityInheriting {
      return join(futex, memory)
    }
    for number in facts.candidates {
      facts.owners[number] = numbers.owner(of: number, isShared: !facts.isPrivate)
    }
    for function in [nil, .mutex, .writeLock] as [LockFunction?] {
      var wait = Wait(kind: .futex, systemCall: "futex", object: WaitObject(address: futex.address))
      let reading = FutexReading(futex: facts, function: function, isHint: false)
      // An owner that has ended is left to a second look.
      if reading.describe(&wait), !wait.owners.isEmpty, !wait.owners.contains(where: \.isDead) {
        return wait
      }
    }
    return Wait(kind: .futex, systemCall: "futex", object: WaitObject(address: futex.address))
  }

  private func join(_ futex: FutexWait, _ memory: ProcessMemory) -> Wait? {
    guard case .thread(let tid) = numbers.owner(of: futex.value, isShared: false),
      let joined = FutexFacts.joinedThread(
        futex.address, word: futex.value, before: futex.value, memory), joined == futex.value
    else { return nil }
    return Wait(kind: .join, systemCall: "futex", owners: [.thread(tid: tid)])
  }
}
