/// A length of time, to the nanosecond.
///
/// Its arithmetic wraps around and never traps: some lengths come from the watched program's memory.
package struct Nanoseconds: Hashable, Comparable, Sendable, AdditiveArithmetic {
  /// The number of nanoseconds; may be negative.
  package let rawValue: Int64

  /// Longer than any other.
  package static let max = Nanoseconds(.max)

  @inlinable
  package init(_ rawValue: Int64) { self.rawValue = rawValue }

  @inlinable
  package static func microseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count &* 1000) }

  @inlinable
  package static func milliseconds(_ count: Int64) -> Nanoseconds {
    Nanoseconds(count &* 1_000_000)
  }

  @inlinable
  package static func seconds(_ count: Int64) -> Nanoseconds {
    Nanoseconds(count &* 1_000_000_000)
  }

  @inlinable
  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  @inlinable
  package static func + (left: Self, right: Self) -> Self {
    Nanoseconds(left.rawValue &+ right.rawValue)
  }

  @inlinable
  package static func - (left: Self, right: Self) -> Self {
    Nanoseconds(left.rawValue &- right.rawValue)
  }

  @inlinable
  package static func * (left: Self, right: Int64) -> Self {
    Nanoseconds(left.rawValue &* right)
  }

  @inlinable
  package static func / (left: Self, right: Int64) -> Self { Nanoseconds(left.rawValue / right) }

  /// How many whole lengths of `other`, which is not 0, fit into it.
  @inlinable
  package func count(of other: Self) -> Int64 { rawValue / other.rawValue }

  /// The same length in seconds, rounded.
  @inlinable
  package var inSeconds: Double { Double(rawValue) / 1e9 }
}

extension Nanoseconds: ExpressibleByIntegerLiteral {
  /// A literal counts nanoseconds.
  @inlinable
  package init(integerLiteral value: Int64) { self.init(value) }
}
