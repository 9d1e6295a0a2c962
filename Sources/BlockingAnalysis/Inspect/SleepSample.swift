internal import ByteReading
package import LinuxProcess
package import ProfileModel

/// Where a thread sleeps: the call, its arguments, and the registers that the kernel shows.
///
/// A thread that is found at the same place again without having run sleeps the same sleep.
package struct SleepPlace: Hashable, Sendable {
  /// The system call that the program made, -1 for none; a call that goes on as `restart_syscall`
  /// keeps its own number.
  package var number: Int32
  /// The six argument registers.
  package let arguments: [UInt64]
  package let stackPointer: RemoteAddress
  package let pc: RemoteAddress

  package init(
    number: Int32, arguments: [UInt64], stackPointer: RemoteAddress, pc: RemoteAddress
  ) {
    self.number = number
    self.arguments = arguments
    self.stackPointer = stackPointer
    self.pc = pc
  }

  /// Whether `other` is the same place, whichever of the two knows the number of a call that was
  /// restarted.
  package func isSame(as other: SleepPlace) -> Bool {
    stackPointer == other.stackPointer && pc == other.pc && arguments == other.arguments
  }

  /// Whether `other` is the same wait, begun anew: in the same call of the same function, for the same
  /// object.
  ///
  /// Who waits for a condition variable sleeps at other words of it in turn, with other values
  /// (nptl/pthread_cond_wait.c: two groups in 48 bytes).
  package func isSameWait(as other: SleepPlace) -> Bool {
    guard stackPointer == other.stackPointer, pc == other.pc, let object = arguments.first,
      let otherObject = other.arguments.first
    else { return false }
    return max(object, otherObject) - min(object, otherObject) < 48
  }
}

/// What is known of a thread before a sample of it; all of it may be out of date.
package struct SleepHint: Sendable {
  /// Where it slept last: a call that goes on as `restart_syscall` has its number from there.
  package let place: SleepPlace?
  /// How often it had been put on a CPU then; nil where that was not read.
  package let switches: UInt64?
  /// Whether its stack at that place could be unwound, so that its functions are known.
  package let hasStack: Bool

  package init(place: SleepPlace? = nil, switches: UInt64? = nil, hasStack: Bool = false) {
    self.place = place
    self.switches = switches
    self.hasStack = hasStack
  }
}

/// What was read of one sleeping thread at one moment.
///
/// The thread has not run between the first and the last read, so that call, memory and descriptors
/// belong together.
package struct SleepSample: Sendable {
  package let thread: WaitingThread
  /// Nil where the kernel does not say.
  package let place: SleepPlace?
  /// How often the thread had been put on a CPU.
  package let switches: UInt64
  package let state: ThreadState
  /// When it was sampled.
  package var time: MonotonicClock.Instant
  /// When it fell asleep; nil where the kernel does not say.
  package var since: MonotonicClock.Instant?
  /// What the kernel's side shows; of a futex only that it is one.
  package var wait: Wait
  /// The memory around a futex; nil for other waits.
  var futex: FutexFacts?
  /// What to search for at the other end of each of `wait.descriptors`.
  var ends: [PeerRequest?] = []
  /// Return addresses on the innermost part of the stack, for code that has no unwind data.
  package var returnAddresses: [RemoteAddress] = []

  /// Whether `other` saw the same sleep, with no run in between.
  package func isSameSleep(as other: SleepSample) -> Bool {
    thread.tid == other.thread.tid && switches == other.switches
      && place?.stackPointer == other.place?.stackPointer && place?.pc == other.place?.pc
  }

  /// Takes over from `first` when it fell asleep, if the thread has since been put on a CPU only by
  /// `stops` stops of sprof: into each and back to sleep.
  ///
  /// Returns whether that is so.
  @discardableResult
  package mutating func goOn(from first: SleepSample, stops: Int) -> Bool {
    guard let place, let other = first.place, place.isSame(as: other), let begin = first.since,
      switches == first.switches &+ 2 &* UInt64(stops), stops > 0
    else { return false }
    since = begin
    guard wait.timeLeft == nil, let left = first.wait.timeLeft else { return true }
    wait.timeLeft = max(0, left - (time - first.time).rawValue)
    return true
  }

  /// The threads of its process that may hold the lock that it waits for: what it is follows from functions.
  package var possibleOwners: [Int32] {
    (futex?.owners.values).map { owners in
      owners.compactMap { if case .thread(let tid) = $0 { tid } else { nil } }
    } ?? []
  }

  /// Whether the wait names somebody who can end it, or might once its functions are known.
  package var mayHaveOwner: Bool {
    futex != nil || !wait.owners.isEmpty || ends.contains { $0 != nil }
  }
}

/// A function of a thread's stack, as far as it shows what the thread waits for.
package struct StackFunction: Hashable, Sendable {
  /// As a report shows it; meaningless when `isKnown` is false.
  package let name: String
  /// The number of the file that the code is in.
  package let module: Int32
  /// Whether the function has a name.
  package let isKnown: Bool

  package init(name: String, module: Int32, isKnown: Bool) {
    self.name = name
    self.module = module
    self.isKnown = isKnown
  }
}

/// A copy of some bytes of the program's memory.
struct MemoryWindow: Equatable, Sendable {
  let start: RemoteAddress
  let bytes: [UInt8]

  /// The number at an address; nil when it is not all in the copy.
  func value<Value: FixedWidthInteger & BitwiseCopyable>(
    at address: RemoteAddress, as type: Value.Type = UInt32.self
  ) -> Value? {
    guard address >= start else { return nil }
    let offset = Int(clamping: address.distance(from: start))
    return ByteReader(bytes.span.bytes).value(at: offset, as: type)
  }
}

/// Whose a thread number is that was found in a lock.
enum LockOwner: Hashable, Sendable {
  /// A live thread of the process, by the number that sprof knows it by.
  case thread(Int32)
  /// A thread of another process, for a lock in shared memory.
  case elsewhere(WaitOwner)
  case gone
  /// Not to be found out.
  case unknown
}
