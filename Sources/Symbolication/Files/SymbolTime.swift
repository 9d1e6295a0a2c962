internal import LinuxProcess
internal import ProfileModel

/// How long looking up names may take, and what was left out for want of time.
final class SymbolTime {
  /// What libdeflate inflates in a second; a third less than what it does on a machine of 2020.
  private static let inflatedPerSecond: Int64 = 200 << 20

  private let limit: Nanoseconds?
  private var spent = Nanoseconds(0)
  private var began: MonotonicClock.Instant?

  init(limit: Nanoseconds?) { self.limit = limit }

  /// Counts the time of `body`.
  func spend<Value>(_ body: () -> Value) -> Value {
    guard limit != nil, began == nil else { return body() }
    let start = MonotonicClock.now()
    began = start
    defer {
      spent = spent + (MonotonicClock.now() - start)
      began = nil
    }
    return body()
  }

  private var used: Nanoseconds {
    began.map { spent + (MonotonicClock.now() - $0) } ?? spent
  }

  /// Whether nothing more should be read.
  var isOver: Bool { limit.map { used >= $0 } ?? false }

  /// What inflating so many bytes would take.
  static func cost(ofInflating bytes: UInt64) -> Nanoseconds {
    Nanoseconds(
      Int64(clamping: bytes).multipliedReportingOverflow(by: 1000).partialValue
        / inflatedPerSecond * 1_000_000)
  }

  /// Whether there is time for what takes `cost`.
  func allows(_ cost: Nanoseconds) -> Bool {
    limit.map { used + cost <= $0 } ?? true
  }

  /// The limit in words.
  var limitText: String { Self.words(limit ?? Nanoseconds(0)) }

  /// A length of time, in whole seconds or milliseconds.
  static func words(_ time: Nanoseconds) -> String {
    let milliseconds = time.rawValue / 1_000_000
    if milliseconds >= 1000 { return "\((milliseconds + 500) / 1000) s" }
    return milliseconds > 0 ? "\(milliseconds) ms" : "\(time.rawValue / 1000) µs"
  }
}
