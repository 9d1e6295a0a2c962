internal import ByteReading
internal import Glibc
internal import LinuxProcess
internal import ProfileModel

/// Until when a call waits, as its arguments say.
enum TimeLimit: Equatable {
  case none
  /// From the start of the call.
  case relative(Nanoseconds)
  /// What a clock of the kernel will show.
  case absolute(clock: Int32, Nanoseconds)
  /// There is one, but it is not known.
  case unknown

  /// The time left now, never below 0; nil when there is no limit or it is not known.
  ///
  /// `start` is when the call began.
  func left(since start: MonotonicClock.Instant?) -> Nanoseconds? {
    switch self {
    case .none, .unknown: return nil
    case .relative(let span):
      guard let start else { return nil }
      return max(0, span - (MonotonicClock.now() - start))
    case .absolute(let clock, let time):
      // The clocks of CPU time, of a process or a thread, are the caller's own.
      guard
        clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || (7...9).contains(clock)
          || clock == 11
      else { return nil }
      return KernelClock.read(clock).map { max(0, time - $0) }
    }
  }
}

extension ProcessMemory {
  /// The value of a `struct timespec`, or with `unit` 1000 of a `struct timeval`.
  func time(at address: RemoteAddress, unit: Int64 = 1) -> Nanoseconds? {
    guard address != .null, let bytes = read(at: address, count: 16) else { return nil }
    var reader = ByteReader(bytes.span.bytes)
    guard let seconds = reader.next(Int64.self), let part = reader.next(Int64.self) else {
      return nil
    }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow, part >= 0, part < 1_000_000_000 else { return nil }
    let (sum, tooLarge) = whole.addingReportingOverflow(part &* unit)
    return tooLarge ? nil : Nanoseconds(sum)
  }

  /// The zero-terminated string at `address`; nil when it is not readable.
  func string(at address: RemoteAddress, limit: Int = 4096) -> String? {
    guard address != .null, let bytes = read(at: address, count: limit) else { return nil }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
