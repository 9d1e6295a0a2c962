/// Reads little-endian integers and strings from bytes that may be torn, short or hostile.
///
/// A read past the end gives nil and does not move `offset`.
package struct ByteReader: ~Escapable {
  private let bytes: RawSpan
  /// The offset of the next read; outside the bytes a read gives nil.
  package var offset: Int

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The number of all bytes.
  package var count: Int { bytes.byteCount }

  /// The next integer, little-endian, at any alignment.
  @_lifetime(self: copy self)
  package mutating func next<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T? {
    guard let value = value(at: offset, as: type) else { return nil }
    offset += MemoryLayout<T>.size
    return value
  }

  /// The integer at `position`, without moving.
  package func value<T: FixedWidthInteger & BitwiseCopyable>(
    at position: Int, as type: T.Type
  ) -> T? {
    guard position >= 0, position <= bytes.byteCount - MemoryLayout<T>.size else { return nil }
    // The guard above keeps all bytes of the integer within the span, and any bytes make an
    // integer.
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
    while end < stop, value(at: end, as: UInt8.self) != 0 { end += 1 }
    guard end < bytes.byteCount else { return nil }
    // The pointer is used within the closure only.
    return unsafe bytes.extracting(position..<end).withUnsafeBytes { bytes in
      unsafe String(decoding: bytes, as: UTF8.self)
    }
  }
}
