internal import Glibc
internal import LinuxProcess
internal import ProfileModel

/// Until when a call waits, as its arguments say.
enum TimeLimit: Equatable {
  case none
  /// Nanoseconds from the start of the call.
  case relative(Int64)
  /// Nanoseconds by a clock of the kernel.
  case absolute(clock: Int32, Int64)
  /// There is one, but it cannot be told.
  case unknown

  /// Nanoseconds left now, never below 0; nil when there is no limit or it is not known.
  ///
  /// `start` is when the call began, by the monotonic clock.
  func left(since start: Int64?) -> Int64? {
    switch self {
    case .none, .unknown: return nil
    case .relative(let span):
      guard let start else { return nil }
      return max(0, span &- (MonotonicClock.now() &- start))
    case .absolute(let clock, let time):
      // The clocks of CPU time, of a process or a thread, are the caller's own.
      guard
        clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || (7...9).contains(clock)
          || clock == 11
      else { return nil }
      var now = timespec()
      guard clock_gettime(clock, &now) == 0 else { return nil }
      return max(0, time &- (Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)))
    }
  }
}

extension ProcessMemory {
  /// The nanoseconds of a `struct timespec`, or with `unit` 1000 of a `struct timeval`.
  func time(at address: UInt64, unit: Int64 = 1) -> Int64? {
    guard address != 0, let bytes = read(at: .init(address), count: 16), bytes.count == 16 else {
      return nil
    }
    let words = [0, 8].map { start in
      bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    let (whole, overflow) = Int64(bitPattern: words[0]).multipliedReportingOverflow(
      by: 1_000_000_000)
    let part = Int64(bitPattern: words[1])
    guard !overflow, part >= 0, part < 1_000_000_000 else { return nil }
    let (sum, tooLarge) = whole.addingReportingOverflow(part &* unit)
    return tooLarge ? nil : sum
  }

  /// The zero-terminated string at `address`; nil when it is not readable.
  func string(at address: UInt64, limit: Int = 4096) -> String? {
    guard address != 0, let bytes = read(at: .init(address), count: limit) else { return nil }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
