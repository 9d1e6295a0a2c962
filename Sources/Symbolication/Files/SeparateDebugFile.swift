internal import ByteReading
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// A file that has the symbols or the debug data which another lacks.
struct SeparateDebugFile {
  let file: MappedFile
  let elf: ELFFile

  /// The one of `elf`, whose content is `file`: by its build ID, or by the name and the checksum in its
  /// `.gnu_debuglink`.
  static func find(
    of elf: ELFFile, in file: MappedFile, _ debugFiles: DebugFiles
  ) -> SeparateDebugFile? {
    let id = elf.buildID(in: file.bytes)
    var found: ELFFile?
    func isRight(_ candidate: MappedFile, _ checksum: UInt32?) -> Bool {
      guard let other = try? ELFFile(candidate.bytes), other.hasSymbolsOrDebugData else {
        return false
      }
      let otherID = other.buildID(in: candidate.bytes)
      if let id, let otherID {
        guard id == otherID else { return false }
      } else {
        guard let checksum, Checksum.of(candidate) == checksum else { return false }
      }
      found = other
      return true
    }
    if let id, let candidate = debugFiles.byBuildID(id, where: { isRight($0, nil) }), let found {
      return SeparateDebugFile(file: candidate, elf: found)
    }
    guard let link = DebugLink(elf, in: file) else { return nil }
    for path in link.paths(from: file) {
      if let candidate = debugFiles.byPath(path, where: { isRight($0, link.checksum) }), let found {
        return SeparateDebugFile(file: candidate, elf: found)
      }
    }
    return nil
  }
}

/// `.gnu_debuglink`: the name of the debug file and the CRC-32 of its content (GDB manual, "Debugging
/// Information in Separate Files").
struct DebugLink {
  let name: String
  let checksum: UInt32

  init?(_ elf: ELFFile, in file: MappedFile) {
    guard let section = elf.section(named: ".gnu_debuglink"), section.size <= 4096,
      let range = elf.bytes(of: section, fileSize: file.count)
    else { return nil }
    let reader = ByteReader(file.bytes.extracting(range))
    guard let name = reader.string(at: 0, limit: 256), !name.isEmpty, !name.utf8.contains(0x2f),
      name != ".", name != "..",
      // Behind the name, at the next multiple of 4.
      let checksum = reader.value(at: (name.utf8.count + 4) & ~3, as: UInt32.self)
    else { return nil }
    (self.name, self.checksum) = (name, checksum)
  }

  /// Where the debug file of `file` may be.
  func paths(from file: MappedFile) -> [String] {
    guard let own = file.path, let end = own.lastIndex(of: "/") else { return [] }
    let folder = own[...end]
    return ["\(folder)\(name)", "\(folder).debug/\(name)", "/usr/lib/debug\(folder)\(name)"]
      .filter { $0 != own }
  }
}

extension ELFFile {
  /// Whether there is something of it that a separate debug file is made for.
  var hasSymbolsOrDebugData: Bool { hasSymbols || hasDebugData }

  var hasSymbols: Bool { section(named: ".symtab").map { !$0.hasNoBytes } ?? false }

  var hasDebugData: Bool {
    sections.contains {
      ($0.name == ".debug_info" || $0.name == ".zdebug_info") && !$0.hasNoBytes && $0.size > 0
    }
  }
}

/// The CRC-32 of IEEE 802.3, as zlib's `crc32` gives it.
enum Checksum {
  /// Larger files are not taken: their checksum would take seconds.
  private static let limit = 128 << 20

  /// Eight tables, so that eight bytes take one step (Intel, "Slicing by 8").
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
      tables[byte] = value
    }
    for index in 256..<8 * 256 {
      let last = tables[index - 256]
      tables[index] = last >> 8 ^ tables[Int(last & 0xff)]
    }
    return tables
  }()

  static func of(_ file: MappedFile) -> UInt32? {
    file.count > limit ? nil : of(file.pointer)
  }

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var value: UInt32 = 0xffff_ffff
      var place = 0
      while bytes.count - place >= 8 {
        let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ UInt64(value)
        value = 0
        for index in 0..<8 {
          let byte = Int(truncatingIfNeeded: word >> UInt64(8 &* index)) & 0xff
          value ^= tables[(7 &- index) &* 256 &+ byte]
        }
        place += 8
      }
      for byte in bytes[place...] {
        value = value >> 8 ^ tables[Int((value ^ UInt32(byte)) & 0xff)]
      }
      return ~value
    }
  }
}
