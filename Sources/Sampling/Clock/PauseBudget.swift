internal import ProfileModel

/// Keeps the stops within a share of the watched program's time, by waiting longer between ticks.
///
/// A stop lasts for 0.1 ms on a machine with CPUs to spare, and for milliseconds where sprof itself has
/// to wait for one. What the stops are allowed grows with time, and may be saved up or be overdrawn
/// by a little, so that a single long stop changes nothing.
struct PauseBudget {
  /// The most time that may be overdrawn or saved up, of which `share` are stops.
  static let slack = Nanoseconds.milliseconds(200)

  /// The longest wait for the next tick: hardly any stop is worth more.
  static let longestWait = Nanoseconds.seconds(1)

  /// The share of time that stops may take, 0 to 1.
  private let share: Double
  /// The time for which the stops so far are allowed, from the start of the capture.
  private var paidUntil: Nanoseconds = 0
  private var heldTime: Nanoseconds = 0

  /// A share of 1 or more allows any stop.
  init(share: Double) { self.share = share }

  /// Notes that stops have lasted `heldTime` in all, at `time`.
  mutating func spend(heldTime total: Nanoseconds, at time: Nanoseconds) {
    guard share < 1 else { return }
    let held = max(total - heldTime, 0)
    heldTime = total
    let worth = Double(held.rawValue) / max(share, 0.0001)
    let paid = max(paidUntil, time - Self.slack) + Nanoseconds(Int64(min(worth, 1e15)))
    paidUntil = min(paid, time + Self.slack + Self.longestWait)
  }

  /// The share as the user may have written it.
  static func words(_ share: Double) -> String {
    let tenths = Int((min(max(share, 0), 1) * 1000).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
  }

  /// The earliest time for the next tick.
  var earliestTick: Nanoseconds { paidUntil - Self.slack }
}
