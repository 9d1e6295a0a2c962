internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The CPU time that sprof's own threads may use to sample: those of one capture, or of all that are made
/// together.
///
/// Names are looked up beside and after it, and are not counted: fewer samples would not make that
/// cheaper. May be used from any thread.
package final class CPUBudget: Sendable {
  /// The share of one core, 0 to 1; 1 allows everything.
  let share: Double
  private let budget: Mutex<TimeBudget>
  /// The first tick of thousands of threads takes a second.
  private static let longestWait = Nanoseconds.seconds(4)

  init(share: Double) {
    self.share = share
    budget = Mutex(TimeBudget(share: share, longestWait: Self.longestWait))
  }

  /// The earliest moment for the next tick.
  var earliestTick: MonotonicClock.Instant {
    MonotonicClock.Instant(max(0, budget.withLock { $0.earliestTick }.rawValue))
  }

  fileprivate func spend(_ time: Nanoseconds) {
    let now = Nanoseconds(MonotonicClock.now().rawValue)
    budget.withLock { $0.spend($0.used + time, at: now) }
  }

  /// Counts what one thread of sprof uses.
  struct Meter: ~Copyable {
    private let budget: CPUBudget
    private var last: Nanoseconds

    /// Counts what the calling thread uses from here on, or has used since it began.
    init(_ budget: CPUBudget, sinceThreadBegan: Bool = false) {
      self.budget = budget
      last = sinceThreadBegan ? 0 : OwnUsage.threadCPU()
    }

    /// Counts what the thread has used since the last call; 0.5 µs.
    mutating func count() {
      guard budget.share < 1 else { return }
      let now = OwnUsage.threadCPU()
      budget.spend(now - last)
      last = now
    }
  }
}
