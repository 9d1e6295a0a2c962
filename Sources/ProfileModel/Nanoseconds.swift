/// A length of time, to the nanosecond.
///
/// Its arithmetic wraps around and never traps: some lengths come from the watched program's memory.
public struct Nanoseconds: Hashable, Comparable, Sendable, AdditiveArithmetic {
  /// The number of nanoseconds; may be negative.
  public let rawValue: Int64

  /// Longer than any other.
  public static let max = Nanoseconds(.max)

  @inlinable
  public init(_ rawValue: Int64) { self.rawValue = rawValue }

  @inlinable
  public static func microseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count &* 1000) }

  @inlinable
  public static func milliseconds(_ count: Int64) -> Nanoseconds {
    Nanoseconds(count &* 1_000_000)
  }

  @inlinable
  public static func seconds(_ count: Int64) -> Nanoseconds {
    Nanoseconds(count &* 1_000_000_000)
  }

  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  @inlinable
  public static func + (left: Self, right: Self) -> Self {
    Nanoseconds(left.rawValue &+ right.rawValue)
  }

  @inlinable
  public static func - (left: Self, right: Self) -> Self {
    Nanoseconds(left.rawValue &- right.rawValue)
  }

  @inlinable
  public static func * (left: Self, right: Int64) -> Self {
    Nanoseconds(left.rawValue &* right)
  }

  @inlinable
  public static func / (left: Self, right: Int64) -> Self { Nanoseconds(left.rawValue / right) }

  /// How many whole lengths of `other`, which is not 0, fit into it.
  @inlinable
  public func count(of other: Self) -> Int64 { rawValue / other.rawValue }

  /// The same length in seconds, rounded.
  @inlinable
  public var inSeconds: Double { Double(rawValue) / 1e9 }
}

extension Nanoseconds: ExpressibleByIntegerLiteral {
  /// A literal counts nanoseconds.
  @inlinable
  public init(integerLiteral value: Int64) { self.init(value) }
}
