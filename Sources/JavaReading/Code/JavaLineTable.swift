internal import RuntimeReading

/// The lines of a method, by bytecode: pairs of differences, most in one byte
/// (src/hotspot/share/code/compressedStream.hpp, `CompressedLineNumberReadStream`).
enum JavaLineTable {
  /// No method has more entries: its code has 65,535 bytes.
  private static let limit = 1 << 16

  /// Reads the table at the start of `bytes`; a torn one gives what came before.
  static func read(_ bytes: [UInt8], version: Int) -> RuntimeLineTable {
    var entries: [(code: Int, line: Int32)] = []
    var stream = Unsigned5(bytes, version: version)
    var (code, line) = (0, Int32(0))
    while entries.count < limit, let byte = stream.nextByte(), byte != 0 {
      if byte == 0xff {
        guard let codeStep = stream.nextSigned(), let lineStep = stream.nextSigned() else { break }
        code &+= Int(codeStep)
        line &+= lineStep
      } else {
        code &+= Int(byte >> 3)
        line &+= Int32(byte & 7)
      }
      guard (0...0xffff).contains(code), line >= 0 else { break }
      entries.append((code, line))
    }
    // Compilers may list the pieces of a loop in any order.
    var table = RuntimeLineTable()
    let sorted = entries.enumerated().sorted {
      ($0.element.code, $0.offset) < ($1.element.code, $1.offset)
    }
    for entry in sorted { table.add(entry.element.line, from: entry.element.code) }
    return table
  }
}
