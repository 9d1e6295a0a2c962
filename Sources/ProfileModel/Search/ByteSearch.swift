extension StringProtocol {
  /// Whether it contains the bytes of `text`.
  ///
  /// `contains` compares characters, whichever way they are encoded, which takes twenty times as
  /// long.
  package func contains(bytesOf text: String) -> Bool {
    var text = text
    return text.withUTF8 { wanted in
      utf8.withContiguousStorageIfAvailable { Self.contains(wanted, in: $0) }
        ?? Array(utf8).withUnsafeBufferPointer { Self.contains(wanted, in: $0) }
    }
  }

  private static func contains(
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
