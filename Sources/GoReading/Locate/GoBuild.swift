internal import ByteReading
package import ELFReading

/// Which release of Go a program was built with, by what the linker put into it (`.go.buildinfo`).
package struct GoBuild: Hashable, Sendable {
  /// As `go version` prints it: `go1.22.10`.
  package let version: String
  /// Nil for a development version.
  package let minor: Int?

  package init(version: String) {
    self.version = version
    let parts = version.split(separator: ".")
    let digits = parts.count > 1 && parts[0] == "go1" ? parts[1].prefix { $0.isNumber } : ""
    minor = Int(digits)
  }

  /// As a sentence says it: `go1.17.13`, or that nothing shows the version.
  var title: String { version == Self.unknownVersion ? "Go of an unknown version" : version }

  /// Of a program whose linker left nothing.
  static let unknownVersion = "Go"

  /// The oldest version whose table of functions is read.
  static let oldestMinor = 18

  /// Nil for a program that is not Go's, and for one whose linker left nothing.
  package init?(_ file: ELFFile, bytes: RawSpan) {
    guard let section = file.section(named: ".go.buildinfo"),
      let range = file.bytes(of: section, fileSize: bytes.byteCount)
    else { return nil }
    var reader = ByteReader(bytes.extracting(range))
    let magic = "\u{ff} Go buildinf:".unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    for (place, byte) in magic.enumerated()
    where reader.value(at: place, as: UInt8.self) != byte { return nil }
    // Since 1.18 the strings follow the header of 32 bytes, each behind its length (debug/buildinfo).
    guard let flags = reader.value(at: 15, as: UInt8.self), flags & 2 != 0 else { return nil }
    reader.offset = 32
    guard let length = reader.nextULEB128(), length > 0, length < 256 else { return nil }
    let text = (0..<Int(length)).compactMap { reader.value(at: reader.offset + $0, as: UInt8.self) }
    self.init(version: String(decoding: text, as: UTF8.self))
  }
}
