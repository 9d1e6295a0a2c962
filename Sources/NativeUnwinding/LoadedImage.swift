internal import ByteReading
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// A file's code at one place of the process's memory.
final class LoadedImage {
  let module: ModuleID
  /// What the loader added to the file's addresses; wraps around.
  let bias: UInt64
  /// Nil when the file could not be opened or is no ELF file of this machine.
  let contents: Contents?

  /// The file, and what was read of it once for all the places where it is mapped.
  final class Contents {
    let file: MappedFile
    let elf: ELFFile
    private(set) lazy var frames = FrameIndex(of: elf, in: file)

    init(file: MappedFile, elf: ELFFile) {
      self.file = file
      self.elf = elf
    }
  }

  init(module: ModuleID, bias: UInt64, contents: Contents?) {
    self.module = module
    self.bias = bias
    self.contents = contents
  }

  func fileAddress(of address: UInt64) -> FileAddress { FileAddress(address &- bias) }

  /// The bias of `mapping` by the headers of its file.
  ///
  /// The kernel maps whole pages, so both the segment's offset and its address are rounded down:
  /// lld gives segments whose offset is not on a page boundary.
  static func bias(of mapping: MemoryMapping, in elf: ELFFile) -> UInt64? {
    for segment in elf.segments where segment.type == ELFFile.Segment.load && segment.isExecutable {
      let start = pageStart(segment.offset)
      let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
      guard !overflow, start <= mapping.fileOffset, mapping.fileOffset < max(end, start + 1)
      else { continue }
      return mapping.start.rawValue &- pageStart(segment.address.rawValue)
        &- (mapping.fileOffset - start)
    }
    return nil
  }

  static func pageStart(_ address: UInt64) -> UInt64 { address & ~0xfff }
}
