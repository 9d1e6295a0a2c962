/// Reads little-endian integers and strings from bytes that may be torn, short or hostile.
///
/// Every read is checked against the end; a read past it gives nil and moves nothing.
package struct ByteReader: ~Escapable {
  private let bytes: RawSpan
  /// The offset of the next read; may be set anywhere, reads outside give nil.
  package var offset: Int

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The number of bytes altogether.
  package var count: Int { bytes.byteCount }

  /// Whether no byte is left.
  package var isAtEnd: Bool { offset >= bytes.byteCount }

  /// The next integer, little-endian, at any alignment.
  @_lifetime(self: copy self)
  package mutating func next<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T? {
    let size = MemoryLayout<T>.size
    guard offset >= 0, offset <= bytes.byteCount - size else { return nil }
    // The guard above keeps offset + size inside the span.
    let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
    offset += size
    return T(littleEndian: value)
  }

  /// The integer at `position`, without moving.
  package func value<T: FixedWidthInteger & BitwiseCopyable>(
    at position: Int, as type: T.Type
  ) -> T? {
    guard position >= 0, position <= bytes.byteCount - MemoryLayout<T>.size else { return nil }
    // The guard above keeps position + size inside the span.
    let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: T.self)
    return T(littleEndian: value)
  }

  /// The next unsigned LEB128 number; nil when it is cut off or longer than 64 bits.
  @_lifetime(self: copy self)
  package mutating func nextULEB128() -> UInt64? {
    var result: UInt64 = 0
    var position = offset
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = value(at: position, as: UInt8.self) else { return nil }
      position += 1
      let bits = UInt64(byte & 0x7f)
      guard shift < 63 || bits <= 1 else { return nil }
      result |= bits << shift
      if byte & 0x80 == 0 {
        offset = position
        return result
      }
    }
    return nil
  }

  /// The next signed LEB128 number; nil when it is cut off or longer than 64 bits.
  @_lifetime(self: copy self)
  package mutating func nextSLEB128() -> Int64? {
    var result: Int64 = 0
    var position = offset
    for shift in stride(from: Int64(0), to: 70, by: 7) {
      guard let byte = value(at: position, as: UInt8.self) else { return nil }
      position += 1
      result |= Int64(byte & 0x7f) << shift
      if byte & 0x80 == 0 {
        if byte & 0x40 != 0, shift + 7 < 64 { result |= -1 << (shift + 7) }
        offset = position
        return result
      }
    }
    return nil
  }

  /// The zero-terminated string at `position`, at most `limit` bytes of it; nil without a zero.
  package func string(at position: Int, limit: Int = 1 << 16) -> String? {
    guard position >= 0, position < bytes.byteCount else { return nil }
    var end = position
    let stop = min(bytes.byteCount, position + limit)
    while end < stop, unsafe bytes.unsafeLoad(fromByteOffset: end, as: UInt8.self) != 0 { end += 1 }
    guard end < bytes.byteCount else { return nil }
    return bytes.extracting(position..<end).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
