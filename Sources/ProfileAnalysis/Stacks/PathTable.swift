package import ProfileModel

/// Paths from the outermost caller inwards, as a tree: path 0 is empty, and each other path is an
/// item that a shorter path called.
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
