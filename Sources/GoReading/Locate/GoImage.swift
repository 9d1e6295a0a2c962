internal import ByteReading
package import ELFReading
package import LinuxProcess
internal import ProfileModel

/// The file of a Go program, and where it is loaded.
package final class GoImage: Sendable {
  let file: MappedFile
  let elf: ELFFile
  package let functions: GoFunctionTable
  package let build: GoBuild
  /// What the loader added to the file's addresses; wraps around.
  let bias: UInt64

  /// Nil for a file that is not a Go program of 1.18 or later.
  package init?(_ file: MappedFile, mapping: MemoryMapping) {
    guard let elf = try? ELFFile(file.bytes),
      let functions = GoFunctionTable(elf, bytes: file.bytes)
    else { return nil }
    let segment = elf.segments.first { segment in
      segment.type == ELFFile.Segment.load && segment.offset & ~0xfff == mapping.fileOffset
        && segment.isExecutable == mapping.isExecutable
    }
    guard let segment else { return nil }
    self.file = file
    self.elf = elf
    self.functions = functions
    build = GoBuild(elf, bytes: file.bytes) ?? GoBuild(version: GoBuild.unknownVersion)
    bias = mapping.start.rawValue &- (segment.address.rawValue & ~0xfff)
  }

  /// The version of a file that is Go's, also where its table of functions is not read; nil for another.
  static func build(of file: MappedFile) -> GoBuild? {
    guard let elf = try? ELFFile(file.bytes) else { return nil }
    if let build = GoBuild(elf, bytes: file.bytes) { return build }
    let isOfGo =
      elf.section(named: ".go.buildinfo") != nil || elf.section(named: ".gopclntab") != nil
    return isOfGo ? GoBuild(version: GoBuild.unknownVersion) : nil
  }

  func fileAddress(_ address: RemoteAddress) -> FileAddress {
    FileAddress(address.rawValue &- bias)
  }

  func loaded(_ address: FileAddress) -> RemoteAddress {
    RemoteAddress(address.rawValue &+ bias)
  }

  /// The variables that goroutines are found by.
  struct Variables {
    var goroutines: [RemoteAddress] = []
    var locks: [RemoteAddress] = []
    var machines: [RemoteAddress] = []
  }

  /// The size of `runtime.semtable`: 251 roots, each on cache lines of its own.
  static let lockTableSize = 16_064

  /// Where they may be, by the symbol table, and in a stripped program by the code that uses them.
  func variables() -> Variables {
    var result = symbols()
    let users: [(place: WritableKeyPath<Variables, [RemoteAddress]>, function: String)] = [
      (\.goroutines, "runtime.allgadd"), (\.locks, "runtime.semacquire1"),
      (\.machines, "runtime.mcommoninit"),
    ]
    let unknown = users.filter { result[keyPath: $0.place].isEmpty }
    guard !unknown.isEmpty else { return result }
    let file = file
    let found = functions.functions(named: unknown.map(\.function), in: file.bytes)
    for (place, name) in unknown {
      result[keyPath: place] = found[name].map { references(of: $0) } ?? []
    }
    return result
  }

  private func symbols() -> Variables {
    let file = file
    var result = Variables()
    for section in elf.sections where section.type == 2 && section.entrySize == 24 {
      guard let range = elf.bytes(of: section, fileSize: file.count), !section.isCompressed,
        let link = Int(exactly: section.link), elf.sections.indices.contains(link),
        let strings = elf.bytes(of: elf.sections[link], fileSize: file.count)
      else { continue }
      let entries = ByteReader(file.bytes.extracting(range))
      let names = ByteReader(file.bytes.extracting(strings))
      for entry in stride(from: 0, to: entries.count - 23, by: 24) {
        guard let size = entries.value(at: entry + 16, as: UInt64.self),
          size == 8 || size == 24 || size == UInt64(Self.lockTableSize),
          let address = entries.value(at: entry + 8, as: UInt64.self), address != 0,
          let name = entries.value(at: entry, as: UInt32.self)
        else { continue }
        switch names.string(at: Int(name), limit: 20) {
        case "runtime.allgs": result.goroutines = [loaded(FileAddress(address))]
        case "runtime.allm": result.machines = [loaded(FileAddress(address))]
        case "runtime.semtable": result.locks = [loaded(FileAddress(address))]
        default: break
        }
      }
    }
    return result
  }

  /// The addresses of data that a function's instructions may name, relative to themselves.
  ///
  /// Each place of four bytes is taken for such an operand: what is none leads nowhere, or fails the trial.
  private func references(of function: GoFunctionTable.Function) -> [RemoteAddress] {
    let file = file
    guard let segment = elf.loadSegment(containing: function.start),
      let range = elf.bytes(of: segment, fileSize: file.count)
    else { return [] }
    let data = elf.segments.filter { $0.type == ELFFile.Segment.load && $0.isWritable }
    let reader = ByteReader(file.bytes.extracting(range))
    let start = function.start.rawValue - segment.address.rawValue
    let length = min(function.code.upperBound.rawValue - function.start.rawValue, 4096)
    var result: [RemoteAddress] = []
    var known: Set<UInt64> = []
    for place in 0..<Int(length) {
      guard let offset = reader.value(at: Int(start) + place, as: Int32.self) else { break }
      // The operand may be followed by a constant of one or four bytes.
      for rest: UInt64 in [4, 5, 8] {
        let next = function.start.rawValue &+ UInt64(place) &+ rest
        let address = next &+ UInt64(bitPattern: Int64(offset))
        let isData = data.contains {
          address >= $0.address.rawValue && address - $0.address.rawValue < $0.memorySize
        }
        guard isData, address % 8 == 0, known.insert(address).inserted else { continue }
        result.append(loaded(FileAddress(address)))
      }
    }
    return result
  }
}
