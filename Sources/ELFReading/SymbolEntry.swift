internal import ByteReading
package import ProfileModel

extension ELFFile {
  /// A table of symbols, and the strings that have their names; both are within the file's bytes.
  package struct SymbolSection: Sendable {
    package let entries: Range<Int>
    package let strings: Range<Int>

    package var count: Int { entries.count / SymbolEntry.size }
  }

  /// The symbols that a section holds; nil where it is no table of them, or leads out of the file.
  package func symbols(of section: Section, fileSize: Int) -> SymbolSection? {
    guard section.entrySize == UInt64(SymbolEntry.size), !section.isCompressed,
      let entries = bytes(of: section, fileSize: fileSize),
      let link = Int(exactly: section.link), sections.indices.contains(link),
      let strings = bytes(of: sections[link], fileSize: fileSize)
    else { return nil }
    return SymbolSection(entries: entries, strings: strings)
  }
}

/// One `Elf64_Sym`.
package struct SymbolEntry {
  package static let size = 24
  /// SHT_SYMTAB.
  package static let fullTable: UInt32 = 2
  /// SHT_DYNSYM.
  package static let dynamicTable: UInt32 = 11
  /// SHF_EXECINSTR.
  static let executableSection: UInt64 = 4

  /// Where its name is among the strings.
  package let name: UInt32
  private let info: UInt8
  private let section: UInt16
  package let address: FileAddress
  /// In bytes; 0 where the table does not say.
  package let length: UInt64

  /// Reads the entry numbered `index`, which must be within `table`.
  package init(_ table: RawSpan, at index: Int) {
    let start = index * Self.size
    precondition(index >= 0 && start + Self.size <= table.byteCount, "an entry of the table")
    // The check above keeps all of the entry inside the span.
    name = unsafe table.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self)
    info = unsafe table.unsafeLoadUnaligned(fromByteOffset: start + 4, as: UInt8.self)
    section = unsafe table.unsafeLoadUnaligned(fromByteOffset: start + 6, as: UInt16.self)
    address = FileAddress(
      unsafe table.unsafeLoadUnaligned(fromByteOffset: start + 8, as: UInt64.self))
    length = unsafe table.unsafeLoadUnaligned(fromByteOffset: start + 16, as: UInt64.self)
  }

  // Types and bindings: System V ABI, "Symbol Table"; 10 of each are the GNU extensions
  // STT_GNU_IFUNC and STB_GNU_UNIQUE.
  package var isTypedFunction: Bool { info & 0xf == 2 || info & 0xf == 10 }
  private var isLabel: Bool { info & 0xf == 0 }

  /// Whether it stands for code in this image; `isCode` says so for each section.
  func isFunction(isCode: [Bool]) -> Bool {
    guard isTypedFunction || isLabel, section != 0, name != 0 else { return false }
    // SHN_XINDEX: the section's number is kept elsewhere because it is too large.
    if section == 0xffff { return true }
    return Int(section) < isCode.count && isCode[Int(section)]
  }

  /// Whether it stands for data of this image: STT_OBJECT with a size, not of a thread's own.
  package var isVariable: Bool { info & 0xf == 1 && section != 0 && name != 0 && length > 0 }

  /// `$x`, `$d` and the like mark code and data for disassemblers (ELF for the Arm 64-bit
  /// Architecture, "Mapping symbols"), `.L` begins an assembler's local label.
  func isMappingSymbol(_ strings: borrowing ByteReader) -> Bool {
    guard isLabel, length == 0, info >> 4 == 0,
      let first = strings.value(at: Int(name), as: UInt8.self),
      let second = strings.value(at: Int(name) + 1, as: UInt8.self)
    else { return false }
    if first == UInt8(ascii: ".") { return second == UInt8(ascii: "L") }
    guard first == UInt8(ascii: "$"), second != 0,
      let third = strings.value(at: Int(name) + 2, as: UInt8.self)
    else { return false }
    return third == 0 || third == UInt8(ascii: ".")
  }

  /// Lower is better.
  var rank: Int {
    let binding =
      switch info >> 4 {
      case 1, 10: 0
      case 2: 1
      default: 2
      }
    return (isTypedFunction ? 0 : 3) + binding
  }
}
