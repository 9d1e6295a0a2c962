internal import ProfileModel

/// What is known of the pings to the windows of a program; times are nanoseconds of any one clock.
///
/// A window that has not answered is sent no further ping, so that nothing heaps up in the program.
struct PingRecord {
  /// From one ping to the next.
  static let interval: Int64 = 500_000_000
  /// What an answer is waited for at the end.
  static let patience: Int64 = 1_000_000_000

  private struct Window {
    let id: UInt32
    var result: PingedWindow
    /// The last ping, while it has no answer, and its number.
    var pending: (number: UInt32, at: Int64)?
    var next: Int64 = 0
  }

  private var windows: [Window]

  /// Windows by number and title.
  init(_ windows: [(id: UInt32, title: String)]) {
    self.windows = windows.map { Window(id: $0.id, result: PingedWindow(title: $0.title)) }
  }

  /// The windows that are to be sent a ping of that number now.
  mutating func due(at now: Int64, number: UInt32) -> [UInt32] {
    windows.indices.filter { windows[$0].pending == nil && windows[$0].next <= now }.map { index in
      windows[index].pending = (number, now)
      windows[index].next = now + Self.interval
      windows[index].result.sent += 1
      return windows[index].id
    }
  }

  /// Counts an answer; one that was not asked for is none.
  mutating func answer(from window: UInt32, number: UInt32, at now: Int64) {
    for index in windows.indices where windows[index].id == window {
      guard let pending = windows[index].pending, pending.number == number else { continue }
      windows[index].pending = nil
      windows[index].result.answered += 1
      windows[index].result.slowest = max(windows[index].result.slowest, now - pending.at)
    }
  }

  /// When the next ping is to be sent; nil while every window still owes an answer.
  var nextTime: Int64? { windows.filter { $0.pending == nil }.map(\.next).min() }

  /// Whether it is too early to say of some window that it does not answer.
  func isPending(at now: Int64) -> Bool {
    windows.contains { $0.pending.map { now - $0.at < Self.patience } ?? false }
  }

  /// The results, as of that time.
  func results(at now: Int64) -> [PingedWindow] {
    windows.map { window in
      var result = window.result
      result.unanswered = window.pending.map { now - $0.at }
      return result
    }
  }
}
