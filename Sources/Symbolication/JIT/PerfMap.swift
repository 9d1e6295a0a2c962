/// The lines of a `perf-PID.map`: start and size, hexadecimal, and the name (Linux,
/// tools/perf/Documentation/jit-interface.txt).
struct PerfMap {
  /// Longer names are cut.
  private static let nameLimit = 1024
  /// Longer lines are none.
  private static let lineLimit = 1 << 16
  /// What was read of a line whose end is not there yet.
  private var rest: [UInt8] = []

  /// Reads what has come, and hands over each whole line.
  mutating func read(_ bytes: [UInt8], _ body: (GeneratedFunction) -> Void) {
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: 0x0a) {
      if rest.isEmpty {
        Self.function(bytes[start..<end]).map(body)
      } else {
        rest += bytes[start..<end]
        Self.function(rest[...]).map(body)
        rest = []
      }
      start = end + 1
    }
    if rest.count + (bytes.endIndex - start) <= Self.lineLimit { rest += bytes[start...] }
  }

  private static func function(_ line: ArraySlice<UInt8>) -> GeneratedFunction? {
    var fields = line
    guard let start = number(&fields), let size = number(&fields) else { return nil }
    let name = fields.prefix(nameLimit)
    guard !name.isEmpty else { return nil }
    return GeneratedFunction(start: start, size: size, name: String(decoding: name, as: UTF8.self))
  }

  /// A hexadecimal number and the space behind it.
  private static func number(_ line: inout ArraySlice<UInt8>) -> UInt64? {
    if line.starts(with: [0x30, 0x78]) { line = line.dropFirst(2) }
    var value: UInt64 = 0
    var digits = 0
    while let byte = line.first, byte != 0x20 {
      guard let digit = digit(byte), digits < 16 else { return nil }
      value = value << 4 | digit
      digits += 1
      line = line.dropFirst()
    }
    guard digits > 0, !line.isEmpty else { return nil }
    line = line.dropFirst()
    return value
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
