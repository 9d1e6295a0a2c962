internal import ByteReading
internal import ProfileModel

/// A piece of the target's memory that was copied, with its address.
struct RemoteBytes: Sendable {
  let start: RemoteAddress
  let bytes: [UInt8]

  /// The first address behind the piece.
  var end: RemoteAddress { start + bytes.count }

  /// The integer at an offset from the start; nil where that is not within the piece.
  func value<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T? {
    // The span is used within this call only.
    unsafe ByteReader(bytes.span.bytes).value(at: offset, as: type)
  }

  func address(at offset: Int) -> RemoteAddress? {
    value(at: offset, as: UInt64.self).map { RemoteAddress($0) }
  }

  /// A signed 32-bit field.
  func int(at offset: Int) -> Int? { value(at: offset, as: Int32.self).map { Int($0) } }

  func byte(at offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }
}
