internal import ByteReading
internal import CElfutils
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The DWARF debug data of one ELF image, read with libdw.
///
/// Opening it costs the inflation of compressed sections; a unit's own tables are read at the first
/// look-up in that unit. The unit of an address is found through `.debug_aranges`, or, as many compilers
/// write none, through an index of the ranges of all units, which is made at the first look-up that
/// needs it.
final class DebugData {
  /// Why there are no lines.
  enum Problem: Error, Equatable {
    /// Not a fault: the image has none.
    case noDebugData
    case tooLarge(section: String, bytes: UInt64)
    case unsupportedCompression(section: String)
    case unreadable(String)
    /// Inflating it would take so long, and so much time is not left of `limit`.
    case takesTooLong(Nanoseconds, limit: String)
  }

  /// A debug section larger than this, inflated, is not read.
  static let sizeLimit: UInt64 = 512 << 20

  private struct UnitRange {
    let low: FileAddress
    let high: FileAddress
    /// The offset of the unit's DIE in `.debug_info`.
    let unit: UInt64
  }

  private let session: DwarfSession
  private let lineTables: LineTables
  private let code: CodeRanges
  /// Whether there is `.debug_aranges`.
  private let hasIndex: Bool
  private lazy var unitRanges = readUnitRanges()
  private var units: [UInt64: DebugUnit] = [:]
  /// Read at the first look-up of a variable.
  private(set) lazy var variables = DebugVariables(session)

  private let splits: SplitUnits

  /// Files that the data goes on in.
  var otherFiles: [MappedFile] {
    splits.files + (session.alternateFile.map { [$0] } ?? [])
  }

  /// The name of a file with a part of the data that was not found.
  var missingFile: String? { splits.missing }

  /// Opens the debug data in `file`, whose headers are `elf`, for an image with `code`.
  init(
    _ file: MappedFile, elf: ELFFile, code: CodeRanges, _ debugFiles: DebugFiles, _ time: SymbolTime
  ) throws(Problem) {
    let cost = SymbolTime.cost(ofInflating: try Self.check(elf, in: file))
    guard time.allows(cost) else { throw .takesTooLong(cost, limit: time.limitText) }
    session = try DwarfSession(file) {
      AlternateFile.open($0, buildID: $1, of: file, debugFiles, time)
    }
    lineTables = LineTables(session)
    splits = SplitUnits(session, of: file, debugFiles)
    self.code = code
    hasIndex = elf.sections.contains { $0.name == ".debug_aranges" && $0.size > 0 }
  }

  /// Returns how many bytes have to be inflated.
  @discardableResult
  fileprivate static func check(_ elf: ELFFile, in file: MappedFile) throws(Problem) -> UInt64 {
    var hasDebugData = false
    var total: UInt64 = 0
    var inflated: UInt64 = 0
    for section in elf.sections where section.isDebugData && !section.isForDebuggersOnly {
      guard let content = try elf.content(of: section, in: file.pointer) else { continue }
      if section.name == ".debug_info" || section.name == ".zdebug_info" { hasDebugData = true }
      guard content.size <= sizeLimit else {
        throw .tooLarge(section: section.name, bytes: content.size)
      }
      total += content.size
      if content.isCompressed { inflated += content.size }
      guard total <= 4 * sizeLimit else { throw .tooLarge(section: "debug data", bytes: total) }
    }
    guard hasDebugData else { throw .noDebugData }
    return inflated
  }

  /// The functions at `address`, innermost inlined one first, with the place in each; empty when
  /// nothing is known of it.
  func frames(at address: FileAddress) -> [DebugFrame] {
    if hasIndex, let offset = session.unit(containing: address, code: code) {
      let frames = unit(at: offset)?.frames(at: address) ?? []
      if !frames.isEmpty { return frames }
    }
    return unit(containing: address)?.frames(at: address) ?? []
  }

  private func unit(containing address: FileAddress) -> DebugUnit? {
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
    guard let unit = DebugUnit(session, lineTables, at: offset, code: code, splits: splits)
    else { return nil }
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

/// The file that dwz(1) moves to what several have in common.
private enum AlternateFile {
  /// Finds it as libdw does: by its build ID, or by its name, which may be relative to `file`.
  static func open(
    _ name: String, buildID: String, of file: MappedFile, _ debugFiles: DebugFiles,
    _ time: SymbolTime
  ) -> MappedFile? {
    debugFiles.byBuildID(buildID) { isRight($0, buildID, time) }
      ?? path(name, of: file).flatMap { debugFiles.byPath($0) { isRight($0, buildID, time) } }
  }

  private static func path(_ name: String, of file: MappedFile) -> String? {
    if name.hasPrefix("/") { return name }
    guard let own = file.path, let end = own.lastIndex(of: "/") else { return nil }
    return own[...end] + name
  }

  /// Whether it is the one that is meant, and not too large for the time that is left.
  private static func isRight(_ file: MappedFile, _ buildID: String, _ time: SymbolTime) -> Bool {
    guard let elf = try? ELFFile(file.bytes), elf.buildID(in: file.bytes) == buildID else {
      return false
    }
    guard let size = try? DebugData.check(elf, in: file) else { return false }
    return time.allows(SymbolTime.cost(ofInflating: size))
  }
}
