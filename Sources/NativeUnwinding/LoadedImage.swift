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

  /// Frames that only `.debug_frame` describes, for addresses of the process and at addresses
  /// that no process has; nil without an uncompressed section.
  private(set) lazy var debugFrames = makeDebugFrames()
  private let debugFrameAddress: UInt64

  /// `number` tells apart all images.
  init(module: ModuleID, bias: UInt64, contents: Contents?, number: Int) {
    self.module = module
    self.bias = bias
    self.contents = contents
    debugFrameAddress = SyntheticFrames.start &+ UInt64(number + 1) << 33
  }

  private func makeDebugFrames() -> FrameIndex? {
    guard let contents, let section = contents.elf.section(named: ".debug_frame"),
      !section.isCompressed,
      let range = contents.elf.bytes(of: section, fileSize: contents.file.count)
    else { return nil }
    let file = contents.file
    let bytes = DebugFrames.exceptionFrames(from: file.bytes.extracting(range), bias: bias)
    return FrameIndex(framesOnly: MappedFile(copying: bytes), address: debugFrameAddress)
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

// MARK: - Code without unwind data

extension LoadedImage {
  /// Where an instruction stands in a function that keeps a frame pointer.
  enum FunctionEdge {
    /// Between the first and the last instructions, or in code of another kind.
    case none
    /// Before the frame pointer is pushed, or after it was popped: the stack pointer points to
    /// the return address.
    case nothingPushed
    /// Between `push rbp` and `mov rbp, rsp`.
    case framePointerPushed
  }

  /// Looks for the first and last instructions that every such function has around `pc`.
  func functionEdge(at pc: UInt64) -> FunctionEdge {
    let address = fileAddress(of: pc)
    guard let contents, let segment = contents.elf.loadSegment(containing: address),
      let bytes = contents.elf.bytes(of: segment, fileSize: contents.file.count)
    else { return .none }
    let position = bytes.lowerBound + Int(address.rawValue - segment.address.rawValue)
    func starts(_ code: [UInt8], at start: Int) -> Bool {
      bytes.contains(start) && contents.file.pointer[start..<bytes.upperBound].starts(with: code)
    }
    let endbr: [UInt8] = [0xf3, 0x0f, 0x1e, 0xfa]
    let push: [UInt8] = [0x55]
    // The assembler may encode `mov rbp, rsp` in either direction.
    for move: [UInt8] in [[0x48, 0x89, 0xe5], [0x48, 0x8b, 0xec]] {
      if starts(push + move, at: position) || starts(endbr + push + move, at: position) {
        return .nothingPushed
      }
      if starts(push + move, at: position - 1) { return .framePointerPushed }
    }
    // ret after pop rbp or leave.
    if starts([0x5d, 0xc3], at: position - 1) || starts([0xc9, 0xc3], at: position - 1) {
      return .nothingPushed
    }
    return .none
  }
}
