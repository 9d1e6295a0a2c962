internal import ProfileModel

/// The functions of folded stacks as frames, with their numbers for addresses.
struct FoldedFrames {
  private(set) var stacks = StackTable()
  private(set) var symbols: [ResolvedFrame] = []
  private let budget: ReadingBudget
  private var numbers: [String: FrameID] = [:]
  /// By the hash of a name: the frame that has had it last, so that most names need no string.
  private var recent = WordTable()
  /// By frame: its name as it was read.
  private var texts: [[UInt8]] = []
  /// Keeps a file that chooses its names from slowing the look-ups down.
  private let salt = UInt64.random(in: 0 ... .max)

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
      var (end, hash) = (start, salt)
      while end < text.endIndex, text[end] != UInt8(ascii: ";") {
        hash = (hash ^ UInt64(text[end])) &* 0x100_0000_01b3
        end += 1
      }
      if end > start {
        let frame = try frame(text[start..<end], hash)
        root = root ?? frame
        let count = stacks.stackCount
        stack = stacks.stack(of: frame, calledBy: stack)
        if stacks.stackCount > count { try takeStack() }
      }
      start = end + 1
    }
    return (stack, root)
  }

  private mutating func frame(
    _ text: ArraySlice<UInt8>, _ hash: UInt64
  ) throws(CaptureFileError) -> FrameID {
    if let known = recent.number(of: hash), texts[Int(known)].elementsEqual(text) {
      return FrameID(known)
    }
    let frame = try frame(text)
    if Int(frame.rawValue) == texts.count { texts.append(Array(text)) }
    recent.set(frame.rawValue, for: hash)
    return frame
  }

  /// A stack of `other` without its outermost frame; `known` has the frames of this by those of `other`.
  mutating func stack(
    _ stack: StackID, of other: FoldedFrames, _ known: inout [FrameID: FrameID]
  ) -> StackID {
    other.stacks.frames(of: stack).dropLast().reversed().reduce(.empty) { caller, frame in
      let own = known[frame] ?? self.frame(named: other.name(of: frame))
      known[frame] = own
      return stacks.stack(of: own, calledBy: caller)
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
    try budget.take(MemoryCost.frame + 3 * text.count)
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
