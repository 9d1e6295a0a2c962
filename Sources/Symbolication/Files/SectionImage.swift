internal import Glibc
internal import LinuxProcess

/// An ELF image that consists of some sections, none of them compressed, in memory.
final class SectionImage {
  struct Section {
    /// At most 64 bytes.
    let name: String
    let content: SectionContent
  }

  /// A section to inflate, and where to.
  private struct Filling: @unchecked Sendable {
    // Sendable: each fills a part of the image that is nobody else's until all are done.
    let name: String
    let content: SectionContent
    let target: UnsafeMutableRawBufferPointer
  }

  private static let headerSize = 64
  private static let entrySize = 64
  private static let namesSection = ".shstrtab"
  /// Far above what compilers write.
  private static let sectionLimit = 1000
  /// A section that takes longer to inflate than a thread takes to start, which is some 50 µs.
  private static let large = 256 << 10

  let bytes: UnsafeMutableRawPointer
  let count: Int

  /// Copies or inflates the content, on two threads where that is quicker; behind each section are at
  /// least 16 bytes of zeros.
  init(_ sections: [Section]) throws(DebugData.Problem) {
    guard sections.count <= Self.sectionLimit else { throw .unreadable("too many sections") }
    for section in sections where section.content.size > DebugData.sizeLimit {
      throw .tooLarge(section: section.name, bytes: section.content.size)
    }
    let names = sections.map(\.name) + [Self.namesSection]
    let text = Array("\0".utf8) + names.flatMap { Array($0.utf8) + [0] }
    let table = Self.headerSize + (sections.count + 2) * Self.entrySize
    count = sections.reduce(table + Self.room(for: text.count)) {
      $0 + Self.room(for: Int($1.content.size))
    }
    // Large pieces of it are fresh pages, which are zeros already.
    guard let bytes = calloc(count, 1) else { throw .unreadable("no memory for debug data") }
    self.bytes = bytes
    var fillings: [Filling] = []
    writeHeader(sections: sections.count + 2)
    var place = table
    var name = 1
    for (index, section) in sections.enumerated() {
      let size = Int(section.content.size)
      fillings.append(
        Filling(
          name: section.name, content: section.content,
          target: UnsafeMutableRawBufferPointer(start: bytes + place, count: size)))
      // SHT_PROGBITS
      writeEntry(index + 1, name: name, type: 1, at: place, size: size)
      place += Self.room(for: size)
      name += section.name.utf8.count + 1
    }
    (bytes + place).copyMemory(from: text, byteCount: text.count)
    // SHT_STRTAB
    writeEntry(sections.count + 1, name: name, type: 3, at: place, size: text.count)
    if let damaged = Self.fill(fillings) { throw .unreadable("\(damaged) is damaged") }
  }

  deinit { free(bytes) }

  private static func room(for count: Int) -> Int { (count + 31) & ~15 }

  /// Returns the name of one that is damaged.
  private static func fill(_ fillings: [Filling]) -> String? {
    let compressed = fillings.filter(\.content.isCompressed).sorted {
      $0.target.count > $1.target.count
    }
    guard compressed.count > 1, compressed[1].target.count > large else { return fillOne(fillings) }
    // The largest is often as large as all others together.
    let first = [compressed[0]]
    let others = fillings.filter { $0.target.baseAddress != first[0].target.baseAddress }
    final class Result: @unchecked Sendable { var damaged: String? }
    // Sendable: read when the thread has ended.
    let result = Result()
    let helper = try? OSThread.start { result.damaged = fillOne(others) }
    let damaged = fillOne(first)
    guard let helper else { return damaged ?? fillOne(others) }
    helper.join()
    return damaged ?? result.damaged
  }

  private static func fillOne(_ fillings: [Filling]) -> String? {
    fillings.first { !$0.content.write(to: $0.target) }?.name
  }

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

  private func writeEntry(_ index: Int, name: Int, type: UInt32, at offset: Int, size: Int) {
    let place = Self.headerSize + index * Self.entrySize
    store(UInt32(name), at: place)
    store(type, at: place + 4)
    store(UInt64(offset), at: place + 24)
    store(UInt64(size), at: place + 32)
    store(UInt64(1), at: place + 48)
  }

  private func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}
