internal import ProfileModel

/// How a version chains its frames, with the offsets that every step of a walk needs.
struct PythonFrameShape: Sendable {
  /// What a position in `frameInstruction` counts.
  enum Position: Sendable {
    /// `f_lasti` in bytes (up to 3.9), or in code units (3.10).
    case bytes, units
    /// An address within the code object, which begins at this offset.
    case address(codeOffset: Int)
  }

  let code: Int
  let previous: Int
  let instruction: Int
  let position: Position
  /// Nil for PyFrameObject.
  let owner: Int?
  let isEntry: Int?
  /// The lowest field of the above; a record is copied from there.
  let first: Int
  /// How many bytes a record has.
  let span: Int
  /// Owners from here on are the interpreter itself: entries from C, not Python frames.
  let lowestShim: UInt8
  /// Whether each activation of the loop pushes a frame of the interpreter's own (3.12 and later).
  var hasShims: Bool { lowestShim != .max }
  /// Code pointers carry tags in their lower bits (`_PyStackRef`, 3.14).
  let codeMask: UInt64
  /// 3.11 to 3.13, which link a new frame to its caller last: how much of its stack is in use, -1 for
  /// a frame that the loop runs.
  private let stackTop: Int?
  /// Where the instruction is of a frame that has not begun, from its code object on.
  private let beginning: Int

  static let generatorOwner: UInt8 = 1

  /// Nil when the layout lacks a field that no walk can do without.
  init?(_ layout: PythonLayout, minor: Int) {
    guard let code = layout[.frameCode], let previous = layout[.framePrevious],
      let instruction = layout[.frameInstruction]
    else { return nil }
    self.code = code
    self.previous = previous
    self.instruction = instruction
    owner = layout[.frameOwner]
    isEntry = layout[.frameIsEntry]
    if minor <= 9 {
      position = .bytes
    } else if minor == 10 {
      position = .units
    } else {
      guard let start = layout[.codeInstructions] else { return nil }
      position = .address(codeOffset: start)
    }
    stackTop = 11...13 ~= minor ? layout[.frameStackPointer] : nil
    // Up to 3.12 a frame keeps the instruction before the next one (`prev_instr`).
    beginning = (layout[.codeInstructions] ?? 0) - (minor <= 12 ? 2 : 0)
    first = min(code, previous, instruction)
    let others = [(owner, 1), (isEntry, 1), (stackTop, 4)]
      .compactMap { field, size in field.map { $0..<$0 + size } }
    let last = max(code, previous, instruction) + 8
    span = others.reduce(last) { max($0, $1.upperBound) } - first
    // An interpreter may describe its own layout; the offsets of a true one are close together.
    guard others.allSatisfy({ [first] in $0.lowerBound >= first }), span <= 4096 else {
      return nil
    }
    // 3.11 has no shims: its owners end with 2.
    lowestShim = minor >= 12 ? 3 : .max
    codeMask = minor >= 14 ? ~3 : ~0
  }
}

/// One frame as it is in memory.
struct PythonRawFrame: Sendable, Equatable {
  let address: RemoteAddress
  let code: RemoteAddress
  /// As the version keeps it: an address, or a number.
  let instruction: UInt64
  let owner: UInt8
  let isEntry: Bool
  /// Whether it is about to begin, where it is the innermost one: it may not be linked to its caller.
  let isBeginning: Bool
}

extension PythonFrameShape {
  /// Reads the frame whose record is in the copies at `offset`, which is that of `first`.
  func frame(_ copies: MemoryCopies, at address: RemoteAddress, recordOffset offset: Int)
    -> (frame: PythonRawFrame, previous: RemoteAddress)
  {
    func word(_ field: Int) -> UInt64 { copies.load(at: offset + field - first, as: UInt64.self) }
    func byte(_ field: Int?) -> UInt8 {
      field.map { copies.load(at: offset + $0 - first, as: UInt8.self) } ?? 0
    }
    let stackTop = stackTop.map { copies.load(at: offset + $0 - first, as: Int32.self) } ?? -1
    let (instruction, owner) = (word(instruction), byte(owner))
    let code = RemoteAddress(word(code) & codeMask)
    let frame = PythonRawFrame(
      address: address, code: code, instruction: instruction, owner: owner,
      isEntry: byte(isEntry) != 0,
      isBeginning: stackTop != -1 && owner == 0 && instruction == (code + beginning).rawValue)
    return (frame, RemoteAddress(word(previous)))
  }

  /// The code unit that a frame is at; -1 before its first, or when the address is not in the code.
  func unit(of frame: PythonRawFrame) -> Int32 {
    switch position {
    case .bytes:
      let value = Int32(truncatingIfNeeded: frame.instruction)
      return value < 0 ? -1 : value / 2
    case .units:
      return max(-1, Int32(truncatingIfNeeded: frame.instruction))
    case .address(let codeOffset):
      let distance = Int64(
        bitPattern: frame.instruction &- (frame.code + codeOffset).rawValue)
      guard distance >= 0, distance < 1 << 31 else { return -1 }
      return Int32(distance / 2)
    }
  }
}
