extension Profile {
  /// Numbers frames and stacks in the order in which the runs first use them, and drops the others.
  ///
  /// A file gives stacks in the order of its runs; with this numbering a profile that is written
  /// and read again is the same, down to the order of things of equal weight. Costs one step for
  /// each frame of a stack that is used.
  package mutating func renumberStacks() {
    var renumbering = Renumbering(of: self)
    for index in runs.indices {
      runs.setStack(renumbering.stack(of: runs.stack(at: index)), at: index)
    }
    stacks = renumbering.table
    symbols = renumbering.symbols
  }
}

/// New numbers for the frames and stacks of a profile, in the order in which they are asked for.
private struct Renumbering {
  private let stacks: StackTable
  private let oldSymbols: [ResolvedFrame]
  private(set) var table = StackTable()
  private(set) var symbols: [ResolvedFrame] = []
  /// By the old number.
  private var newStacks: [StackID?]
  private var newFrames: [FrameID?]
  /// The stacks on the way to one that has a new number; kept for its memory.
  private var path: [StackID] = []

  init(of profile: Profile) {
    stacks = profile.stacks
    oldSymbols = profile.symbols
    newStacks = Array(repeating: nil, count: max(stacks.stackCount, 1))
    newStacks[0] = .empty
    newFrames = Array(repeating: nil, count: stacks.frames.count)
  }

  /// The new number of a stack; the empty stack for one that the profile does not have.
  mutating func stack(of old: StackID) -> StackID {
    guard Int(old.rawValue) < newStacks.count else { return .empty }
    path.removeAll(keepingCapacity: true)
    var outer = old
    while newStacks[Int(outer.rawValue)] == nil {
      path.append(outer)
      outer = stacks.caller(of: outer)
    }
    for stack in path.reversed() {
      guard let frame = stacks.innermostFrame(of: stack) else { continue }
      let caller = newStacks[Int(stacks.caller(of: stack).rawValue)] ?? .empty
      newStacks[Int(stack.rawValue)] = table.stack(of: self.frame(of: frame), calledBy: caller)
    }
    return newStacks[Int(old.rawValue)] ?? .empty
  }

  private mutating func frame(of old: FrameID) -> FrameID {
    let number = Int(old.rawValue)
    if let known = newFrames[number] { return known }
    let id = table.id(of: stacks[old])
    newFrames[number] = id
    if !oldSymbols.isEmpty, Int(id.rawValue) == symbols.count {
      let isKnown = number < oldSymbols.count
      symbols.append(isKnown ? oldSymbols[number] : ResolvedFrame(unknown: stacks[old]))
    }
    return id
  }
}
