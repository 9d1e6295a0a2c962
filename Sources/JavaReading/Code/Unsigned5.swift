/// Reads HotSpot's compressed numbers (src/hotspot/share/utilities/unsigned5.hpp).
///
/// Up to five bytes in base 64; since JDK 20 no byte is 0, so that 0 may end a stream.
struct Unsigned5 {
  private let bytes: [UInt8]
  private(set) var position: Int
  /// 1 where no byte is 0.
  private let excluded: UInt32

  init(_ bytes: [UInt8], at position: Int = 0, version: Int) {
    self.bytes = bytes
    self.position = position
    excluded = version >= 20 ? 1 : 0
  }

  /// The next byte as it is.
  mutating func nextByte() -> UInt8? {
    guard bytes.indices.contains(position) else { return nil }
    position += 1
    return bytes[position - 1]
  }

  /// The next number; nil at the end, and at a byte that no number has.
  mutating func next() -> UInt32? {
    // Below it a byte is the last one of a number.
    let low = 192 - excluded
    var sum: UInt32 = 0
    for index in 0..<5 {
      guard let byte = nextByte(), UInt32(byte) >= excluded else { return nil }
      let digit = UInt32(byte) - excluded
      sum &+= digit << UInt32(6 * index)
      if digit < low { return sum }
    }
    return sum
  }

  /// The next number with a sign in its lowest bit.
  mutating func nextSigned() -> Int32? {
    next().map { Int32(bitPattern: $0 >> 1) ^ -Int32(bitPattern: $0 & 1) }
  }
}
