internal import ByteReading
internal import ELFReading
internal import LinuxProcess

/// A package of split units: what dwp(1) and llvm-dwp(1) make of many `.dwo` files (DWARF 5, section
/// 7.3.5; version 2 is GNU's, for DWARF 4).
struct SplitPackage {
  /// The sections of a split unit that are read.
  enum Section: String, CaseIterable {
    case info = ".debug_info.dwo"
    case abbreviations = ".debug_abbrev.dwo"
    case strings = ".debug_str.dwo"
    case offsets = ".debug_str_offsets.dwo"
    case ranges = ".debug_rnglists.dwo"

    /// DW_SECT_INFO and so on; strings are common to all units.
    fileprivate init?(number: UInt32, version: UInt16) {
      switch (number, version) {
      case (1, _): self = .info
      case (3, _): self = .abbreviations
      case (6, _): self = .offsets
      case (8, 5): self = .ranges
      default: return nil
      }
    }
  }

  private struct Index {
    let version: UInt16
    let columns: Int
    let units: Int
    let slots: Int

    /// Where the numbers of the rows begin.
    var rows: Int { 16 + slots * 8 }
    /// Where the numbers of the columns' sections begin; the offsets follow, and then the sizes.
    var table: Int { rows + slots * 4 }
  }

  private let file: MappedFile
  private let elf: ELFFile
  private let range: Range<Int>
  private let index: Index

  /// Nil for what is no package, or compressed.
  init?(_ file: MappedFile) {
    guard let elf = try? ELFFile(file.bytes), let section = elf.section(named: ".debug_cu_index"),
      !section.isCompressed, let range = elf.bytes(of: section, fileSize: file.count)
    else { return nil }
    let reader = ByteReader(file.bytes.extracting(range))
    guard let version = reader.value(at: 0, as: UInt16.self), version == 2 || version == 5,
      let columns = reader.value(at: 4, as: UInt32.self), (1...16).contains(columns),
      let units = reader.value(at: 8, as: UInt32.self), units < 1 << 24,
      let slots = reader.value(at: 12, as: UInt32.self), slots > 0, slots < 1 << 25,
      slots & (slots - 1) == 0
    else { return nil }
    self.file = file
    self.elf = elf
    self.range = range
    index = Index(version: version, columns: Int(columns), units: Int(units), slots: Int(slots))
  }

  /// The pieces of the unit with that number; nil where there is none.
  func sections(
    of id: UInt64
  ) -> [Section: (bytes: UnsafeRawBufferPointer, flags: UInt64)]? {
    let reader = ByteReader(file.bytes.extracting(range))
    guard let row = row(of: id, reader), row > 0, row <= index.units else { return nil }
    var result: [Section: (bytes: UnsafeRawBufferPointer, flags: UInt64)] = [:]
    if let strings = content(.strings) { result[.strings] = (strings, 0) }
    for column in 0..<index.columns {
      let offsets = index.table + index.columns * 4
      let place = ((row - 1) * index.columns + column) * 4
      guard let number = reader.value(at: index.table + column * 4, as: UInt32.self),
        let section = Section(number: number, version: index.version),
        let offset = reader.value(at: offsets + place, as: UInt32.self),
        let size = reader.value(
          at: offsets + index.units * index.columns * 4 + place, as: UInt32.self),
        let all = content(section), Int(offset) <= all.count, Int(size) <= all.count - Int(offset)
      else { continue }
      result[section] = (
        UnsafeRawBufferPointer(rebasing: all[Int(offset)..<Int(offset) + Int(size)]), 0
      )
    }
    return result
  }

  /// The row of a unit, from 1 on, by its hash (DWARF 5, section 7.3.5.3).
  private func row(of id: UInt64, _ reader: borrowing ByteReader) -> Int? {
    let mask = UInt64(index.slots - 1)
    var slot = id & mask
    let step = (id >> 32 & mask) | 1
    for _ in 0..<min(index.slots, 1 << 16) {
      guard let signature = reader.value(at: 16 + Int(slot) * 8, as: UInt64.self),
        let row = reader.value(at: index.rows + Int(slot) * 4, as: UInt32.self), row != 0
      else { return nil }
      if signature == id { return Int(row) }
      slot = (slot + step) & mask
    }
    return nil
  }

  private func content(_ kind: Section) -> UnsafeRawBufferPointer? {
    guard let section = elf.section(named: kind.rawValue), !section.isCompressed,
      let range = elf.bytes(of: section, fileSize: file.count)
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: file.pointer[range])
  }
}
