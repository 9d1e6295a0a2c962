package import ProfileModel

/// Paths from the outermost caller inwards, as a tree: path 0 is empty, and each other path is an
/// item that a shorter path called.
package struct PathTable: Sendable {
  /// The longer path and its innermost item: both are counts of things in memory, so 32 bits do.
  private struct Step {
    let caller: UInt32
    let item: UInt32

    var key: UInt64 { UInt64(caller) << 32 | UInt64(item) }
  }

  private var steps: [Step] = [Step(caller: 0, item: .max)]
  private var inlined: [Bool] = [false]
  private var ids = WordTable()
  private var pathOfStack: [UInt32]

  init(stackCount: Int) {
    pathOfStack = Array(repeating: 0, count: max(stackCount, 1))
    steps.reserveCapacity(stackCount)
  }

  /// The paths of stacks of which each frame is an item of its own, given by `FrameID`: there are as many
  /// as stacks, with the same numbers, and nothing has to be looked up.
  ///
  /// Nil where a stack has a frame without an item.
  init?(_ table: StackTable, items: [Int], inlined isInlined: [Bool]) {
    self.init(stackCount: table.stackCount)
    inlined.reserveCapacity(table.stackCount)
    for number in 1..<max(table.stackCount, 1) {
      let stack = StackID(UInt32(number))
      let caller = table.caller(of: stack).rawValue
      guard let frame = table.innermostFrame(of: stack).map({ Int($0.rawValue) }),
        items.indices.contains(frame), caller < UInt32(number)
      else { return nil }
      steps.append(Step(caller: caller, item: UInt32(items[frame])))
      inlined.append(isInlined[frame])
      pathOfStack[number] = UInt32(number)
    }
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
    if let known = ids.number(of: step.key) {
      if !isInlined { inlined[Int(known)] = false }
      return Int(known)
    }
    ids.set(UInt32(steps.count), for: step.key)
    steps.append(step)
    inlined.append(isInlined)
    return steps.count - 1
  }
}
