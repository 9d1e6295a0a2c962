internal import ProfileAnalysis
internal import ProfileModel

/// The stacks as the format has them: one table of frames, one of frames and their callers.
struct FirefoxStacks {
  struct Frame: Hashable {
    /// The index of a source frame is one into `SourceStacks.frames`.
    let item: ExportedFrame
    /// What the thread did, for an innermost frame; others have none of their own.
    let category: FirefoxCategory?
    let inlineDepth: Int
  }

  struct Row: Hashable {
    let frame: Int
    let caller: Int?
  }

  private struct Place: Hashable {
    let stack: StackID
    let root: ExportedFrame?
  }

  private struct Leaf: Hashable {
    let place: Place
    let category: FirefoxCategory
  }

  private(set) var frames: [Frame] = []
  /// A caller comes before its callees.
  private(set) var rows: [Row] = []
  private(set) var standIns: [ExportedFrame] = []
  private var frameNumbers: [Frame: Int] = [:]
  private var rowNumbers: [Row: Int] = [:]
  private var rowOfPlace: [Place: Int?] = [:]
  private var rowOfLeaf: [Leaf: Int?] = [:]

  init(_ index: ProfileIndex) {
    for run in index.profile.runs { add(run, index) }
  }

  /// The row of a run's innermost frame; nil for a run that no thread has.
  func row(of run: Run) -> Int? { rowOfLeaf[leaf(of: run)] ?? nil }

  private func leaf(of run: Run) -> Leaf {
    let root = ExportedFrame.root(of: run.end, isEmpty: run.stack == .empty)
    return Leaf(
      place: Place(stack: run.stack, root: root), category: FirefoxCategory(run.activity))
  }

  private mutating func add(_ run: Run, _ index: ProfileIndex) {
    let leaf = leaf(of: run)
    guard rowOfLeaf[leaf] == nil else { return }
    if let root = leaf.place.root, !standIns.contains(root) { standIns.append(root) }
    let table = index.profile.stacks
    let isKnown = Int(run.stack.rawValue) < table.stackCount
    guard isKnown, let innermost = table.innermostFrame(of: run.stack) else {
      let root = leaf.place.root ?? .noStack
      if !standIns.contains(root) { standIns.append(root) }
      rowOfLeaf[leaf] = row(root, leaf.category, depth: 0, caller: nil)
      return
    }
    let caller = Place(stack: table.caller(of: run.stack), root: leaf.place.root)
    rowOfLeaf[leaf] = addRows(
      of: innermost, leaf.category, below: row(of: caller, index), index)
  }

  /// The row of the innermost frame of `place`, whose callers are added first where they are new.
  private mutating func row(of place: Place, _ index: ProfileIndex) -> Int? {
    let table = index.profile.stacks
    var missing: [StackID] = []
    var stack = place.stack
    // Ends: a stack's caller was made before it.
    while stack != .empty, rowOfPlace[Place(stack: stack, root: place.root)] == nil {
      missing.append(stack)
      stack = table.caller(of: stack)
    }
    var caller =
      stack == .empty
      ? place.root.map { row($0, nil, depth: 0, caller: nil) }
      : rowOfPlace[Place(stack: stack, root: place.root)] ?? nil
    for stack in missing.reversed() {
      if let frame = table.innermostFrame(of: stack) {
        caller = addRows(of: frame, nil, below: caller, index)
      }
      rowOfPlace[Place(stack: stack, root: place.root)] = caller
    }
    return caller
  }

  /// The rows of a frame and of the calls inlined into it; gives the innermost.
  private mutating func addRows(
    of frame: FrameID, _ category: FirefoxCategory?, below caller: Int?, _ index: ProfileIndex
  ) -> Int? {
    let sources = index.stacks.sourceFrames(of: frame)
    var caller = caller
    for source in sources.reversed() {
      caller = row(
        .source(source), source == sources.lowerBound ? category : nil,
        depth: sources.upperBound - 1 - source, caller: caller)
    }
    return caller
  }

  private mutating func row(
    _ item: ExportedFrame, _ category: FirefoxCategory?, depth: Int, caller: Int?
  ) -> Int {
    let frame = Frame(item: item, category: category, inlineDepth: depth)
    let row = Row(frame: number(of: frame), caller: caller)
    if let known = rowNumbers[row] { return known }
    rowNumbers[row] = rows.count
    rows.append(row)
    return rows.count - 1
  }

  private mutating func number(of frame: Frame) -> Int {
    if let known = frameNumbers[frame] { return known }
    frameNumbers[frame] = frames.count
    frames.append(frame)
    return frames.count - 1
  }
}

/// The texts of the format, which refers to them by number.
struct FirefoxTexts {
  private(set) var list: [String] = []
  private var numbers: [String: Int] = [:]
  /// Numbers of the names, by function, by stand-in and by module.
  private(set) var functions: [Int] = []
  private(set) var standIns: [Int] = []
  private(set) var modules: [Int] = []
  /// The number of the word for a freeze.
  private(set) var freeze = 0
  /// Numbers of the names of the source files, and the place of each file among them.
  private(set) var sources: [Int] = []
  private(set) var sourceNumber: [String: Int] = [:]

  init(_ index: ProfileIndex, _ stacks: FirefoxStacks) {
    for function in index.stacks.functions {
      functions.append(add(function.name))
      guard let file = function.file, sourceNumber[file] == nil else { continue }
      sourceNumber[file] = sources.count
      sources.append(add(file))
    }
    for standIn in stacks.standIns { standIns.append(add(standIn.standInName ?? "")) }
    for module in index.profile.modules { modules.append(add(module.name)) }
    for run in index.profile.runs where run.activity.isWait { _ = add(run.activity.words) }
    freeze = add("Freeze")
  }

  /// The number of the words for what a thread did.
  func number(of activity: Activity) -> Int { numbers[activity.words] ?? 0 }

  private mutating func add(_ text: String) -> Int {
    if let known = numbers[text] { return known }
    numbers[text] = list.count
    list.append(text)
    return list.count - 1
  }
}
