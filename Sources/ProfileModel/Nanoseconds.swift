/// A length of time, to the nanosecond.
///
/// Its arithmetic wraps around and never traps: some lengths come from the watched program's memory.
package struct Nanoseconds: Hashable, Comparable, Sendable, AdditiveArithmetic {
  /// The number of nanoseconds; may be negative.
  package let rawValue: Int64

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
}

extension Nanoseconds: ExpressibleByIntegerLiteral {
  /// A literal counts nanoseconds.
  @inlinable
  package init(integerLiteral value: Int64) { self.init(value) }
}
