internal import ByteReading
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The file that holds HotSpot, as it is mapped into the program.
struct HotSpotImage {
  let path: String
  /// libjvm's variables that lead to its tables, by name.
  let variables: [String: RemoteAddress]

  /// The mapped file of that name; nil when there is none, or it cannot be opened.
  init?(named name: String, in maps: MemoryMaps, memory: ProcessMemory) {
    let first = maps.mappings.first { mapping in
      mapping.isFile && mapping.fileOffset == 0 && mapping.path.hasSuffix("/" + name)
    }
    guard let first, let file = try? memory.open(first), let elf = try? ELFFile(file.bytes) else {
      return nil
    }
    path = first.path
    let start = elf.segments.first { $0.type == ELFFile.Segment.load && $0.offset == 0 }
    let bias = first.start.rawValue &- (start?.address.rawValue ?? 0)
    variables = Self.variables(of: elf, file).mapValues { RemoteAddress($0.rawValue &+ bias) }
  }

  private static let prefix = "gHotSpotVM"
  /// sizeof(Elf64_Sym).
  private static let symbolSize = 24

  /// Looks in `.dynsym`, which no stripping takes away.
  private static func variables(of elf: ELFFile, _ file: MappedFile) -> [String: FileAddress] {
    var result: [String: FileAddress] = [:]
    // SHT_DYNSYM.
    for section in elf.sections where section.type == 11 {
      guard section.entrySize == UInt64(symbolSize), !section.isCompressed,
        let range = elf.bytes(of: section, fileSize: file.count),
        let link = Int(exactly: section.link), elf.sections.indices.contains(link),
        let names = elf.bytes(of: elf.sections[link], fileSize: file.count)
      else { continue }
      let entries = ByteReader(file.bytes.extracting(range))
      let texts = ByteReader(file.bytes.extracting(names))
      for start in stride(from: 0, to: entries.count, by: symbolSize) {
        guard let name = entries.value(at: start, as: UInt32.self),
          let value = entries.value(at: start + 8, as: UInt64.self), value != 0,
          let text = texts.string(at: Int(name), limit: 64), text.hasPrefix(prefix)
        else { continue }
        result[text] = FileAddress(value)
      }
    }
    return result
  }

  /// Whether the program itself is a native image of GraalVM, which has its heap in a section.
  static func isNativeImage(_ maps: MemoryMaps, memory: ProcessMemory) -> Bool {
    // The program's own file is the first mapping of the address space, or the lowest of the high ones.
    guard let first = maps.mappings.first(where: { $0.isFile && $0.fileOffset == 0 }),
      let file = try? memory.open(first), let elf = try? ELFFile(file.bytes)
    else { return false }
    return elf.section(named: ".svm_heap") != nil
  }
}
