internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// What threads wait for by what their runtimes say, at the end of a capture: what was so at two moments.
struct RuntimeWaitSurvey {
  /// Between the two moments.
  private static let pause = Nanoseconds.milliseconds(10)

  private var first: (waits: [Int32: RuntimeWait], time: MonotonicClock.Instant)?
  /// By thread: what was found twice, some milliseconds apart.
  private(set) var waits: [Int32: RuntimeWait] = [:]

  /// Looks the first time.
  mutating func begin(_ runtimes: [AttachedRuntime], _ memory: ProcessMemory) {
    first = (Self.read(runtimes, memory), MonotonicClock.now())
  }

  /// Looks the second time, at the earliest some milliseconds later; waits only where there is anything.
  mutating func finish(_ runtimes: [AttachedRuntime], _ memory: ProcessMemory) {
    if first == nil { begin(runtimes, memory) }
    guard let (before, time) = first, !before.isEmpty else { return }
    MonotonicClock.sleep(until: time + Self.pause)
    let after = Self.read(runtimes, memory)
    waits = Self.lasting(before, after)
  }

  /// The waits that were the same at both moments, but for what one lock does that goes from hand to hand:
  /// that one has no owner.
  ///
  /// The threads run while they are read one after the other: where nothing says who holds a lock, it has
  /// to be the same one, and a thread that is itself seen to wait for a lock holds it no more.
  static func lasting(
    _ before: [Int32: RuntimeWait], _ after: [Int32: RuntimeWait]
  ) -> [Int32: RuntimeWait] {
    var result: [Int32: RuntimeWait] = [:]
    for (tid, wait) in after {
      guard let earlier = before[tid], earlier.isAlike(wait) else { continue }
      if let owner = wait.owner, owner == earlier.owner, !asks(owner, for: wait, after) {
        result[tid] = wait
      } else if wait.isForLock {
        if earlier.object == wait.object { result[tid] = wait.withoutOwner }
      } else if earlier.owner == wait.owner {
        result[tid] = wait
      }
    }
    return result
  }

  /// The waits of one moment, without owners of locks that wait for the same lock themselves.
  static func ofOneMoment(_ waits: [Int32: RuntimeWait]) -> [Int32: RuntimeWait] {
    waits.mapValues { wait in
      guard let owner = wait.owner, asks(owner, for: wait, waits) else { return wait }
      return wait.withoutOwner
    }
  }

  /// Whether the owner of a lock is seen to wait for that lock.
  private static func asks(
    _ owner: Int32, for wait: RuntimeWait, _ waits: [Int32: RuntimeWait]
  ) -> Bool {
    wait.isForLock && waits[owner]?.object == wait.object
  }

  /// What all threads wait for at this moment, as far as their runtimes know.
  static func read(
    _ runtimes: [AttachedRuntime], _ memory: ProcessMemory
  ) -> [Int32: RuntimeWait] {
    runtimes.reduce(into: [:]) { result, attached in
      result.merge(attached.runtime.waits(from: memory)) { known, _ in known }
    }
  }
}
