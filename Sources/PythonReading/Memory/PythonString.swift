internal import ByteReading
internal import ProfileModel

/// How this version keeps a `str`: PEP 393 (cpython/unicodeobject.h).
struct PythonStringShape: Sendable, Equatable {
  let length: Int
  let state: Int
  /// Where the characters begin: behind a PyASCIIObject, or behind a PyCompactUnicodeObject.
  let asciiSize: Int
  let compactSize: Int

  /// The bytes up to the end of the state, in whole words.
  var headerSize: Int { max(length, state) + PythonObjectShape.wordSize }
  /// Longer names are cut and marked.
  static let byteLimit = 4096

  /// No head of a string is longer; an interpreter may describe its own layout.
  private static let headLimit = 4096

  /// Nil when the layout lacks one of them.
  init?(_ layout: PythonLayout) {
    guard let length = layout[.stringLength], let state = layout[.stringState],
      let asciiSize = layout[.asciiSize], let compactSize = layout[.compactSize],
      max(asciiSize, compactSize) <= Self.headLimit
    else { return nil }
    self.length = length
    self.state = state
    self.asciiSize = asciiSize
    self.compactSize = compactSize
  }

  /// What the header of a string says.
  struct Header: Equatable {
    /// 1, 2 or 4 bytes a character.
    let width: Int
    let isASCII: Bool
    let dataOffset: Int
    /// Bytes of characters to read: all, or as many as the limit lets through.
    let byteCount: Int
    let isCut: Bool
  }

  /// Reads the first `headerSize` bytes; nil for what is no compact string.
  func header(_ copies: MemoryCopies, at address: RemoteAddress) -> Header? {
    guard let start = copies.offset(of: address, count: headerSize) else { return nil }
    return header(
      length: copies.load(at: start + length, as: Int64.self),
      state: copies.load(at: start + state, as: UInt32.self))
  }

  func header(length: Int64, state: UInt32) -> Header? {
    // 2 bits interned, 3 bits kind, compact, ascii; the rest is not ours to read.
    let kind = Int(state >> 2 & 7)
    let isCompact = state >> 5 & 1 == 1
    let isASCII = state >> 6 & 1 == 1
    guard [1, 2, 4].contains(kind), isCompact, !isASCII || kind == 1, length >= 0 else {
      return nil
    }
    let (size, overflow) = Int(length).multipliedReportingOverflow(by: kind)
    guard !overflow, size < 1 << 32 else { return nil }
    return Header(
      width: kind, isASCII: isASCII, dataOffset: isASCII ? asciiSize : compactSize,
      byteCount: min(size, Self.byteLimit), isCut: size > Self.byteLimit)
  }

  /// The text of a string whose header was read; nil when its characters were not copied.
  func text(_ copies: MemoryCopies, at address: RemoteAddress, _ header: Header) -> String? {
    guard let bytes = copies.bytes(at: address + header.dataOffset, count: header.byteCount) else {
      return nil
    }
    return Self.decode(bytes, width: header.width) + (header.isCut ? "…" : "")
  }

  /// The text that characters of 1 (Latin-1), 2 or 4 bytes make.
  ///
  /// What is no character of Unicode becomes U+FFFD, and control characters, which no name has but
  /// torn memory, too.
  static func decode(_ bytes: ArraySlice<UInt8>, width: Int) -> String {
    // The span is used within this call only.
    var reader = unsafe ByteReader(bytes.span.bytes)
    var scalars = String.UnicodeScalarView()
    for _ in 0..<bytes.count / width {
      let value =
        switch width {
        case 1: reader.next(UInt8.self).map { UInt32($0) }
        case 2: reader.next(UInt16.self).map { UInt32($0) }
        default: reader.next(UInt32.self)
        }
      let scalar = value.flatMap { Unicode.Scalar($0) }
        .flatMap { $0.properties.isControl ? nil : $0 }
      scalars.append(scalar ?? "\u{FFFD}")
    }
    return String(scalars)
  }
}

extension Unicode.Scalar.Properties {
  /// Whether it is one of the C0 or C1 controls.
  fileprivate var isControl: Bool { generalCategory == .control }
}
