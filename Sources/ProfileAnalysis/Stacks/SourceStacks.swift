package import ProfileModel

/// A function of the source, with all its lines.
package struct SourceFunction: Hashable, Sendable {
  /// Demangled; an address for a function that is not known.
  package let name: String
  package let file: String?
  package let module: ModuleID
  /// Whether it stands for frames that were left out of the middle of a very deep stack.
  package let isElided: Bool
}

/// A line of a function; 0 where the line is not known.
package struct FunctionLine: Hashable, Sendable {
  /// Index into `SourceStacks.functions`.
  package let function: Int
  package let line: Int
}

/// The stacks of a profile in terms of its source: inlined calls expanded, and the many addresses
/// of a function or a line joined.
///
/// Make it once for all the tables of a report; it costs one step for each stack and inlined call.
package struct SourceStacks: Sendable {
  /// The name of the frames that were left out of a very deep stack.
  package static let elidedName = "… frames left out …"

  /// Every frame, inlined ones included.
  package private(set) var frames: [SourceFrame] = []
  /// The distinct functions of `frames`.
  package private(set) var functions: [SourceFunction] = []
  /// The distinct lines of `frames`.
  package private(set) var lines: [FunctionLine] = []
  /// The stacks as functions that called each other.
  package private(set) var functionPaths: PathTable
  /// The stacks as lines that called each other.
  package private(set) var linePaths: PathTable
  /// By `FrameID`: its entries in `frames`, innermost first.
  private var frameRanges: [Range<Int>] = []
  /// By index in `frames`.
  private var lineOfFrame: [Int] = []
  private var functionOfFrame: [Int] = []
  private var isFrameInlined: [Bool] = []

  /// The stacks of `profile`; frames that are not known are named by their address.
  package init(_ profile: Profile) {
    functionPaths = PathTable(stackCount: profile.stacks.stackCount)
    linePaths = PathTable(stackCount: profile.stacks.stackCount)
    expandFrames(of: profile)
    // As of folded stacks: no two frames are the same function.
    let isOneEach =
      frames.count == profile.stacks.frames.count && functions.count == frames.count
      && frameRanges.allSatisfy { $0.count == 1 }
    if isOneEach,
      let byFunction = PathTable(
        profile.stacks, items: functionOfFrame, inlined: isFrameInlined),
      let byLine = PathTable(profile.stacks, items: lineOfFrame, inlined: isFrameInlined)
    {
      (functionPaths, linePaths) = (byFunction, byLine)
      return
    }
    for stack in 1..<max(profile.stacks.stackCount, 1) { addPaths(of: stack, in: profile.stacks) }
  }

  /// Indexes into `frames` of the expanded frames of `frame`, innermost first.
  package func sourceFrames(of frame: FrameID) -> Range<Int> {
    Int(frame.rawValue) < frameRanges.count ? frameRanges[Int(frame.rawValue)] : 0..<0
  }

  /// Index into `lines` of the frame with that index in `frames`.
  package func line(ofFrame frame: Int) -> Int { lineOfFrame[frame] }

  /// Index into `functions` of the frame with that index in `frames`.
  package func function(ofFrame frame: Int) -> Int { functionOfFrame[frame] }

  private mutating func expandFrames(of profile: Profile) {
    var functionNumbers = Numbering<SourceFunction>()
    var lineNumbers = Numbering<FunctionLine>()
    for index in profile.stacks.frames.indices {
      let start = frames.count
      frames += Self.sourceFrames(at: index, of: profile)
      frameRanges.append(start..<frames.count)
      for frame in frames[start...] {
        let function = SourceFunction(
          name: frame.line.function, file: frame.line.file, module: frame.module,
          isElided: frame.isElided)
        let number = functionNumbers.number(of: function)
        let line = FunctionLine(function: number, line: frame.line.line)
        lineOfFrame.append(lineNumbers.number(of: line))
        functionOfFrame.append(number)
        isFrameInlined.append(frame.line.isInlined)
      }
    }
    functions = functionNumbers.elements
    lines = lineNumbers.elements
  }

  /// The expanded frames of a frame, innermost first.
  private static func sourceFrames(at index: Int, of profile: Profile) -> [SourceFrame] {
    let known = index < profile.symbols.count ? profile.symbols[index].lines : []
    switch profile.stacks.frames[index] {
    case .elided(let count):
      let line = SourceLine(function: elidedName)
      return [SourceFrame(line: line, module: .anonymous, address: nil, elidedCount: count)]
    case .interpreted(let line):
      // The frame has its names from the beginning, but those in `symbols` may be redacted.
      return [SourceFrame(interpreted: known.first ?? line)]
    case .code(let code):
      let unknown = SourceLine(function: code.address.description)
      return (known.isEmpty ? [unknown] : known).map { line in
        SourceFrame(line: line, module: code.module, address: code.address, elidedCount: nil)
      }
    }
  }

  private mutating func addPaths(of stack: Int, in table: StackTable) {
    let id = StackID(UInt32(stack))
    guard let frame = table.innermostFrame(of: id) else { return }
    let caller = Int(table.caller(of: id).rawValue)
    // A stack's caller was made before it; anything else is treated as an outermost frame.
    var functionPath = caller < stack ? functionPaths.path(of: table.caller(of: id)) : 0
    var linePath = caller < stack ? linePaths.path(of: table.caller(of: id)) : 0
    for frame in sourceFrames(of: frame).reversed() {
      let isInlined = isFrameInlined[frame]
      functionPath = functionPaths.add(functionOfFrame[frame], isInlined, to: functionPath)
      linePath = linePaths.add(lineOfFrame[frame], isInlined, to: linePath)
    }
    functionPaths.setPath(functionPath, of: stack)
    linePaths.setPath(linePath, of: stack)
  }
}
