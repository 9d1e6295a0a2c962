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

  /// Frames that only Go's own table or `.debug_frame` describes, for the image as it is loaded (`FileAddress` is that of
  /// the process there), and at addresses that no process has; nil with neither, and where the section is
  /// compressed.
  private(set) lazy var debugFrames = makeDebugFrames()
  private let debugFrameAddress: FileAddress

  /// `number` is another one for each image.
  init(module: ModuleID, bias: UInt64, contents: Contents?, number: Int) {
    self.module = module
    self.bias = bias
    self.contents = contents
    debugFrameAddress = FileAddress(SyntheticFrames.start.rawValue &+ UInt64(number + 1) << 33)
  }

  private func makeDebugFrames() -> FrameIndex? {
    guard let contents else { return nil }
    let file = contents.file
    if let table = GoFunctionTable(contents.elf, bytes: file.bytes) {
      // It says more than `.debug_frame`: which functions leave the stack that they were called on.
      let bytes = GoFrames.exceptionFrames(from: table, in: file.bytes, bias: bias)
      return FrameIndex(framesOnly: MappedFile(copying: bytes), address: debugFrameAddress)
    }
    guard let section = contents.elf.section(named: ".debug_frame"),
      !section.isCompressed,
      let range = contents.elf.bytes(of: section, fileSize: contents.file.count)
    else { return nil }
    let bytes = DebugFrames.exceptionFrames(from: file.bytes.extracting(range), bias: bias)
    return FrameIndex(framesOnly: MappedFile(copying: bytes), address: debugFrameAddress)
  }

  func fileAddress(of address: RemoteAddress) -> FileAddress {
    FileAddress(address.rawValue &- bias)
  }

  /// The bias of `mapping` by the headers of its file.
  ///
  /// The kernel maps whole pages, so both the segment's offset and its address are rounded down:
  /// lld gives segments whose offset is not on a page boundary.
  static func bias(
    of mapping: MemoryMapping, in elf: ELFFile, onlyCode: Bool = true
  ) -> UInt64? {
    for segment in elf.segments
    where segment.type == ELFFile.Segment.load && (segment.isExecutable || !onlyCode) {
      let start = pageStart(segment.offset)
      let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
      guard !overflow, start <= mapping.fileOffset, mapping.fileOffset < max(end, start + 1)
      else { continue }
      return mapping.start.rawValue &- pageStart(segment.address.rawValue)
        &- (mapping.fileOffset - start)
    }
    return nil
  }

  static func pageStart(_ offset: UInt64) -> UInt64 { offset & ~0xfff }
}

// MARK: - Code without unwind data

extension LoadedImage {
  /// What the instructions around an address say of the stack there.
  enum StackShape {
    /// That nothing is known, and a frame pointer the only hope.
    case unknown
    /// So many words were pushed since the call.
    case pushed(Int)
    /// Only the frame pointer was pushed since the call.
    case pushedFramePointer
  }

  /// What the instructions around `pc` say, which is no return address.
  func stackShape(at pc: RemoteAddress) -> StackShape {
    let address = fileAddress(of: pc)
    guard let contents, let segment = contents.elf.loadSegment(containing: address),
      let bytes = contents.elf.bytes(of: segment, fileSize: contents.file.count)
    else { return .unknown }
    let code = Code(
      bytes: UnsafeRawBufferPointer(rebasing: contents.file.pointer[bytes]),
      position: Int(address.rawValue - segment.address.rawValue))
    return contents.elf.isLinkageTable(address)
      ? code.shapeInLinkageTable : code.shapeAtFunctionEdge
  }

  /// Machine code, and a place in it.
  private struct Code {
    let bytes: UnsafeRawBufferPointer
    let position: Int

    func has(_ code: [UInt8], at offset: Int = 0) -> Bool {
      let start = position + offset
      return bytes.indices.contains(start) && bytes[start...].starts(with: code)
    }

    /// The first and last instructions of a function that keeps a frame pointer.
    var shapeAtFunctionEdge: StackShape {
      let endbr: [UInt8] = [0xf3, 0x0f, 0x1e, 0xfa]
      // `push rbp`, and the two ways to write `mov rbp, rsp`.
      for prologue: [UInt8] in [[0x55, 0x48, 0x89, 0xe5], [0x55, 0x48, 0x8b, 0xec]] {
        if has(prologue) || has(endbr + prologue) { return .pushed(0) }
        if has(prologue, at: -1) { return .pushedFramePointer }
      }
      // `pop rbp` or `leave`, then `ret`.
      if has([0x5d, 0xc3], at: -1) || has([0xc9, 0xc3], at: -1) { return .pushed(0) }
      return .unknown
    }

    /// The procedure linkage table, which lld leaves without unwind data (System V ABI, 5.2):
    /// an entry jumps, or pushes a number and jumps to the first entry, which pushes another.
    var shapeInLinkageTable: StackShape {
      if has([0xff, 0x35]) { return .pushed(1) }
      if has([0xff, 0x25]) { return has([0xff, 0x35], at: -6) ? .pushed(2) : .pushed(0) }
      if has([0xe9]) { return has([0x68], at: -5) ? .pushed(1) : .pushed(0) }
      return .pushed(0)
    }
  }
}

extension FileAddress {
  /// Where the address is when the loader has added `bias`.
  func loaded(at bias: UInt64) -> RemoteAddress { RemoteAddress(rawValue &+ bias) }
}

extension ELFFile {
  /// Whether `address` is in the procedure linkage table, whose code does not show where it leads.
  func isLinkageTable(_ address: FileAddress) -> Bool {
    sections.contains {
      $0.name.hasPrefix(".plt") && $0.address <= address
        && address.rawValue - $0.address.rawValue < $0.size
    }
  }
}
