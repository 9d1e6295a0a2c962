internal import ProfileModel

// Sums wrap around like the machine's own: what a program's memory says is hostile.
extension RemoteAddress {
  static let null = RemoteAddress(0)

  var isNull: Bool { rawValue == 0 }

  static func + (address: Self, offset: Int) -> Self { address.advanced(by: Int64(offset)) }

  static func - (address: Self, offset: Int) -> Self { address.advanced(by: -Int64(offset)) }
}
