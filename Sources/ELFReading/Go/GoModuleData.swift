internal import ByteReading
internal import ProfileModel

/// What the linker tells Go's runtime of a program (`moduledata`), found by its first field, the address of
/// the table of functions.
struct GoModuleData {
  let address: FileAddress
  let codeStart: UInt64
  /// From where the records count that functions refer to (`gofunc`), to the end of what the file has there.
  let functionData: Range<Int>?

  /// Offsets of `text` and `etext`; the same in Go 1.18 to 1.27.
  private static let textOffset: UInt64 = 176
  private static let textEndOffset: UInt64 = 184

  /// Offsets of `rodata`, which `gofunc` follows: in Go 1.18 and 1.19; in 1.20 to 1.26, where 1.27 has sizes
  /// that are no addresses, and in 1.27.
  private static func dataOffsets(_ form: GoFunctionTable.Form) -> [UInt64] {
    form == .go118 ? [296] : [312, 336]
  }

  init?(_ file: ELFFile, bytes: RawSpan, table: FileAddress, form: GoFunctionTable.Form) {
    let image = RelocatedImage(file, bytes: bytes)
    for place in image.places(of: table.rawValue) {
      guard let text = image.word(at: place &+ Self.textOffset),
        let end = image.word(at: place &+ Self.textEndOffset), text < end,
        let segment = file.loadSegment(containing: FileAddress(text)), segment.isExecutable
      else { continue }
      address = FileAddress(place)
      codeStart = text
      functionData = Self.functionData(at: place, form, image, file, bytes)
      return
    }
    return nil
  }

  private static func functionData(
    at place: UInt64, _ form: GoFunctionTable.Form, _ image: borrowing RelocatedImage,
    _ file: ELFFile, _ bytes: RawSpan
  ) -> Range<Int>? {
    for offset in dataOffsets(form) {
      guard let start = image.word(at: place &+ offset &+ 8),
        let segment = file.loadSegment(containing: FileAddress(start)), !segment.isExecutable,
        let data = image.word(at: place &+ offset),
        file.loadSegment(containing: FileAddress(data)) != nil,
        let range = file.bytes(of: segment, fileSize: bytes.byteCount)
      else { continue }
      let first = range.lowerBound + Int(start - segment.address.rawValue)
      return first < range.upperBound ? first..<range.upperBound : nil
    }
    return nil
  }
}

/// The words of a file's data as the loader makes them, without an address added.
private struct RelocatedImage: ~Escapable {
  private let file: ELFFile
  private let bytes: RawSpan
  /// R_X86_64_RELATIVE: by place, what is put there, of position-independent programs.
  private let relocated: [UInt64: UInt64]
  private static let relocationLimit = 1 << 22

  @_lifetime(copy bytes)
  init(_ file: ELFFile, bytes: RawSpan) {
    self.file = file
    self.bytes = bytes
    var relocated: [UInt64: UInt64] = [:]
    for section in file.sections where section.type == 4 && !file.isFixedPosition {
      guard section.entrySize == 24, let range = file.bytes(of: section, fileSize: bytes.byteCount)
      else { continue }
      let reader = ByteReader(bytes.extracting(range))
      for entry in stride(from: 0, to: min(reader.count, Self.relocationLimit * 24) - 23, by: 24) {
        guard reader.value(at: entry + 8, as: UInt64.self) == 8,
          let place = reader.value(at: entry, as: UInt64.self),
          let addend = reader.value(at: entry + 16, as: UInt64.self)
        else { continue }
        relocated[place] = addend
      }
    }
    self.relocated = relocated
  }

  /// Where a word is in writable data.
  func places(of word: UInt64) -> [UInt64] {
    let known = relocated.filter { $0.value == word }.map(\.key).sorted()
    guard known.isEmpty else { return known }
    var result: [UInt64] = []
    for section in file.sections where section.flags & 3 == 3 && !section.hasNoBytes {
      guard let range = file.bytes(of: section, fileSize: bytes.byteCount) else { continue }
      let reader = ByteReader(bytes.extracting(range))
      let start = (8 - section.address.rawValue % 8) % 8
      for place in stride(from: Int(start), to: reader.count - 7, by: 8)
      where reader.value(at: place, as: UInt64.self) == word {
        result.append(section.address.rawValue &+ UInt64(place))
      }
    }
    return result
  }

  func word(at address: UInt64) -> UInt64? {
    if let known = relocated[address] { return known }
    guard let segment = file.loadSegment(containing: FileAddress(address)),
      let range = file.bytes(of: segment, fileSize: bytes.byteCount)
    else { return nil }
    let reader = ByteReader(bytes.extracting(range))
    return reader.value(at: Int(address - segment.address.rawValue), as: UInt64.self)
  }
}
