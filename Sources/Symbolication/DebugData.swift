internal import ByteReading
internal import CElfutils
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The DWARF debug data of one ELF image, read with libdw.
///
/// Opening it costs the inflation of compressed sections; a unit's own tables are read at the first
/// look-up in that unit. Which unit an address lies in is told by `.debug_aranges`; many compilers
/// write none, and then by an index over the ranges of all units, which is read at the first sample-up
/// that needs it.
final class DebugData {
  /// Why there are no lines.
  enum Problem: Error, Equatable {
    /// Not a fault: the image has none.
    case noDebugData
    case tooLarge(section: String, bytes: UInt64)
    case unsupportedCompression(section: String)
    case unreadable(String)
  }

  /// A debug section larger than this, inflated, is not read.
  static let sizeLimit: UInt64 = 512 << 20

  private struct UnitRange {
    let low: UInt64
    let high: UInt64
    /// The offset of the unit's DIE in `.debug_info`.
    let unit: UInt64
  }

  // libdw reads the file's bytes as long as the session lasts.
  private let file: MappedFile
  private let session: DwarfSession
  private let sections: DebugSections
  private let code: CodeRanges
  /// Whether there is `.debug_aranges`.
  private let hasIndex: Bool
  private lazy var unitRanges = readUnitRanges()
  private var units: [UInt64: DebugUnit] = [:]
  /// Read at the first sample-up of a variable.
  private(set) lazy var variables = DebugVariables(session)

  init(_ file: MappedFile, elf: ELFFile) throws(Problem) {
    try Self.check(elf, in: file)
    self.file = file
    session = try DwarfSession(file)
    sections = DebugSections(session)
    code = CodeRanges(elf)
    hasIndex = elf.sections.contains { $0.name == ".debug_aranges" && $0.size > 0 }
  }

  private static func check(_ elf: ELFFile, in file: MappedFile) throws(Problem) {
    var hasDebugData = false
    var total: UInt64 = 0
    for section in elf.sections
    where section.name.hasPrefix(".debug_") || section.name.hasPrefix(".zdebug_") {
      guard let range = elf.bytes(of: section, fileSize: file.count) else { continue }
      if section.name == ".debug_info" || section.name == ".zdebug_info" { hasDebugData = true }
      let size = try inflatedSize(of: section, file.bytes.extracting(range))
      guard size <= sizeLimit else { throw .tooLarge(section: section.name, bytes: size) }
      // libdw inflates all sections at once, those that nobody asks for too.
      total += size
      guard total <= 4 * sizeLimit else { throw .tooLarge(section: "debug data", bytes: total) }
    }
    guard hasDebugData else { throw .noDebugData }
  }

  private static func inflatedSize(
    of section: ELFFile.Section, _ bytes: RawSpan
  ) throws(Problem) -> UInt64 {
    if section.name.hasPrefix(".zdebug_") {
      // GNU's older form: "ZLIB" and the size, which is big-endian.
      guard bytes.byteCount >= 12 else { throw .unreadable("\(section.name) is cut off") }
      // The guard above keeps all of it inside the span.
      return UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt64.self))
    }
    guard section.isCompressed else { return section.size }
    // Elf64_Chdr: type, reserved, size, alignment.
    guard bytes.byteCount >= 24 else { throw .unreadable("\(section.name) is cut off") }
    // The guard above keeps all of the header inside the span.
    let type = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
    // libelf reads ELFCOMPRESS_ZSTD, 2, from version 0.189 on and if built so; 1 is zlib.
    guard type == 1 else { throw .unsupportedCompression(section: section.name) }
    return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
  }

  /// The functions at `address`, innermost inlined one first, with the place in each; empty when
  /// nothing is known of it.
  func frames(at address: FileAddress) -> [(function: DebugFunctionName?, file: String?, line: Int)]
  {
    let address = address.rawValue
    if hasIndex, let offset = session.unit(containing: address, code: code) {
      let frames = unit(at: offset)?.frames(at: address) ?? []
      if !frames.isEmpty { return frames }
    }
    return unit(containing: address)?.frames(at: address) ?? []
  }

  private func unit(containing address: UInt64) -> DebugUnit? {
    var end = unitRanges.partitioningIndex { $0.low > address }
    // Units do not overlap unless the linker folded equal functions; the bound is for bad data.
    for _ in 0..<64 where end > 0 {
      end -= 1
      guard address < unitRanges[end].high else { continue }
      return unit(at: unitRanges[end].unit)
    }
    return nil
  }

  private func unit(at offset: UInt64) -> DebugUnit? {
    if let known = units[offset] { return known }
    guard let unit = DebugUnit(session, sections, at: offset, code: code) else { return nil }
    units[offset] = unit
    return unit
  }

  private func readUnitRanges() -> [UnitRange] {
    var result: [UnitRange] = []
    // More ranges than any program has.
    var budget = 1 << 23
    session.forEachUnit { die in
      var die = die
      let offset = dwarf_dieoffset(&die)
      forEachRange(of: &die, budget: &budget) { low, high in
        if code.contains(low) { result.append(UnitRange(low: low, high: high, unit: offset)) }
      }
      return budget > 0
    }
    result.sort { ($0.low, $1.high) < ($1.low, $0.high) }
    return result
  }
}

/// The one owner of libelf's and libdw's handles for a file.
final class DwarfSession {
  private let elf: OpaquePointer
  private let handle: OpaquePointer

  /// `file` must outlive the session.
  init(_ file: MappedFile) throws(DebugData.Problem) {
    // A copy of memory, such as the vdso, carries no debug data.
    guard file.descriptor >= 0 else { throw .noDebugData }
    elf_version(UInt32(EV_CURRENT))
    // A private mapping of libelf's own: it writes to the section headers when it inflates.
    guard let elf = elf_begin(file.descriptor, ELF_C_READ_MMAP_PRIVATE, nil) else {
      throw .unreadable(elf_errmsg(-1).map { String(cString: $0) } ?? "not an ELF file")
    }
    guard let handle = dwarf_begin_elf(elf, DWARF_C_READ, nil) else {
      let reason = dwarf_errmsg(-1).map { String(cString: $0) } ?? "no DWARF data"
      elf_end(elf)
      throw .unreadable(reason)
    }
    self.elf = elf
    self.handle = handle
  }

  deinit {
    dwarf_end(handle)
    elf_end(elf)
  }

  /// The content of a section, inflated as libdw has it; empty where there is none.
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
      return UnsafeRawBufferPointer(start: data.pointee.d_buf, count: data.pointee.d_size)
    }
    return .init(start: nil, count: 0)
  }

  /// The offset of the DIE of the unit that `.debug_aranges` says an address lies in.
  func unit(containing address: UInt64, code: CodeRanges) -> UInt64? {
    var table: OpaquePointer?
    var low: Dwarf_Addr = 0
    var size: Dwarf_Word = 0
    var offset: Dwarf_Off = 0
    // Read at the first call, and kept.
    guard dwarf_getaranges(handle, &table, nil) == 0, let table,
      let range = dwarf_getarange_addr(table, address),
      dwarf_getarangeinfo(range, &low, &size, &offset) == 0, code.contains(low)
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

  /// The DIE at an offset in `.debug_info`.
  func die(at offset: UInt64) -> Dwarf_Die? {
    var die = Dwarf_Die()
    return dwarf_offdie(handle, offset, &die) == nil ? nil : die
  }
}

/// The sections that line tables and their strings lie in.
final class DebugSections {
  // The pointers are good as long as the session.
  private let session: DwarfSession
  private let lineContent: UnsafeRawBufferPointer
  private let lineStrings: UnsafeRawBufferPointer
  private let strings: UnsafeRawBufferPointer
  private var tables: [UInt64: LineNumberTable?] = [:]
  /// Half a gigabyte of them: bad data may name one long program at many offsets.
  private var rowsLeft = 1 << 25

  init(_ session: DwarfSession) {
    self.session = session
    lineContent = session.content(of: "line")
    lineStrings = session.content(of: "line_str")
    strings = session.content(of: "str")
  }

  /// The line table at an offset, which several units may share; made once.
  func lineTable(at offset: UInt64, directory: String?, code: CodeRanges) -> LineNumberTable? {
    if let known = tables[offset] { return known }
    let table = LineNumberTable(
      self, at: offset, directory: directory, code: code, budget: &rowsLeft)
    tables[offset] = table
    return table
  }

  /// `.debug_line`.
  var line: RawSpan {
    @_lifetime(borrow self)
    get { span(lineContent) }
  }

  func string(_ place: StringPlace) -> String? {
    switch place {
    case .line(let offset): ByteReader(span(lineContent)).string(at: offset)
    case .lineStr(let offset): ByteReader(span(lineStrings)).string(at: offset)
    case .str(let offset): ByteReader(span(strings)).string(at: offset)
    }
  }

  @_lifetime(borrow self)
  private func span(_ content: UnsafeRawBufferPointer) -> RawSpan {
    _overrideLifetime(RawSpan(_unsafeBytes: content), borrowing: self)
  }
}

/// Calls `body` with each address range of a DIE, empty ones left out, and takes each range that it
/// reads off `budget`; at 0 it stops.
func forEachRange(
  of die: inout Dwarf_Die, budget: inout Int, _ body: (_ low: UInt64, _ high: UInt64) -> Void
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
    if low < high { body(low, high) }
  }
}

/// Where an image has code.
///
/// Debug data of code that the linker dropped lies elsewhere, mostly at 0.
struct CodeRanges {
  private let ranges: [Range<UInt64>]

  init(_ elf: ELFFile) {
    var merged: [Range<UInt64>] = []
    let sections = elf.sections.filter { $0.flags & 4 != 0 && $0.size > 0 }
    for section in sections.sorted(by: { $0.address < $1.address }) {
      let (end, overflow) = section.address.rawValue.addingReportingOverflow(section.size)
      let range = section.address.rawValue..<(overflow ? .max : end)
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    ranges = merged
  }

  func contains(_ address: UInt64) -> Bool {
    let end = ranges.partitioningIndex { $0.lowerBound > address }
    return end > 0 && address < ranges[end - 1].upperBound
  }
}
