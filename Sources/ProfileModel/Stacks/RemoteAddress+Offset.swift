// Public for the sake of speed, as `RemoteAddress` itself. Sums wrap around like the machine's own: what a
// program's memory says is hostile.
extension RemoteAddress {
  /// What C, and system calls, take for "none".
  @inlinable
  public static var null: Self { Self(0) }

  @inlinable
  public var isNull: Bool { rawValue == 0 }

  /// The place of a field, or of an element, `offset` bytes further.
  @inlinable
  public static func + (address: Self, offset: Int) -> Self { address.advanced(by: Int64(offset)) }

  @inlinable
  public static func - (address: Self, offset: Int) -> Self {
    address.advanced(by: 0 &- Int64(offset))
  }

  /// Whether it is one of the `count` bytes from `start` on.
  @inlinable
  public func isWithin(_ count: Int, of start: Self) -> Bool {
    count > 0 && rawValue &- start.rawValue < UInt64(count)
  }
}
