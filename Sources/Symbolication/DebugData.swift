internal import CElfutils
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The DWARF debug data of one ELF image, read with libdw.
///
/// Opening it costs the inflation of compressed sections; the ranges of its units are read at the
/// first look-up, and a unit's own tables at the first look-up in that unit. The index over the
/// ranges is our own: many compilers write no `.debug_aranges`, which libdw's relies on.
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
  private let code: CodeRanges
  private lazy var unitRanges = readUnitRanges()
  private var units: [UInt64: DebugUnit] = [:]

  init(_ file: MappedFile, elf: ELFFile) throws(Problem) {
    try Self.check(elf, in: file)
    self.file = file
    session = try DwarfSession(file)
    code = CodeRanges(elf)
  }

  private static func check(_ elf: ELFFile, in file: MappedFile) throws(Problem) {
    var hasDebugData = false
    for section in elf.sections where section.name.contains("debug_") {
      guard let range = elf.bytes(of: section, fileSize: file.count) else { continue }
      if section.name == ".debug_info" || section.name == ".zdebug_info" { hasDebugData = true }
      var size = section.size
      if section.isCompressed {
        // Elf64_Chdr: type, reserved, size, alignment.
        let header = file.bytes.extracting(range)
        guard header.byteCount >= 24 else { throw .unreadable("\(section.name) is cut off") }
        // The guard above keeps all of the header inside the span.
        let type = unsafe header.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
        size = unsafe header.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
        // Which kinds libelf can inflate depends on its version; ELFCOMPRESS_ZLIB is 1.
        if type != 1, !DwarfSession.inflatesZstandard {
          throw .unsupportedCompression(section: section.name)
        }
      }
      guard size <= sizeLimit else { throw .tooLarge(section: section.name, bytes: size) }
    }
    guard hasDebugData else { throw .noDebugData }
  }

  /// The unit whose code covers `address`.
  func unit(containing address: FileAddress) -> DebugUnit? {
    let address = address.rawValue
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
    guard let unit = DebugUnit(session, at: offset, code: code) else { return nil }
    units[offset] = unit
    return unit
  }

  private func readUnitRanges() -> [UnitRange] {
    var result: [UnitRange] = []
    session.forEachUnit { die in
      var die = die
      let offset = dwarf_dieoffset(&die)
      forEachRange(of: &die) { low, high in
        if code.contains(low) { result.append(UnitRange(low: low, high: high, unit: offset)) }
      }
      // More ranges than any program has: the data is bad.
      return result.count < 1 << 23
    }
    result.sort { ($0.low, $1.high) < ($1.low, $0.high) }
    return result
  }
}

/// The one owner of libelf's and libdw's handles for a file.
final class DwarfSession {
  /// libelf learnt to inflate Zstandard in version 0.189, where it was built with it.
  static let inflatesZstandard = false

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

/// Calls `body` with each address range of a DIE, empty ones left out.
func forEachRange(of die: inout Dwarf_Die, _ body: (_ low: UInt64, _ high: UInt64) -> Void) {
  var base: Dwarf_Addr = 0
  var low: Dwarf_Addr = 0
  var high: Dwarf_Addr = 0
  var position = 0
  // The bound is far above what compilers write, and keeps shared bad lists from adding up.
  for _ in 0..<(1 << 20) {
    position = dwarf_ranges(&die, position, &base, &low, &high)
    guard position > 0 else { return }
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

extension RandomAccessCollection where Index == Int {
  /// The first index whose element is in the second half; all of the first half come before it.
  func partitioningIndex(_ isInSecondHalf: (Element) -> Bool) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if isInSecondHalf(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
