/// Columns of numbers in few bytes: 7 bits a byte, the low ones first.
struct PageColumns {
  /// Where a column is.
  struct Place {
    let start: Int
    let length: Int
  }

  private(set) var bytes: [UInt8] = []

  /// Adds a column of numbers that are not negative.
  mutating func add(_ numbers: some Sequence<UInt64>) -> Place {
    let start = bytes.count
    for number in numbers {
      var rest = number
      while rest >= 128 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    return Place(start: start, length: bytes.count - start)
  }

  /// Adds a column of any numbers; small ones take few bytes, negative ones too.
  mutating func add(signed numbers: some Sequence<Int64>) -> Place {
    add(numbers.lazy.map { UInt64(bitPattern: ($0 << 1) ^ ($0 >> 63)) })
  }
}

/// Bytes as letters, digits, `+` and `/` (RFC 4648).
enum Base64 {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Passes the letters to `output`, a large piece at a time.
  static func write(_ bytes: [UInt8], to output: (String) -> Void) {
    // A multiple of three, so that only the last piece is filled up.
    let pieceSize = 3 << 14
    var start = 0
    while start < bytes.count {
      let end = min(start + pieceSize, bytes.count)
      output(String(decoding: encode(bytes[start..<end]), as: UTF8.self))
      start = end
    }
  }

  private static func encode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var at = bytes.startIndex
    while at < bytes.endIndex {
      let count = min(3, bytes.endIndex - at)
      var word: UInt32 = 0
      for offset in 0..<3 {
        word = word << 8 | (offset < count ? UInt32(bytes[at + offset]) : 0)
      }
      for letter in 0..<4 {
        let index = Int(word >> UInt32(18 - 6 * letter)) & 63
        text.append(letter <= count ? letters[index] : UInt8(ascii: "="))
      }
      at += count
    }
    return text
  }
}
