/// An ELF image that consists of some sections, in memory that libelf may write to.
final class SectionImage {
  struct Section {
    /// At most 64 bytes.
    let name: String
    var flags: UInt64 = 0
    let bytes: UnsafeRawBufferPointer
  }

  private static let headerSize = 64
  private static let entrySize = 64
  private static let namesSection = ".shstrtab"

  let bytes: UnsafeMutableRawPointer
  let count: Int

  /// Copies the content; behind each section are at least 16 bytes of zeros.
  init(_ sections: [Section]) {
    let names = sections.map(\.name) + [Self.namesSection]
    let text = Array("\0".utf8) + names.flatMap { Array($0.utf8) + [0] }
    let table = Self.headerSize + (sections.count + 2) * Self.entrySize
    count = sections.reduce(table + Self.room(for: text.count)) {
      $0 + Self.room(for: $1.bytes.count)
    }
    bytes = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    writeHeader(sections: sections.count + 2)
    var place = table
    var name = 1
    for (index, section) in sections.enumerated() {
      if let base = section.bytes.baseAddress {
        (bytes + place).copyMemory(from: base, byteCount: section.bytes.count)
      }
      // SHT_PROGBITS
      writeEntry(
        index + 1, name: name, type: 1, flags: section.flags, at: place, size: section.bytes.count)
      place += Self.room(for: section.bytes.count)
      name += section.name.utf8.count + 1
    }
    (bytes + place).copyMemory(from: text, byteCount: text.count)
    // SHT_STRTAB
    writeEntry(
      sections.count + 1, name: name, type: 3, flags: 0, at: place, size: text.count)
  }

  deinit { bytes.deallocate() }

  private static func room(for count: Int) -> Int { (count + 31) & ~15 }

  private func writeHeader(sections: Int) {
    // ELFCLASS64, ELFDATA2LSB, EV_CURRENT; ET_EXEC.
    bytes.copyMemory(from: [UInt8]([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), byteCount: 7)
    store(UInt16(2), at: 16)
    store(UInt16(62), at: 18)
    store(UInt32(1), at: 20)
    store(UInt64(Self.headerSize), at: 40)
    store(UInt16(Self.headerSize), at: 52)
    store(UInt16(Self.entrySize), at: 58)
    store(UInt16(sections), at: 60)
    store(UInt16(sections - 1), at: 62)
  }

  private func writeEntry(
    _ index: Int, name: Int, type: UInt32, flags: UInt64, at offset: Int, size: Int
  ) {
    let place = Self.headerSize + index * Self.entrySize
    store(UInt32(name), at: place)
    store(type, at: place + 4)
    store(flags, at: place + 8)
    store(UInt64(offset), at: place + 24)
    store(UInt64(size), at: place + 32)
    store(UInt64(1), at: place + 48)
  }

  private func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}
