internal import ProfileModel

/// Keeps what ticks use within a share of the time, by waiting longer between them: how long they stop
/// the program, or sprof's own CPU time.
///
/// A tick takes 0.1 ms on a machine with CPUs to spare, and milliseconds where sprof itself has to wait
/// for one. What is allowed grows with time, and may be saved up or be overdrawn by a little, so that a
/// single long tick changes nothing.
struct TimeBudget: Sendable {
  /// The most time that may be overdrawn or saved up, of which `share` may be used.
  static let slack = Nanoseconds.milliseconds(200)

  /// The share of time that may be used, 0 to 1.
  let share: Double
  /// The longest wait for the next tick, whatever the last has used.
  private let longestWait: Nanoseconds
  /// The time for which what was used is allowed, from the start of the clock.
  private var paidUntil: Nanoseconds = 0
  /// What was used in all.
  private(set) var used: Nanoseconds = 0

  /// A share of 1 or more allows everything.
  init(share: Double, longestWait: Nanoseconds = .seconds(1)) {
    self.share = share
    self.longestWait = longestWait
  }

  /// Whether there is nothing that it does not allow.
  var isUnlimited: Bool { share >= 1 }

  /// Notes that `total` was used since the start, at `time`.
  mutating func spend(_ total: Nanoseconds, at time: Nanoseconds) {
    guard !isUnlimited else { return }
    let new = max(total - used, 0)
    used = total
    let worth = Double(new.rawValue) / max(share, 0.0001)
    let paid = max(paidUntil, time - Self.slack) + Nanoseconds(Int64(min(worth, 1e15)))
    paidUntil = min(paid, time + Self.slack + longestWait)
  }

  /// The earliest time for the next tick.
  var earliestTick: Nanoseconds { isUnlimited ? Nanoseconds(.min) : paidUntil - Self.slack }

  /// The share as the user may have written it.
  static func words(_ share: Double) -> String {
    let tenths = Int((min(max(share, 0), 1) * 1000).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
  }
}
