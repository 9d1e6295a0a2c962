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

  /// The waits that were the same at both moments, but for what one lock does that goes from hand to hand.
  ///
  /// The threads run while they are read one after the other: where nothing says who holds a mutex, it has
  /// to be the same one, and a thread that is itself seen to wait for a mutex holds it no more.
  static func lasting(
    _ before: [Int32: RuntimeWait], _ after: [Int32: RuntimeWait]
  ) -> [Int32: RuntimeWait] {
    after.filter { tid, wait in
      guard let earlier = before[tid], earlier.isSame(as: wait) else { return false }
      guard wait.kind == .mutex else { return true }
      guard let owner = wait.owner else { return earlier.object == wait.object }
      return after[owner].map { $0.object != wait.object } ?? true
    }
  }

  private static func read(
    _ runtimes: [AttachedRuntime], _ memory: ProcessMemory
  ) -> [Int32: RuntimeWait] {
    runtimes.reduce(into: [:]) { result, attached in
      result.merge(attached.runtime.waits(from: memory)) { known, _ in known }
    }
  }
}
