package import ProfileModel

/// Where a thread sleeps: the call, its arguments, and the registers that the kernel tells.
///
/// A thread that is found at the same place again without having run sleeps the same sleep.
package struct SleepPlace: Hashable, Sendable {
  /// The system call that the program made, -1 for none; a call that goes on as `restart_syscall`
  /// keeps its own number.
  package var number: Int32
  package let arguments: [UInt64]
  package let stackPointer: UInt64
  package let pc: UInt64

  package init(number: Int32, arguments: [UInt64], stackPointer: UInt64, pc: UInt64) {
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
}

/// What is known of a thread before a sample of it; all of it may be out of date.
package struct SleepHint: Sendable {
  /// Where it was seen to sleep: a call that goes on as `restart_syscall` has its number from there.
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
  /// Nil where the kernel does not tell.
  package let place: SleepPlace?
  /// How often the thread had been put on a CPU.
  package let switches: UInt64
  package let state: UInt8
  /// By `MonotonicClock`.
  package var time: Int64
  /// When it fell asleep, by `MonotonicClock`; nil where the kernel does not tell.
  package var since: Int64?
  /// What the kernel's side tells; of a futex only that it is one.
  package var wait: Wait
  /// The memory around a futex; nil for other waits.
  var futex: FutexFacts?
  /// What to look for at the other end of each of `wait.descriptors`.
  var ends: [PeerRequest?] = []
  /// Return addresses on the innermost part of the stack, for code that has no unwind data.
  package var returnAddresses: [RemoteAddress] = []

  /// Whether `other` saw the same sleep, with no run in between.
  package func isSameSleep(as other: SleepSample) -> Bool {
    thread.tid == other.thread.tid && switches == other.switches
      && place?.stackPointer == other.place?.stackPointer && place?.pc == other.place?.pc
  }

  /// Takes over from `first` when it fell asleep, if the thread has since been put on a CPU only by
  /// `stops` stops of ours: into each and back to sleep.
  package mutating func goOn(from first: SleepSample, stops: Int) {
    guard let place, let other = first.place, place.isSame(as: other), let begin = first.since,
      switches == first.switches &+ 2 &* UInt64(stops), stops > 0
    else { return }
    since = begin
    guard wait.timeLeft == nil, let left = first.wait.timeLeft else { return }
    wait.timeLeft = max(0, left - (time - first.time))
  }

  /// Whether the wait names somebody who can end it, or might once its functions are known.
  package var mayHaveOwner: Bool {
    futex != nil || !wait.owners.isEmpty || ends.contains { $0 != nil }
  }
}

/// A function of a thread's stack, as far as waits are told by it.
package struct StackFunction: Hashable, Sendable {
  /// As a report shows it; meaningless when `isKnown` is false.
  package let name: String
  /// Tells apart the files that code lies in.
  package let module: Int32
  package let isKnown: Bool

  package init(name: String, module: Int32, isKnown: Bool) {
    self.name = name
    self.module = module
    self.isKnown = isKnown
  }
}

/// A copy of some bytes of the watched program.
struct MemoryWindow: Equatable, Sendable {
  let start: UInt64
  let bytes: [UInt8]

  func word(at address: UInt64) -> UInt32? {
    let offset = address &- start
    guard address >= start, offset < UInt64(bytes.count), bytes.count - Int(offset) >= 4 else {
      return nil
    }
    return bytes[Int(offset)..<Int(offset) + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// What a thread number in a lock means.
enum ThreadLife: Hashable, Sendable {
  /// A live thread of the process, by the number that sprof knows it by.
  case alive(Int32)
  /// A thread of another process, for a lock in shared memory.
  case elsewhere(pid: Int32, tid: Int32, name: String)
  case gone
  /// It cannot be told.
  case unknown
}
