internal import ByteReading
package import ProfileModel

/// The headers of a 64-bit little-endian ELF image.
///
/// Only the headers are read when it is made; sections and notes are sliced from the same bytes.
/// Nothing in the file is trusted: an entry with offsets or counts outside the bytes is left out.
package struct ELFFile: Sendable {
  /// The processor that the code is for.
  package enum Machine: Equatable, Sendable {
    case x86_64
    case arm64
    case other(UInt16)
  }

  /// An ELF file that cannot be used, with the reason.
  package enum Problem: Error, Equatable {
    case notELF
    /// 32-bit or big-endian.
    case unsupportedClass
    case truncated
  }

  /// A program header: a part of the file that is loaded, or that the loader reads.
  package struct Segment: Hashable, Sendable {
    /// `p_type`, such as `load`.
    package let type: UInt32
    /// `p_flags`.
    package let flags: UInt32
    /// In the file.
    package let offset: UInt64
    package let address: FileAddress
    /// In bytes; the rest of `memorySize` is zeros.
    package let fileSize: UInt64
    package let memorySize: UInt64

    package var isExecutable: Bool { flags & 1 != 0 }
    package var isWritable: Bool { flags & 2 != 0 }

    /// PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_EH_FRAME.
    package static let load: UInt32 = 1
    package static let dynamic: UInt32 = 2
    package static let note: UInt32 = 4
    package static let ehFrameHeader: UInt32 = 0x6474_e550
  }

  /// A section header; stripped files keep those of what is loaded.
  package struct Section: Hashable, Sendable {
    package let name: String
    /// `sh_type`.
    package let type: UInt32
    /// `sh_flags`.
    package let flags: UInt64
    package let address: FileAddress
    /// In the file.
    package let offset: UInt64
    /// In bytes.
    package let size: UInt64
    /// The number of a section that belongs to it, such as a symbol table's strings.
    package let link: UInt32
    /// In bytes, of a section that is a table.
    package let entrySize: UInt64

    /// SHT_NOBITS: takes memory, but has no bytes in the file.
    package var hasNoBytes: Bool { type == 8 }
    /// SHF_COMPRESSED.
    package var isCompressed: Bool { flags & 0x800 != 0 }
  }

  package let machine: Machine
  /// ET_EXEC: loaded where its addresses say, so its load bias is 0.
  package let isFixedPosition: Bool
  package let segments: [Segment]
  package let sections: [Section]

  /// Reads the headers.
  package init(_ bytes: RawSpan) throws(Problem) {
    let reader = ByteReader(bytes)
    guard reader.value(at: 0, as: UInt32.self) == 0x464c_457f else { throw .notELF }
    guard reader.value(at: 4, as: UInt16.self) == 0x0102 else { throw .unsupportedClass }
    guard let type = reader.value(at: 16, as: UInt16.self),
      let machine = reader.value(at: 18, as: UInt16.self),
      let segmentOffset = reader.value(at: 32, as: UInt64.self),
      let sectionOffset = reader.value(at: 40, as: UInt64.self),
      let segmentCount = reader.value(at: 56, as: UInt16.self),
      let sectionCount = reader.value(at: 60, as: UInt16.self),
      let nameSection = reader.value(at: 62, as: UInt16.self)
    else { throw .truncated }
    self.machine =
      switch machine {
      case 62: .x86_64
      case 183: .arm64
      default: .other(machine)
      }
    isFixedPosition = type == 2
    segments = Self.segments(reader, at: segmentOffset, count: segmentCount)
    sections = Self.sections(reader, at: sectionOffset, count: sectionCount, names: nameSection)
  }

  private static func segments(
    _ reader: borrowing ByteReader, at start: UInt64, count: UInt16
  ) -> [Segment] {
    var result: [Segment] = []
    for index in 0..<Int(count) {
      guard let at = Int(exactly: start).flatMap({ add($0, index * 56) }),
        let type = reader.value(at: at, as: UInt32.self),
        let flags = reader.value(at: at + 4, as: UInt32.self),
        let offset = reader.value(at: at + 8, as: UInt64.self),
        let address = reader.value(at: at + 16, as: UInt64.self),
        let fileSize = reader.value(at: at + 32, as: UInt64.self),
        let memorySize = reader.value(at: at + 40, as: UInt64.self)
      else { break }
      result.append(
        Segment(
          type: type, flags: flags, offset: offset, address: FileAddress(address),
          fileSize: fileSize, memorySize: memorySize))
    }
    return result
  }

  private static func sections(
    _ reader: borrowing ByteReader, at start: UInt64, count: UInt16, names: UInt16
  ) -> [Section] {
    // SHN_XINDEX: the number is elsewhere, in a file of more than 65,279 sections (elf(5)).
    guard let start = Int(exactly: start), start > 0, names < 0xff00 else { return [] }
    let namesOffset = add(start, Int(names) * 64 + 24)
      .flatMap { reader.value(at: $0, as: UInt64.self) }.flatMap { Int(exactly: $0) }
    var result: [Section] = []
    for index in 0..<Int(count) {
      guard let at = add(start, index * 64),
        let nameOffset = reader.value(at: at, as: UInt32.self),
        let type = reader.value(at: at + 4, as: UInt32.self),
        let flags = reader.value(at: at + 8, as: UInt64.self),
        let address = reader.value(at: at + 16, as: UInt64.self),
        let offset = reader.value(at: at + 24, as: UInt64.self),
        let size = reader.value(at: at + 32, as: UInt64.self),
        let link = reader.value(at: at + 40, as: UInt32.self),
        let entrySize = reader.value(at: at + 56, as: UInt64.self)
      else { break }
      let name = namesOffset.flatMap { add($0, Int(nameOffset)) }
        .flatMap { reader.string(at: $0, limit: 256) }
      result.append(
        Section(
          name: name ?? "", type: type, flags: flags, address: FileAddress(address),
          offset: offset, size: size, link: link, entrySize: entrySize))
    }
    return result
  }

  private static func add(_ left: Int, _ right: Int) -> Int? {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? nil : sum
  }

  /// The first section of that name.
  package func section(named name: String) -> Section? { sections.first { $0.name == name } }

  /// The PT_LOAD whose bytes in the file hold `address`.
  package func loadSegment(containing address: FileAddress) -> Segment? {
    segments.first {
      $0.type == Segment.load && $0.address <= address
        && address.rawValue - $0.address.rawValue < $0.fileSize
    }
  }

  /// Where a section's bytes are in a file of `fileSize` bytes; nil when they are not all in it.
  package func bytes(of section: Section, fileSize: Int) -> Range<Int>? {
    guard !section.hasNoBytes else { return nil }
    return Self.range(at: section.offset, count: section.size, fileSize: fileSize)
  }

  /// Where a segment's bytes are in a file of `fileSize` bytes; nil when they are not all in it.
  package func bytes(of segment: Segment, fileSize: Int) -> Range<Int>? {
    Self.range(at: segment.offset, count: segment.fileSize, fileSize: fileSize)
  }

  private static func range(at offset: UInt64, count: UInt64, fileSize: Int) -> Range<Int>? {
    let size = UInt64(fileSize)
    guard offset <= size, count <= size - offset else { return nil }
    return Int(offset)..<Int(offset + count)
  }

  /// The GNU build id as lower-case hex, from a note segment or a note section.
  package func buildID(in bytes: RawSpan) -> String? {
    let ranges =
      segments.filter { $0.type == Segment.note }
      .compactMap { self.bytes(of: $0, fileSize: bytes.byteCount) }
      + sections.filter { $0.type == 7 }
      .compactMap { self.bytes(of: $0, fileSize: bytes.byteCount) }
    for range in ranges {
      if let id = Self.buildID(inNotes: bytes.extracting(range)) { return id }
    }
    return nil
  }

  private static func buildID(inNotes bytes: RawSpan) -> String? {
    var reader = ByteReader(bytes)
    while let nameSize = reader.next(UInt32.self), let size = reader.next(UInt32.self),
      let type = reader.next(UInt32.self)
    {
      let name = reader.offset
      // Names and descriptions are padded to 4 bytes (System V ABI, note sections).
      let description = name + (Int(nameSize) + 3) / 4 * 4
      let isGNU = nameSize == 4 && reader.value(at: name, as: UInt32.self) == 0x0055_4e47
      if type == 3, isGNU, size <= 64 {
        return hex(
          (0..<Int(size)).compactMap { reader.value(at: description + $0, as: UInt8.self) })
      }
      reader.offset = description + (Int(size) + 3) / 4 * 4
    }
    return nil
  }

  private static func hex(_ bytes: [UInt8]) -> String? {
    guard !bytes.isEmpty else { return nil }
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
