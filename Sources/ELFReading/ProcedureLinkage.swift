internal import ByteReading
package import ProfileModel

/// The stubs through which an image calls functions of others, which no symbol names (System V ABI,
/// AMD64 supplement, "Procedure Linkage Table").
///
/// A stub jumps to where a word of the image's data says, and a relocation says whose address the
/// loader puts there. Of other machines than x86-64 none is known.
package struct ProcedureLinkage: Sendable {
  private struct Stubs {
    let code: Range<FileAddress>
    let bytes: Range<Int>
    let size: Int
  }

  /// Relocations with the symbols and strings that they refer to, as places in the file.
  private struct Relocations {
    let entries: Range<Int>
    let symbols: Range<Int>
    let strings: Range<Int>
    /// Whether they are those that the stubs of late binding number.
    let areOfStubs: Bool
  }

  /// Where a stub leads.
  private enum Target {
    case named(String)
    /// To what the function at this address chooses.
    case chosenBy(FileAddress)
  }

  private var stubs: [Stubs] = []
  private var relocations: [Relocations] = []
  /// More relocations are not searched for one stub: bad files may name one long table many times.
  private static let entryLimit = 1 << 21
  /// `Elf64_Rela`.
  private static let entrySize = 24

  /// Finds the stubs of `file`, whose content is `bytes`; reads none of them.
  package init(_ file: ELFFile, bytes: RawSpan) {
    guard file.machine == .x86_64 else { return }
    for section in file.sections where section.name.hasPrefix(".plt") {
      guard section.flags & SymbolEntry.executableSection != 0,
        let place = file.bytes(of: section, fileSize: bytes.byteCount)
      else { continue }
      let (end, overflow) = section.address.rawValue.addingReportingOverflow(section.size)
      guard !overflow else { continue }
      stubs.append(
        Stubs(
          code: section.address..<FileAddress(end), bytes: place,
          size: section.entrySize == 8 ? 8 : 16))
    }
    guard !stubs.isEmpty else { return }
    for section in file.sections where section.type == 4 {  // SHT_RELA
      guard section.entrySize == UInt64(Self.entrySize), section.flags & 2 != 0,  // SHF_ALLOC
        let entries = file.bytes(of: section, fileSize: bytes.byteCount),
        let symbols = Self.linked(section, in: file),
        let strings = Self.linked(symbols, in: file),
        let symbolBytes = file.bytes(of: symbols, fileSize: bytes.byteCount),
        let stringBytes = file.bytes(of: strings, fileSize: bytes.byteCount)
      else { continue }
      relocations.append(
        Relocations(
          entries: entries, symbols: symbolBytes, strings: stringBytes,
          areOfStubs: section.name == ".rela.plt"))
    }
  }

  private static func linked(
    _ section: ELFFile.Section, in file: ELFFile
  ) -> ELFFile.Section? {
    guard let link = Int(exactly: section.link), file.sections.indices.contains(link) else {
      return nil
    }
    return file.sections[link]
  }

  /// The stub that `address` is in, named after the function that it leads to, such as `malloc@plt`; nil when the address is in none, or nothing names its function.
  ///
  /// `bytes` are those that it was made from, and `function` names a function of the image itself: where
  /// it has several forms of one, the loader asks that function which one fits the machine. Reads the
  /// image's relocations at each call.
  package func symbol(
    containing address: FileAddress, in bytes: RawSpan, function: (FileAddress) -> String?
  ) -> Symbol? {
    guard let stubs = stubs.first(where: { $0.code.contains(address) }),
      stubs.bytes.upperBound <= bytes.byteCount
    else { return nil }
    let first = stubs.code.lowerBound.rawValue
    let offset = Int(address.rawValue - first) / stubs.size * stubs.size
    let start = FileAddress(first + UInt64(offset))
    let reader = ByteReader(bytes.extracting(stubs.bytes))
    let target = target(ofStubAt: offset, size: stubs.size, start: start, reader, in: bytes)
    let name: String? =
      switch target {
      case .named(let name): name
      case .chosenBy(let address): function(address)
      case nil: nil
      }
    return name.map {
      Symbol(name: $0 + "@plt", start: start, size: UInt64(stubs.size))
    }
  }

  private func target(
    ofStubAt offset: Int, size: Int, start: FileAddress, _ stub: borrowing ByteReader,
    in bytes: RawSpan
  ) -> Target? {
    func byte(_ place: Int) -> UInt8? { stub.value(at: offset + place, as: UInt8.self) }
    for place in 0..<(size - 5) where byte(place) == 0xff && byte(place + 1) == 0x25 {
      // jmp *distance(%rip), counted from the next instruction
      guard let distance = stub.value(at: offset + place + 2, as: Int32.self) else { return nil }
      let next = start.rawValue &+ UInt64(place + 6)
      let slot = next &+ UInt64(bitPattern: Int64(distance))
      return target(filling: FileAddress(slot), in: bytes)
    }
    // With branch tracking, what binds late is apart: endbr64; push number; jmp to the first stub.
    guard byte(0) == 0xf3, byte(1) == 0x0f, byte(2) == 0x1e, byte(3) == 0xfa, byte(4) == 0x68,
      let number = stub.value(at: offset + 5, as: UInt32.self)
    else { return nil }
    return relocations.first(where: \.areOfStubs)
      .flatMap { target(ofEntry: Int(number), of: $0, in: bytes) }
  }

  /// The function whose address the loader writes to `slot`.
  private func target(filling slot: FileAddress, in bytes: RawSpan) -> Target? {
    let slot = slot.rawValue
    var budget = Self.entryLimit
    for table in relocations.sorted(by: { $0.areOfStubs && !$1.areOfStubs }) where budget > 0 {
      guard table.entries.upperBound <= bytes.byteCount else { continue }
      let reader = ByteReader(bytes.extracting(table.entries))
      let count = min(table.entries.count / Self.entrySize, budget)
      budget -= count
      func fills(_ index: Int) -> Bool {
        reader.value(at: index * Self.entrySize, as: UInt64.self) == slot
      }
      // Those of stubs mostly come in the order of their words.
      let first = reader.value(at: 0, as: UInt64.self) ?? 0
      if first <= slot, slot - first < UInt64(count) * 8, fills(Int(slot - first) / 8) {
        return target(ofEntry: Int(slot - first) / 8, of: table, in: bytes)
      }
      if let index = (0..<count).first(where: fills) {
        return target(ofEntry: index, of: table, in: bytes)
      }
    }
    return nil
  }

  private func target(
    ofEntry index: Int, of table: Relocations, in bytes: RawSpan
  ) -> Target? {
    guard index < table.entries.count / Self.entrySize,
      table.entries.upperBound <= bytes.byteCount, table.symbols.upperBound <= bytes.byteCount,
      table.strings.upperBound <= bytes.byteCount
    else { return nil }
    let entries = ByteReader(bytes.extracting(table.entries))
    guard let info = entries.value(at: index * Self.entrySize + 8, as: UInt64.self),
      let addend = entries.value(at: index * Self.entrySize + 16, as: UInt64.self)
    else { return nil }
    let type = info & 0xffff_ffff
    if type == 37 { return .chosenBy(FileAddress(addend)) }  // R_X86_64_IRELATIVE
    // R_X86_64_GLOB_DAT and R_X86_64_JUMP_SLOT.
    guard type == 6 || type == 7 else { return nil }
    let symbol = Int(info >> 32)
    guard symbol > 0, symbol < table.symbols.count / SymbolEntry.size else { return nil }
    let entry = SymbolEntry(bytes.extracting(table.symbols), at: symbol)
    let name = ByteReader(bytes.extracting(table.strings)).string(at: Int(entry.name))
    return name.flatMap { $0.isEmpty ? nil : .named($0) }
  }
}
