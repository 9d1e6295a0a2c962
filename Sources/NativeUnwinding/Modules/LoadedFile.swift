internal import ByteReading
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// A file with code, and where the loader has put it.
///
/// A file that is written to in place changes in memory, too, but for pages that the loader has written to;
/// these are lost when the file is cut short meanwhile, and then are as the file has them.
struct LoadedFile {
  private let file: MappedFile
  private let elf: ELFFile
  private let mapping: MemoryMapping
  private let bias: UInt64

  init(_ file: MappedFile, _ elf: ELFFile, _ mapping: MemoryMapping) {
    self.file = file
    self.elf = elf
    self.mapping = mapping
    bias = LoadedImage.bias(of: mapping, in: elf) ?? 0
  }

  /// Whether what the loader has read of it, and has written to it, is what it would read and write now.
  ///
  /// What cannot be compared is taken to be the same. Two reads.
  func isAsLoaded(in memory: ProcessMemory, _ maps: MemoryMaps) -> Bool {
    guard bias != 0,
      let segment = elf.segments.first(where: { $0.type == ELFFile.Segment.dynamic }),
      let bytes = elf.bytes(of: segment, fileSize: file.count),
      let copy = read(segment.address, min(bytes.count, 1024), memory, maps)
    else { return true }
    let now = ByteReader(file.bytes.extracting(bytes))
    let then = ByteReader(copy.span.bytes)
    return isSame(now, then) && isRelocated(now, memory, maps)
  }

  /// Memory of this file's mappings.
  private func read(
    _ address: FileAddress, _ count: Int, _ memory: ProcessMemory, _ maps: MemoryMaps
  ) -> [UInt8]? {
    let address = address.loaded(at: bias)
    guard let place = maps.mapping(containing: address), place.inode == mapping.inode,
      place.device == mapping.device, place.path == mapping.path
    else { return nil }
    return memory.read(at: address, count: count)
  }

  /// Compares dynamic sections (System V ABI, "Dynamic Section") as far as the second goes.
  private func isSame(_ now: borrowing ByteReader, _ then: borrowing ByteReader) -> Bool {
    for entry in stride(from: 0, to: then.count - 15, by: 16) {
      guard let tag = now.value(at: entry, as: UInt64.self),
        let value = now.value(at: entry + 8, as: UInt64.self),
        let loadedTag = then.value(at: entry, as: UInt64.self),
        let loaded = then.value(at: entry + 8, as: UInt64.self)
      else { return true }
      guard tag == loadedTag else { return false }
      // DT_NULL: the end.
      if tag == 0 { return true }
      // glibc adds the bias to addresses, and puts one of its own into DT_DEBUG.
      guard loaded == value || loaded == value &+ bias || tag == 21 else { return false }
    }
    return true
  }

  /// Whether the first function that initialises it has an address in the program.
  ///
  /// Loaders write it there before any code of the file runs, and call it unseen, so that it is not 0.
  private func isRelocated(
    _ dynamic: borrowing ByteReader, _ memory: ProcessMemory, _ maps: MemoryMaps
  ) -> Bool {
    var list: FileAddress?
    for entry in stride(from: 0, to: dynamic.count - 15, by: 16) {
      guard let tag = dynamic.value(at: entry, as: UInt64.self), tag != 0,
        let value = dynamic.value(at: entry + 8, as: UInt64.self)
      else { break }
      // DT_INIT_ARRAY and DT_INIT_ARRAYSZ.
      if tag == 25 { list = FileAddress(value) }
      if tag == 27, value < 8 { return true }
      // DF_1_PIE in DT_FLAGS_1: a program without PT_INTERP relocates itself while it runs.
      let isProgram = tag == 0x6fff_fffb && value & 0x0800_0000 != 0
      if isProgram, !elf.segments.contains(where: { $0.type == 3 }) { return true }
    }
    guard let list, let word = read(list, 8, memory, maps),
      let function = ByteReader(word.span.bytes).value(at: 0, as: UInt64.self)
    else { return true }
    return maps.mapping(containing: RemoteAddress(function))?.isExecutable ?? false
  }
}
