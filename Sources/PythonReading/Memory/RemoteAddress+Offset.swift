internal import ProfileModel

// Sums wrap around like the machine's own: what a program's memory says is hostile.
extension RemoteAddress {
  static let null = RemoteAddress(0)

  var isNull: Bool { rawValue == 0 }

  /// The place of a field, or of an element, `offset` bytes further.
  static func + (address: Self, offset: Int) -> Self { address.advanced(by: Int64(offset)) }

  static func - (address: Self, offset: Int) -> Self { address.advanced(by: -Int64(offset)) }

  /// Whether it is one of the `count` bytes from `start` on.
  func isWithin(_ count: Int, of start: Self) -> Bool {
    rawValue &- start.rawValue < UInt64(count)
  }
}
