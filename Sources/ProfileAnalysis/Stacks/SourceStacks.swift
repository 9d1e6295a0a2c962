package import ProfileModel

/// A frame as the source knows it: inlined calls are frames of their own.
package struct SourceFrame: Hashable, Sendable {
  /// Function, file and line.
  package let line: SourceLine
  package let module: ModuleID
  /// Nil for what is no machine code.
  package let address: FileAddress?
  /// Of what stands for frames that were left out of the middle of a very deep stack, how many; 0 where
  /// that is not known.
  package let elidedCount: Int?

  package var isElided: Bool { elidedCount != nil }

  /// Whether it is of a language that an interpreter runs.
  var isInterpreted: Bool { address == nil && !isElided && line.file != nil }
}

extension SourceFrame {
  /// A line of a function that an interpreter runs.
  package init(interpreted line: SourceLine) {
    self.init(line: line, module: .anonymous, address: nil, elidedCount: nil)
  }
}

/// A function of the source, wherever in it the program was.
package struct SourceFunction: Hashable, Sendable {
  package let name: String
  package let file: String?
  package let module: ModuleID
  /// Whether this stands for frames that were left out of the middle of a very deep stack.
  package let isElided: Bool
}

/// A line of a function; 0 where the line is not known.
package struct FunctionLine: Hashable, Sendable {
  /// Index into `SourceStacks.functions`.
  package let function: Int
  package let line: Int
}

/// The stacks of a profile as the source knows them: inlined calls expanded, and the many addresses
/// of a function or a line brought together.
///
/// Made once for all the tables of a report; costs one step for each stack and inlined call.
package struct SourceStacks: Sendable {
  /// What the frames that were left out of a very deep stack are called.
  package static let elidedName = "… frames left out …"

  /// Every frame, inlined ones included.
  package private(set) var frames: [SourceFrame] = []
  package private(set) var functions: [SourceFunction] = []
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

  /// Brings together what `profile` knows of its frames; unknown frames are named by address.
  package init(_ profile: Profile) {
    functionPaths = PathTable(stackCount: profile.stacks.stackCount)
    linePaths = PathTable(stackCount: profile.stacks.stackCount)
    expandFrames(of: profile)
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
    var functionIDs: [SourceFunction: Int] = [:]
    var lineIDs: [FunctionLine: Int] = [:]
    for (index, frame) in profile.stacks.frames.enumerated() {
      let start = frames.count
      switch frame {
      case .elided(let count):
        let line = SourceLine(function: Self.elidedName)
        frames.append(
          SourceFrame(line: line, module: .anonymous, address: nil, elidedCount: count))
      case .interpreted(let line):
        // The frame has its names from the beginning, but those in `symbols` may be redacted.
        let known = index < profile.symbols.count ? profile.symbols[index].lines.first : nil
        frames.append(SourceFrame(interpreted: known ?? line))
      case .code(let code):
        let known = index < profile.symbols.count ? profile.symbols[index].lines : []
        let unknown = SourceLine(function: code.address.description)
        for line in known.isEmpty ? [unknown] : known {
          frames.append(
            SourceFrame(
              line: line, module: code.module, address: code.address, elidedCount: nil))
        }
      }
      frameRanges.append(start..<frames.count)
      for frame in frames[start...] {
        let function = SourceFunction(
          name: frame.line.function, file: frame.line.file, module: frame.module,
          isElided: frame.isElided)
        let functionID = functionIDs.index(of: function, addingTo: &functions)
        let line = FunctionLine(function: functionID, line: frame.line.line)
        lineOfFrame.append(lineIDs.index(of: line, addingTo: &lines))
        functionOfFrame.append(functionID)
        isFrameInlined.append(frame.line.isInlined)
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

/// Paths from the outermost caller inwards, as a tree: path 0 is the empty one, and each other one
/// is an item called by a shorter path.
package struct PathTable: Sendable {
  /// The longer path and its innermost item: both are counts of things in memory, so 32 bits do.
  private struct Step: Hashable {
    let caller: UInt32
    let item: UInt32

    /// One word to hash is twice as fast as two.
    func hash(into hasher: inout Hasher) { hasher.combine(UInt64(caller) << 32 | UInt64(item)) }
  }

  private var steps: [Step] = [Step(caller: 0, item: .max)]
  private var inlined: [Bool] = [false]
  private var ids: [Step: UInt32] = [:]
  private var pathOfStack: [UInt32]

  init(stackCount: Int) {
    pathOfStack = Array(repeating: 0, count: max(stackCount, 1))
    steps.reserveCapacity(stackCount)
    ids.reserveCapacity(stackCount)
  }

  /// The number of paths, the empty one included.
  package var count: Int { steps.count }

  /// The path that a stack of the profile takes; the empty one for a stack that is not known.
  package func path(of stack: StackID) -> Int {
    Int(stack.rawValue) < pathOfStack.count ? Int(pathOfStack[Int(stack.rawValue)]) : 0
  }

  /// The innermost item of a path that is not empty: a function or a line.
  package func item(of path: Int) -> Int { Int(steps[path].item) }

  /// The path without its innermost item; always a smaller number.
  package func caller(of path: Int) -> Int { Int(steps[path].caller) }

  /// Whether every frame that makes this path's innermost item was inlined.
  package func isInlined(_ path: Int) -> Bool { inlined[path] }

  mutating func setPath(_ path: Int, of stack: Int) { pathOfStack[stack] = UInt32(path) }

  mutating func add(_ item: Int, _ isInlined: Bool, to caller: Int) -> Int {
    let step = Step(caller: UInt32(caller), item: UInt32(item))
    if let known = ids[step] {
      if !isInlined { inlined[Int(known)] = false }
      return Int(known)
    }
    ids[step] = UInt32(steps.count)
    steps.append(step)
    inlined.append(isInlined)
    return steps.count - 1
  }
}

extension Dictionary where Value == Int {
  /// The index of `element` in `list`, to which it is added when it is new.
  fileprivate mutating func index(of element: Key, addingTo list: inout [Key]) -> Int {
    if let known = self[element] { return known }
    self[element] = list.count
    list.append(element)
    return list.count - 1
  }
}

extension [SourceFrame] {
  /// Innermost first: the frames that ran, without the tasks of asyncio that wait for the running one.
  ///
  /// Those lie between its marker and the last one, and are suspended.
  var withoutWaitingTasks: [SourceFrame] {
    guard let first = firstIndex(where: \.isTaskMarker),
      let last = lastIndex(where: \.isTaskMarker)
    else { return self }
    return Array(self[..<first] + self[(last + 1)...])
  }
}

extension SourceFrame {
  /// Whether it stands for a task of asyncio: `<task NAME>`.
  fileprivate var isTaskMarker: Bool {
    address == nil && line.file == nil
      && (line.function.hasPrefix("<task>") || line.function.hasPrefix("<task "))
  }
}
