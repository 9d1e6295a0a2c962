internal import ByteReading
internal import CElfutils
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The one owner of libelf's and libdw's handles for a file.
final class DwarfSession {
  /// What the handles read.
  private let image: AnyObject
  private let elf: OpaquePointer
  private let handle: OpaquePointer
  private var alternate: DwarfSession?
  /// The file that the debug data goes on in.
  private(set) var alternateFile: MappedFile?

  /// `openAlternate` opens the file that the debug data goes on in, by name and build ID: libdw, which
  /// opens it by itself otherwise, would open whatever has that name, and wait where it is a FIFO.
  convenience init(
    _ file: MappedFile, openAlternate: (_ name: String, _ buildID: String) -> MappedFile?
  ) throws(DebugData.Problem) {
    if let image = try DebugImage.inflated(file) {
      try self.init(image)
    } else {
      // A copy of memory, such as the vdso, carries no debug data.
      guard let mapping = Self.map(file) else { throw .noDebugData }
      try self.init(mapping.start, count: mapping.count, of: mapping)
    }
    guard let link = alternateLink else { return }
    if let file = openAlternate(link.name, link.buildID) {
      // That one goes on nowhere.
      alternate = try? DwarfSession(file) { _, _ in nil }
      alternateFile = alternate == nil ? nil : file
    }
    if alternate == nil { alternate = try Self.empty() }
    if let alternate { dwarf_setalt(handle, alternate.handle) }
  }

  /// Of an image in memory.
  convenience init(_ image: SectionImage) throws(DebugData.Problem) {
    try self.init(image.bytes, count: image.count, of: image)
  }

  private init(
    _ start: UnsafeMutableRawPointer, count: Int, of image: AnyObject
  ) throws(DebugData.Problem) {
    elf_version(UInt32(EV_CURRENT))
    guard let elf = elf_memory(start.assumingMemoryBound(to: CChar.self), count) else {
      throw .unreadable(elf_errmsg(-1).map { String(cString: $0) } ?? "not an ELF file")
    }
    guard let handle = dwarf_begin_elf(elf, DWARF_C_READ, nil) else {
      let reason = dwarf_errmsg(-1).map { String(cString: $0) } ?? "no DWARF data"
      elf_end(elf)
      throw .unreadable(reason)
    }
    self.image = image
    self.elf = elf
    self.handle = handle
  }

  private static func map(_ file: MappedFile) -> GuardedMapping? {
    do throws(SystemError) { return try file.writableMapping() } catch { return nil }
  }

  /// The one that stands for a file that is not there.
  private static func empty() throws(DebugData.Problem) -> DwarfSession {
    try withUnsafeBytes(of: UInt8(0)) { byte throws(DebugData.Problem) in
      try DwarfSession(
        SectionImage([SectionImage.Section(name: ".debug_line", content: SectionContent(byte))]))
    }
  }

  deinit {
    dwarf_end(handle)
    elf_end(elf)
  }

  private var alternateLink: (name: String, buildID: String)? {
    var name: UnsafePointer<CChar>?
    var identifier: UnsafeRawPointer?
    let count = dwelf_dwarf_gnu_debugaltlink(handle, &name, &identifier)
    guard count > 0, let name, let identifier else { return nil }
    let bytes = UnsafeRawBufferPointer(start: identifier, count: min(count, 64))
    return (
      String(cString: name),
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    )
  }

  /// The content of a section, inflated; empty where there is none.
  ///
  /// Good as long as the session.
  func content(of name: String) -> UnsafeRawBufferPointer {
    var names = 0
    guard elf_getshdrstrndx(elf, &names) == 0 else { return .init(start: nil, count: 0) }
    var section: OpaquePointer?
    // Ends: each section comes after the one before it.
    while let next = elf_nextscn(elf, section) {
      section = next
      var header = GElf_Shdr()
      guard gelf_getshdr(next, &header) != nil,
        let text = elf_strptr(elf, names, Int(header.sh_name)),
        [".debug_" + name, ".zdebug_" + name].contains(String(cString: text)),
        let data = elf_getdata(next, nil)
      else { continue }
      // One of type SHT_NOBITS has a size and no bytes.
      guard let start = data.pointee.d_buf else { continue }
      return UnsafeRawBufferPointer(start: start, count: data.pointee.d_size)
    }
    return .init(start: nil, count: 0)
  }

  /// The offset of the DIE of the unit that has an address by `.debug_aranges`.
  func unit(containing address: FileAddress, code: CodeRanges) -> UInt64? {
    var table: OpaquePointer?
    var low: Dwarf_Addr = 0
    var size: Dwarf_Word = 0
    var offset: Dwarf_Off = 0
    // Read at the first call, and kept.
    guard dwarf_getaranges(handle, &table, nil) == 0, let table,
      let range = dwarf_getarange_addr(table, address.rawValue),
      dwarf_getarangeinfo(range, &low, &size, &offset) == 0, code.contains(FileAddress(low))
    else { return nil }
    return offset
  }

  /// Calls `body` with the DIE of each unit of code, until it says false.
  func forEachUnit(_ body: (Dwarf_Die) -> Bool) {
    var unit: OpaquePointer?
    var next: OpaquePointer?
    var version: Dwarf_Half = 0
    var type: UInt8 = 0
    var die = Dwarf_Die()
    // Ends: each unit begins after the one before it.
    while dwarf_get_units(handle, unit, &next, &version, &type, &die, nil) == 0, let found = next {
      if type == UInt8(DW_UT_compile) || type == UInt8(DW_UT_skeleton), !body(die) { return }
      unit = found
    }
  }

  /// The DIE of the unit that is numbered `id`, as split units are.
  func firstUnit(numbered id: UInt64) -> Dwarf_Die? {
    var unit: OpaquePointer?
    var next: OpaquePointer?
    var die = Dwarf_Die()
    // Ends: each unit begins after the one before it.
    while dwarf_get_units(handle, unit, &next, nil, nil, &die, nil) == 0, let found = next {
      if SkeletonUnit.identity(of: die)?.id == id { return die }
      unit = found
    }
    return nil
  }

  /// The DIE at an offset in `.debug_info`.
  func die(at offset: UInt64) -> Dwarf_Die? {
    var die = Dwarf_Die()
    return dwarf_offdie(handle, offset, &die) == nil ? nil : die
  }
}

/// The sections of a file's debug data that are compressed, for libdw to read: it would inflate all at
/// once with zlib, those that only debuggers need too, which takes three times as long.
private enum DebugImage {
  /// Nil where none is compressed.
  static func inflated(_ file: MappedFile) throws(DebugData.Problem) -> SectionImage? {
    guard let elf = try? ELFFile(file.bytes) else { return nil }
    var sections: [SectionImage.Section] = []
    var isCompressed = false
    for section in elf.sections
    where section.isDebugData || section.name == ".gnu_debugaltlink" {
      isCompressed = isCompressed || section.isCompressed || section.name.hasPrefix(".z")
      guard !section.isForDebuggersOnly,
        let content = try elf.content(of: section, in: file.pointer)
      else { continue }
      let name = section.name.hasPrefix(".z") ? "." + section.name.dropFirst(2) : section.name
      sections.append(SectionImage.Section(name: name, content: content))
    }
    return isCompressed ? try SectionImage(sections) : nil
  }
}

extension ELFFile.Section {
  private static let kinds: Set<String> = [
    "loc", "loclists", "frame", "macro", "macinfo", "pubnames", "pubtypes", "gnu_pubnames",
    "gnu_pubtypes", "names",
  ]

  var isDebugData: Bool { name.hasPrefix(".debug_") || name.hasPrefix(".zdebug_") }

  /// Whether it says nothing of functions and lines (a fifth of the C library's debug data).
  var isForDebuggersOnly: Bool {
    for prefix in [".debug_", ".zdebug_"] where name.hasPrefix(prefix) {
      return Self.kinds.contains(String(name.dropFirst(prefix.count)))
    }
    return false
  }
}

/// Calls `body` with each address range of a DIE, empty ones left out, and takes each range that it
/// reads off `budget`; at 0 it stops.
func forEachRange(
  of die: inout Dwarf_Die, budget: inout Int,
  _ body: (_ low: FileAddress, _ high: FileAddress) -> Void
) {
  var base: Dwarf_Addr = 0
  var low: Dwarf_Addr = 0
  var high: Dwarf_Addr = 0
  var position = 0
  // Bad data may name one long list in every DIE: each is short enough, all of them are not.
  while budget > 0 {
    position = dwarf_ranges(&die, position, &base, &low, &high)
    guard position > 0 else { return }
    budget -= 1
    if low < high { body(FileAddress(low), FileAddress(high)) }
  }
}
