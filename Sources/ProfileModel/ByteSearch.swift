extension StringProtocol {
  /// Whether the bytes of `text` lie in it, one after the other.
  ///
  /// `contains` looks for characters, however they are written, which takes twenty times as long.
  package func contains(bytesOf text: String) -> Bool {
    var text = text
    return text.withUTF8 { wanted in
      utf8.withContiguousStorageIfAvailable { Self.lies(wanted, in: $0) }
        ?? Array(utf8).withUnsafeBufferPointer { Self.lies(wanted, in: $0) }
    }
  }

  private static func lies(
    _ wanted: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard let first = wanted.first else { return true }
    guard wanted.count <= bytes.count else { return false }
    for start in 0...(bytes.count - wanted.count) where bytes[start] == first {
      var length = 1
      while length < wanted.count, bytes[start + length] == wanted[length] { length += 1 }
      if length == wanted.count { return true }
    }
    return false
  }
}
