internal import CLibunwind
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// libunwind over copies: makes rules from frame description entries, and holds the cursor that
/// they are applied to.
final class RuleEngine {
  /// Reads that libunwind may make of unwind data for one rule, or for the expressions of one walk.
  private static let readBudget = 8 << 20

  let view: UnsafeMutablePointer<RemoteView>
  let cursor: UnsafeMutablePointer<unw_cursor_t>
  private let ruleCursor: UnsafeMutablePointer<unw_cursor_t>
  private let space: unw_addr_space_t?
  private let synthetic: UnsafeMutableRawPointer
  private var regions: [RemoteView.Region] = []
  private var images: Set<ObjectIdentifier> = []

  init() {
    view = .allocate(capacity: 1)
    view.initialize(to: RemoteView())
    cursor = .allocate(capacity: 1)
    cursor.initialize(to: unw_cursor_t())
    ruleCursor = .allocate(capacity: 1)
    ruleCursor.initialize(to: unw_cursor_t())
    var accessors = Accessors.make()
    // The library copies the table.
    space = sprof_unw_create_addr_space(&accessors)
    synthetic = .allocate(byteCount: SyntheticFrames.bytes.count, alignment: 16)
    synthetic.copyMemory(from: SyntheticFrames.bytes, byteCount: SyntheticFrames.bytes.count)
    removeAllRegions()
  }

  deinit {
    if let space { sprof_unw_destroy_addr_space(space) }
    view.pointee.regions?.deallocate()
    view.deallocate()
    cursor.deallocate()
    ruleCursor.deallocate()
    synthetic.deallocate()
  }

  /// Makes `snapshot` what the next walk reads; its bytes must stay until then.
  func show(_ snapshot: StackSnapshot) {
    view.pointee.stack = snapshot.bytes.baseAddress
    view.pointee.stackStart = snapshot.start
    view.pointee.stackReadable = UInt64(max(0, snapshot.bytes.count - 7))
    view.pointee.outer = snapshot.outer.bytes.baseAddress
    view.pointee.outerStart = snapshot.outer.start
    view.pointee.outerReadable = UInt64(max(0, snapshot.outer.bytes.count - 7))
    view.pointee.registers = snapshot.registers.values
    view.pointee.known = snapshot.registers.known
  }

  /// Sets the cursor to the innermost frame; false when libunwind cannot.
  func start() -> Bool {
    view.pointee.budget = Self.readBudget
    view.pointee.lacksRegister = false
    view.pointee.unreadable = RemoteAddress(0)
    return space != nil && sprof_unw_init_remote(cursor, space, view) == 0
  }

  /// The cursor's stack pointer: the caller's once a rule was applied.
  @inline(__always)
  var stackPointer: RemoteAddress { address(in: Registers.stackPointer) }

  /// The cursor's instruction pointer: the return address once a rule was applied.
  @inline(__always)
  var instructionPointer: RemoteAddress { address(in: Registers.instructionPointer) }

  @inline(__always)
  private func address(in register: Int) -> RemoteAddress {
    var value: unw_word_t = 0
    _ = sprof_unw_get_reg(cursor, CInt(register), &value)
    return RemoteAddress(value)
  }

  /// Why a rule could not be applied; `isGuess` says that it was not from unwind data.
  func failure(isGuess: Bool) -> WalkEnding {
    if view.pointee.lacksRegister { return .unknownRegister }
    return view.pointee.unreadable.rawValue != 0
      ? .unreadable(isGuess: isGuess) : .badFrame(isGuess: isGuess)
  }

  /// Whether the frame pointer is known to be 0.
  var hasNoFramePointer: Bool {
    var value: unw_word_t = 0
    let result = sprof_unw_get_reg(cursor, CInt(Registers.framePointer), &value)
    forgetFailures()
    return result == 0 && value == 0
  }

  /// Reads the registers that the rules changed.
  @inline(__always)
  func update(_ saved: inout SavedRegisters, changed: UInt8) {
    var rest = changed
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest &- 1
      var value: unw_word_t = 0
      if sprof_unw_get_reg(cursor, SavedRegisters.numbers[index], &value) == 0 {
        saved.values[index] = value
        saved.known |= 1 << UInt8(index)
      } else {
        saved.values[index] = 0
        saved.known &= ~(1 << UInt8(index))
      }
    }
    forgetFailures()
  }

  /// A register that could not be read only matters to a rule that needs it.
  @inline(__always)
  private func forgetFailures() {
    view.pointee.lacksRegister = false
    view.pointee.unreadable = RemoteAddress(0)
  }
}

// MARK: - Rules

extension RuleEngine {
  /// A rule, as libunwind's opaque bytes, and the addresses that it is for.
  struct Row {
    let code: Range<RemoteAddress>
    let rule: [UInt8]
  }

  private struct Search {
    let pc: RemoteAddress
    var row: Row?
  }

  /// The rule that the entry at address `entry` gives for `pc`; nil when libunwind does not understand
  /// it.
  func row(at entry: RemoteAddress, for pc: RemoteAddress) -> Row? {
    let registers = view.pointee.registers
    let known = view.pointee.known
    let budget = view.pointee.budget
    defer {
      view.pointee.isReadingRules = false
      view.pointee.registers = registers
      view.pointee.known = known
      view.pointee.budget = budget
      view.pointee.entry = RemoteAddress(0)
    }
    view.pointee.registers = InlineArray(repeating: 0)
    view.pointee.registers[Registers.instructionPointer] = pc.rawValue
    view.pointee.known = .max
    view.pointee.budget = Self.readBudget
    view.pointee.isReadingRules = true
    view.pointee.entry = entry
    guard sprof_unw_init_remote(ruleCursor, space, view) == 0 else { return nil }
    var search = Search(pc: pc)
    _ = withUnsafeMutablePointer(to: &search) {
      sprof_unw_reg_states_iterate(ruleCursor, Self.keepRow, $0)
    }
    return search.row
  }

  /// Called for each row of the entry's table; ends the iteration at the right one.
  private static let keepRow: unw_reg_states_callback = { token, data, size, start, end in
    guard let search = token?.assumingMemoryBound(to: Search.self), let data,
      size <= RuleCache.ruleSize
    else { return -CInt(UNW_EINVAL.rawValue) }
    let pc = search.pointee.pc.rawValue
    guard start <= pc, pc < end else { return 0 }
    search.pointee.row = Row(
      code: RemoteAddress(start)..<RemoteAddress(end),
      rule: [UInt8](UnsafeRawBufferPointer(start: data, count: size)))
    return -CInt(UNW_ESTOPUNWIND.rawValue)
  }
}

// MARK: - Regions

extension RuleEngine {
  /// Lets libunwind read the segments of `image` from its file.
  func addRegions(of image: LoadedImage) {
    guard let contents = image.contents, images.insert(ObjectIdentifier(image)).inserted
    else { return }
    let file = contents.file.pointer
    for segment in contents.elf.segments where segment.type == ELFFile.Segment.load {
      guard let bytes = contents.elf.bytes(of: segment, fileSize: file.count), !bytes.isEmpty,
        let base = file.baseAddress
      else { continue }
      let start = segment.address.loaded(at: image.bias)
      let end = start.advanced(by: Int64(bytes.count))
      guard start < end, end < SyntheticFrames.start else { continue }
      regions.append(
        RemoteView.Region(
          start: start, end: end, base: base + bytes.lowerBound, isWritable: segment.isWritable))
    }
    publishRegions()
  }

  /// Lets libunwind read frames that sprof has made up.
  func addRegion(of frames: FrameIndex) {
    guard let base = frames.file.pointer.baseAddress,
      images.insert(ObjectIdentifier(frames.file)).inserted
    else { return }
    regions.append(
      RemoteView.Region(
        start: frames.address.loaded(at: 0),
        end: frames.address.loaded(at: UInt64(frames.file.count)), base: base,
        isWritable: false))
    publishRegions()
  }

  func removeAllRegions() {
    images = []
    regions = [
      RemoteView.Region(
        start: SyntheticFrames.start,
        end: SyntheticFrames.start.advanced(by: Int64(SyntheticFrames.bytes.count)),
        base: UnsafeRawPointer(synthetic), isWritable: false)
    ]
    publishRegions()
  }

  private func publishRegions() {
    regions.sort { $0.start < $1.start }
    view.pointee.regions?.deallocate()
    let copy = UnsafeMutablePointer<RemoteView.Region>.allocate(capacity: regions.count)
    copy.initialize(from: regions, count: regions.count)
    view.pointee.regions = copy
    view.pointee.regionCount = regions.count
    view.pointee.lastRegion = 0
  }
}
