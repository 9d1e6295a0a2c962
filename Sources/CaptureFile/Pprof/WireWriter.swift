/// The wire format of protobuf: https://protobuf.dev/programming-guides/encoding/
///
/// Samples are written with it: there are a thousand times as many of them as of all other
/// messages, and as values of protobuf's messages they take ten times the memory.
extension [UInt8] {
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// A number; 0 is left out, as proto3 does.
  mutating func appendField(_ number: UInt64, _ value: Int64) {
    guard value != 0 else { return }
    appendVarint(number << 3)
    appendVarint(UInt64(bitPattern: value))
  }

  /// The beginning of a message or a packed list of `count` bytes.
  mutating func beginField(_ number: UInt64, count: Int) {
    appendVarint(number << 3 | 2)
    appendVarint(UInt64(count))
  }
}

extension UInt64 {
  /// The bytes that it takes as a varint.
  var varintSize: Int { self == 0 ? 1 : (UInt64.bitWidth - leadingZeroBitCount + 6) / 7 }
}

extension Int64 {
  /// The bytes that it takes as a varint: ten when it is below 0.
  var varintSize: Int { UInt64(bitPattern: self).varintSize }
}
