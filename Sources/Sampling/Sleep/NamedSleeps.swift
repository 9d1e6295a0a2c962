internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel

/// What sleeps were found to be, with names, for the next time that they are named: most go on unchanged.
struct NamedSleeps: Sendable {
  private struct Key: Hashable {
    let tid: Int32
    let firstSeen: MonotonicClock.Instant
  }

  private var known: [Key: (revision: Int, wait: Wait)] = [:]
  private var next: [Key: (revision: Int, wait: Wait)] = [:]
  /// What the names are of, and when the first was given.
  private var stamp: [Int] = []
  private var beginning = MonotonicClock.Instant.distantPast
  private static let life = Nanoseconds.seconds(10)

  /// Begins a turn: names are given anew where `stamp`, what they depend on, has changed, and now and then.
  mutating func begin(_ stamp: [Int]) {
    let now = MonotonicClock.now()
    if stamp != self.stamp || now - beginning > Self.life {
      (known, self.stamp, beginning) = ([:], stamp, now)
    }
    next = [:]
    next.reserveCapacity(known.count)
  }

  /// What a sleep is; asks `make` where that is not known.
  mutating func wait(of record: SleepRecord, make: () -> Wait) -> Wait {
    let key = Key(tid: record.sample.thread.tid, firstSeen: record.firstSeen)
    guard let entry = known[key], entry.revision == record.revision else {
      let wait = make()
      next[key] = (record.revision, wait)
      return wait
    }
    next[key] = entry
    var wait = entry.wait
    if wait.timeLeft != nil { wait.timeLeft = record.sample.wait.timeLeft }
    return wait
  }

  /// Ends a turn: sleeps that were not asked for are forgotten.
  mutating func finish() {
    known = next
    next = [:]
  }
}
