internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// Finds the file whose code a program has moved to memory of no file: to large pages, as node and others
/// do, by copying it and mapping the copy over it.
struct MovedCode {
  /// A mapping that was looked at, with the file's next to it.
  private struct Key: Hashable {
    let start: RemoteAddress
    let end: RemoteAddress
    let device: UInt64
    let inode: UInt64
  }

  /// Nil for code that is not the file's.
  private var known: [Key: MemoryMapping?] = [:]
  /// A just-in-time compiler may have thousands of mappings.
  private static let limit = 4096
  /// Mappings looked at on either side.
  private static let reach = 6
  /// Bytes that are compared at each of three places.
  private static let sample = 64

  /// `mapping` as a part of the file that it holds the code of; itself where it holds no file's.
  ///
  /// `index` is its place in `maps`. Reads three pieces of its memory once. `file` opens a file.
  mutating func attributed(
    _ mapping: MemoryMapping, at index: Int, in maps: MemoryMaps, memory: ProcessMemory,
    file: (MemoryMapping) -> MappedFile?
  ) -> MemoryMapping {
    guard !mapping.isFile || mapping.path.hasPrefix("/anon_hugepage"), mapping.isReadable,
      mapping.path != "[vdso]"
    else { return mapping }
    let all = maps.mappings
    let before = all[max(0, index - Self.reach)..<index].reversed()
    let behind = all[min(index + 1, all.count)..<min(index + 1 + Self.reach, all.count)]
    for neighbour in [before.first(where: Self.isOfFile), behind.first(where: Self.isOfFile)] {
      guard let neighbour else { continue }
      let key = Key(
        start: mapping.start, end: mapping.end, device: neighbour.device, inode: neighbour.inode)
      if let known = known[key] {
        if let known { return known }
        continue
      }
      guard known.count < Self.limit else { return mapping }
      let found = Self.part(mapping, of: neighbour, memory, file)
      known[key] = found
      if let found { return found }
    }
    return mapping
  }

  private static func isOfFile(_ mapping: MemoryMapping) -> Bool {
    mapping.isFile && !mapping.isMemoryFile && !mapping.path.hasPrefix("/anon_hugepage")
  }

  private static func part(
    _ mapping: MemoryMapping, of neighbour: MemoryMapping, _ memory: ProcessMemory,
    _ file: (MemoryMapping) -> MappedFile?
  ) -> MemoryMapping? {
    guard let file = file(neighbour), let elf = try? ELFFile(file.bytes),
      let bias = LoadedImage.bias(of: neighbour, in: elf, onlyCode: false)
    else { return nil }
    let address = FileAddress(mapping.start.rawValue &- bias)
    for segment in elf.segments where segment.type == ELFFile.Segment.load && segment.isExecutable {
      let start = LoadedImage.pageStart(segment.address.rawValue)
      guard let bytes = elf.bytes(of: segment, fileSize: file.count), address.rawValue >= start,
        case let into = address.rawValue - start,
        case let offset = LoadedImage.pageStart(segment.offset) &+ into,
        offset < UInt64(bytes.upperBound)
      else { continue }
      let size = min(
        mapping.end.rawValue - mapping.start.rawValue, UInt64(bytes.upperBound) - offset)
      guard isSame(mapping.start, file, offset, size, memory) else { return nil }
      return mapping.asPart(of: neighbour, fileOffset: offset)
    }
    return nil
  }

  private static func isSame(
    _ start: RemoteAddress, _ file: MappedFile, _ offset: UInt64, _ size: UInt64,
    _ memory: ProcessMemory
  ) -> Bool {
    guard size >= UInt64(sample) else { return false }
    let last = size - UInt64(sample)
    for place in [0, last / 2, last] {
      let from = Int(offset + place)
      guard from + sample <= file.count,
        let bytes = memory.read(at: start.advanced(by: Int64(place)), count: sample),
        bytes.count == sample, bytes.elementsEqual(file.pointer[from..<from + sample])
      else { return false }
    }
    return true
  }
}
