internal import ProfileModel

/// The functions of folded stacks as frames, with their numbers for addresses.
struct FoldedFrames {
  private(set) var stacks = StackTable()
  private(set) var symbols: [ResolvedFrame] = []
  private let budget: ReadingBudget
  private var numbers: [String: FrameID] = [:]

  init(_ budget: ReadingBudget) { self.budget = budget }

  /// The stack of a line, outermost first, and its outermost frame.
  ///
  /// - Throws: `foreign` when it is not text.
  mutating func stack(
    _ text: ArraySlice<UInt8>
  ) throws(CaptureFileError) -> (StackID, root: FrameID?) {
    var (stack, root) = (StackID.empty, FrameID?.none)
    var start = text.startIndex
    while start < text.endIndex {
      let end = text[start...].firstIndex(of: UInt8(ascii: ";")) ?? text.endIndex
      if end > start {
        let frame = try frame(text[start..<end])
        root = root ?? frame
        let count = stacks.stackCount
        stack = stacks.stack(of: frame, calledBy: stack)
        if stacks.stackCount > count { try takeStack() }
      }
      start = end + 1
    }
    return (stack, root)
  }

  /// A stack of `other` without its outermost frame.
  mutating func stack(_ stack: StackID, of other: FoldedFrames) -> StackID {
    other.stacks.frames(of: stack).dropLast().reversed().reduce(.empty) { caller, frame in
      stacks.stack(of: self.frame(named: other.name(of: frame)), calledBy: caller)
    }
  }

  /// The text of a frame.
  func name(of frame: FrameID) -> String {
    symbols[Int(frame.rawValue)].lines.first?.function ?? ""
  }

  private func takeStack() throws(CaptureFileError) {
    let limit = budget.limits.count
    guard stacks.stackCount <= limit else { throw .tooLarge(.stacks(limit: limit)) }
    try budget.take(MemoryCost.stack)
  }

  private mutating func frame(_ text: ArraySlice<UInt8>) throws(CaptureFileError) -> FrameID {
    guard let name = String(validating: text, as: UTF8.self), !text.contains(0) else {
      throw .foreign
    }
    if let known = numbers[name] { return known }
    try budget.take(MemoryCost.frame + 2 * text.count)
    return frame(named: name)
  }

  private mutating func frame(named name: String) -> FrameID {
    if let known = numbers[name] { return known }
    let address = FileAddress(UInt64(symbols.count))
    let id = stacks.id(of: .code(CodeAddress(module: .anonymous, address: address)))
    symbols.append(ResolvedFrame(lines: [SourceLine(function: name)], module: .anonymous))
    numbers[name] = id
    return id
  }
}

/// The thread that a first frame such as `worker (4242)` means.
struct FoldedThread {
  let name: String
  let tid: Int32

  init(name: String, tid: Int32) { (self.name, self.tid) = (name, tid) }

  /// Nil for a frame that means none.
  init?(_ frame: String) {
    guard frame.last == ")", let open = frame.lastIndex(of: "("),
      let tid = Int32(frame[frame.index(after: open)...].dropLast()), tid > 0
    else { return nil }
    self.init(name: String(frame[..<open].reversed().drop { $0 == " " }.reversed()), tid: tid)
  }
}
