internal import ByteReading
internal import ELFReading
internal import Glibc
internal import LinuxProcess
internal import ProfileModel

/// One mapped ELF file that may hold an interpreter, with what it says of one.
struct PythonImage {
  /// All mappings of the file, in order.
  let mappings: [MemoryMapping]
  let path: String
  private let file: MappedFile?
  private let elf: ELFFile?

  /// Opens the file; without it, only its memory can be searched.
  init(mappings: [MemoryMapping], memory: ProcessMemory) {
    self.mappings = mappings
    path = mappings.first?.path ?? ""
    file = mappings.first.flatMap { try? memory.open($0) }
    elf = file.flatMap { try? ELFFile($0.bytes) }
  }

  /// What the loader added to the file's addresses; several when it is mapped several times.
  var biases: [Int64] {
    guard let elf else { return [] }
    let loads = elf.segments.filter { $0.type == ELFFile.Segment.load }
    var result: [Int64] = []
    for mapping in mappings {
      for segment in loads {
        let start = segment.offset & ~0xfff
        let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
        guard !overflow, start <= mapping.fileOffset, mapping.fileOffset < max(end, start + 1),
          segment.isWritable || !mapping.isWritable
        else { continue }
        let page = segment.address.rawValue & ~0xfff
        let bias = Int64(
          bitPattern: mapping.start.rawValue &- page &- (mapping.fileOffset - start))
        // A file that is mapped to be read only, as debuggers do, has no writable part there.
        if !result.contains(bias) { result.append(bias) }
      }
    }
    return elf.isFixedPosition ? result.filter { $0 == 0 } : result
  }

  // MARK: - Symbols and sections

  /// What the symbol tables name.
  struct Symbols {
    var runtime: FileAddress?
    var version: FileAddress?
    /// `_PyEval_EvalFrameDefault`.
    var loop: FileAddress?
    /// `_PyThreadState_Current`, which went into `_PyRuntime` with 3.7.
    var olderThread: FileAddress?
  }

  /// Looks in `.dynsym`, or in `.symtab`, which is larger.
  func symbols(inDynamicTable isDynamic: Bool) -> Symbols {
    var result = Symbols()
    guard let elf, let file else { return result }
    let table = isDynamic ? SymbolEntry.dynamicTable : SymbolEntry.fullTable
    for section in elf.sections where section.type == table {
      guard let symbols = elf.symbols(of: section, fileSize: file.count) else { continue }
      Self.search(symbols, in: file.bytes, into: &result)
    }
    return result
  }

  private static func search(
    _ symbols: ELFFile.SymbolSection, in bytes: RawSpan, into result: inout Symbols
  ) {
    let entries = bytes.extracting(symbols.entries)
    let names = ByteReader(bytes.extracting(symbols.strings))
    for index in 0..<symbols.count {
      let entry = SymbolEntry(entries, at: index)
      // Defined, and of a size that the wanted ones have; the other names are never read. `Py_Version`
      // is an unsigned long.
      guard
        entry.isVariable && (entry.length == 8 || entry.length >= 256)
          || entry.isTypedFunction && entry.length >= 4096,
        entry.address.rawValue != 0,
        let prefix = names.value(at: Int(entry.name), as: UInt16.self),
        prefix == 0x505f || prefix == 0x7950
      else { continue }
      switch names.string(at: Int(entry.name), limit: 32) {
      case "_PyRuntime": result.runtime = entry.address
      case "Py_Version": result.version = entry.address
      case "_PyEval_EvalFrameDefault": result.loop = entry.address
      case "_PyThreadState_Current": result.olderThread = entry.address
      default: break
      }
    }
  }

  /// Where a section is in memory, for each place where the file is mapped.
  func addresses(ofSection name: String) -> [RemoteAddress] {
    elf?.section(named: name).map { addresses(of: $0.address) } ?? []
  }

  /// Where an address of the file is in memory, likewise.
  func addresses(of address: FileAddress) -> [RemoteAddress] {
    biases.map { RemoteAddress(address.rawValue).advanced(by: $0) }
  }

  // MARK: - Memory

  /// The writable memory of the image: its data, and what follows it without a file (`.bss`).
  func writableRanges(in maps: MemoryMaps) -> [MemoryRange] {
    let limit = elf == nil ? 8 << 20 : 256 << 20
    var result: [MemoryRange] = []
    for mapping in mappings where mapping.isWritable && mapping.isReadable {
      append(mapping, to: &result)
      guard let next = maps.mapping(containing: mapping.end), !next.isFile, next.path.isEmpty,
        next.isWritable, next.end.rawValue - next.start.rawValue <= UInt64(limit)
      else { continue }
      append(next, to: &result)
    }
    return result
  }

  private func append(_ mapping: MemoryMapping, to ranges: inout [MemoryRange]) {
    let size = mapping.end.rawValue - mapping.start.rawValue
    ranges.append(MemoryRange(start: mapping.start, count: Int(min(size, 1 << 30))))
  }

  /// The files with code of an address space; those first whose name speaks of Python, then the
  /// program itself.
  static func candidates(in maps: MemoryMaps) -> [[MemoryMapping]] {
    struct Key: Hashable {
      let device: UInt64
      let inode: UInt64
      let path: String
    }
    var order: [Key] = []
    var groups: [Key: [MemoryMapping]] = [:]
    for mapping in maps.mappings where mapping.isFile {
      let key = Key(device: mapping.device, inode: mapping.inode, path: mapping.path)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(mapping)
    }
    let files = order.compactMap { groups[$0] }.filter { $0.contains(where: \.isExecutable) }
    let isNamed = { (group: [MemoryMapping]) in
      group.first?.path.contains("python3") ?? false
    }
    return files.filter(isNamed) + files.filter { !isNamed($0) }
  }
}
