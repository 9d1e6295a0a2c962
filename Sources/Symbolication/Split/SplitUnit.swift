internal import CElfutils
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The part of a unit that the compiler has put into a file of its own (`-gsplit-dwarf`; DWARF 5,
/// section 7.3.2, and the GNU extension of version 4).
struct SplitUnit {
  let session: DwarfSession
  let die: Dwarf_Die
  let ranges: SplitRanges
}

/// What a program says of the split part of one of its units.
struct SkeletonUnit {
  /// DW_AT_GNU_dwo_name and its siblings have no names in dwarf.h's enumeration of every version.
  private enum GNU {
    static let dwoName = 0x2130
    static let rangesBase = 0x2132
    static let addrBase = 0x2133
  }

  /// The number that both parts have.
  let id: UInt64
  let version: UInt16
  /// The path of the file with the split part, as the compiler was told it.
  let name: String
  let directory: String?
  let addressBase: UInt64
  let rangesBase: UInt64
  let low: UInt64

  /// Nil for a unit that is whole.
  init?(_ die: inout Dwarf_Die) {
    guard
      let name = stringAttribute(DW_AT_dwo_name, of: &die)
        ?? stringAttribute(GNU.dwoName, of: &die),
      let found = Self.identity(of: die)
    else { return nil }
    self.name = name
    (id, version) = found
    directory = stringAttribute(DW_AT_comp_dir, of: &die)
    addressBase =
      offset(DW_AT_addr_base, of: &die) ?? offset(GNU.addrBase, of: &die)
      ?? (version >= 5 ? 8 : 0)
    rangesBase = offset(GNU.rangesBase, of: &die) ?? 0
    var low: Dwarf_Addr = 0
    self.low = dwarf_lowpc(&die, &low) == 0 ? low : 0
  }

  /// The number and the DWARF version of a DIE's unit.
  static func identity(of die: Dwarf_Die) -> (id: UInt64, version: UInt16)? {
    var version: Dwarf_Half = 0
    var type: UInt8 = 0
    var id: UInt64 = 0
    // Without a place for the split unit's DIE, which libdw would open by itself.
    guard let unit = die.cu,
      dwarf_cu_info(unit, &version, &type, nil, nil, &id, nil, nil) == 0
    else { return nil }
    return (id, version)
  }

  /// Where the file may be, from the root of a file system.
  func paths(besides file: MappedFile) -> [String] {
    var result: [String] = []
    if name.hasPrefix("/") {
      result.append(name)
    } else if let directory, directory.hasPrefix("/") {
      result.append(directory + "/" + name)
    }
    // A program that was moved along with them.
    if let own = file.path, let end = own.lastIndex(of: "/") {
      result.append(String(own[...end]) + name.lastPathPart)
    }
    return result
  }
}

private func offset(_ name: Int, of die: inout Dwarf_Die) -> UInt64? {
  var attribute = Dwarf_Attribute()
  var value: Dwarf_Word = 0
  guard dwarf_attr(&die, UInt32(name), &attribute) != nil,
    dwarf_formudata(&attribute, &value) == 0
  else { return nil }
  return value
}

/// Finds the split parts of a program's units.
///
/// libdw would open them by the names that the program gives, and wait where one is a FIFO; of the version
/// that most distributions have, it knows no packages of them (`.dwp`). Here each is opened as other debug
/// files are, and shown to libdw together with the addresses that it lacks, as one image.
final class SplitUnits {
  private let session: DwarfSession
  private let file: MappedFile
  private let debugFiles: DebugFiles
  private lazy var addresses = session.content(of: "addr")
  private lazy var package: SplitPackage? = openPackage()
  /// All that were opened.
  private(set) var files: [MappedFile] = []
  /// The first whose file was not found.
  private(set) var missing: String?

  /// Larger parts of a unit are not read.
  private static let limit = 256 << 20
  /// What all units together may take; each has a copy of a package's strings.
  private var bytesLeft = 1 << 30

  init(_ session: DwarfSession, of file: MappedFile, _ debugFiles: DebugFiles) {
    self.session = session
    self.file = file
    self.debugFiles = debugFiles
  }

  /// The other part of a unit; nil where there is none, or it is not found.
  func unit(of die: inout Dwarf_Die) -> SplitUnit? {
    guard let skeleton = SkeletonUnit(&die) else { return nil }
    for path in skeleton.paths(besides: file) {
      var unit: SplitUnit?
      let found = debugFiles.byPath(path) { candidate in
        unit = open(skeleton, in: candidate)
        return unit != nil
      }
      if let found, let unit {
        // Whether later ones change is not looked at: each takes a descriptor.
        if files.count < 256 { files.append(found) }
        return unit
      }
    }
    if let sections = package?.sections(of: skeleton.id), let unit = make(skeleton, sections) {
      return unit
    }
    missing = missing ?? skeleton.name
    return nil
  }

  private func open(_ skeleton: SkeletonUnit, in file: MappedFile) -> SplitUnit? {
    guard file.count <= Self.limit, let elf = try? ELFFile(file.bytes) else { return nil }
    var sections: [SplitPackage.Section: (bytes: UnsafeRawBufferPointer, flags: UInt64)] = [:]
    for section in elf.sections {
      guard let kind = SplitPackage.Section(rawValue: section.name), sections[kind] == nil,
        let range = elf.bytes(of: section, fileSize: file.count)
      else { continue }
      sections[kind] = (UnsafeRawBufferPointer(rebasing: file.pointer[range]), section.flags)
    }
    return make(skeleton, sections)
  }

  private func make(
    _ skeleton: SkeletonUnit,
    _ sections: [SplitPackage.Section: (bytes: UnsafeRawBufferPointer, flags: UInt64)]
  ) -> SplitUnit? {
    let addresses = Self.part(of: addresses, from: skeleton.addressBase)
    var image: [SectionImage.Section] = []
    for (kind, section) in sections {
      guard
        let content = try? SectionContent(
          of: kind.rawValue, isCompressed: section.flags & 0x800 != 0, section.bytes)
      else { return nil }
      image.append(SectionImage.Section(name: kind.rawValue, content: content))
    }
    let size = image.reduce(0) { $0 + Int(clamping: min($1.content.size, 1 << 40)) }
    guard sections[.info] != nil, size <= Self.limit, size <= bytesLeft else { return nil }
    image.append(
      SectionImage.Section(name: ".debug_addr.dwo", content: SectionContent(addresses)))
    guard let split = try? DwarfSession(SectionImage(image)),
      let die = split.firstUnit(numbered: skeleton.id)
    else { return nil }
    bytesLeft -= size
    let lists =
      skeleton.version >= 5
      ? split.content(of: "rnglists.dwo")
      : Self.part(of: session.content(of: "ranges"), from: skeleton.rangesBase)
    return SplitUnit(
      session: split, die: die,
      ranges: SplitRanges(
        version: skeleton.version, lists: lists, addresses: addresses, base: skeleton.low,
        info: split.content(of: "info.dwo")))
  }

  private static func part(
    of bytes: UnsafeRawBufferPointer, from offset: UInt64
  ) -> UnsafeRawBufferPointer {
    guard offset < UInt64(bytes.count) else { return .init(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: bytes[Int(offset)...])
  }

  private func openPackage() -> SplitPackage? {
    guard let path = file.path else { return nil }
    var package: SplitPackage?
    let found = debugFiles.byPath(path + ".dwp") { candidate in
      package = SplitPackage(candidate)
      return package != nil
    }
    if let found { files.append(found) }
    return package
  }
}
