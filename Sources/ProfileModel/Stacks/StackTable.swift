/// All stacks of a capture as one tree: a stack is its innermost frame and the stack of its caller.
///
/// Adding a stack costs one step per frame that is new above a known caller.
package struct StackTable: Sendable {
  private struct Node {
    let parent: StackID
    let frame: FrameID

    var key: UInt64 { UInt64(parent.rawValue) << 32 | UInt64(frame.rawValue) }
  }

  /// Every distinct frame, indexed by `FrameID`.
  package private(set) var frames: [Frame] = []
  private var frameIDs: [Frame: FrameID] = [:]
  private var nodes: [Node] = [Node(parent: .empty, frame: FrameID(.max))]
  private var nodeIDs = WordTable()

  package init() {}

  /// The number of distinct stacks, the empty one included.
  package var stackCount: Int { nodes.count }

  /// The name of `frame`, which is added if it is new.
  package mutating func id(of frame: Frame) -> FrameID {
    if let known = frameIDs[frame] { return known }
    let id = FrameID(UInt32(frames.count))
    frames.append(frame)
    frameIDs[frame] = id
    return id
  }

  /// The stack that `frame` makes when `caller` called it.
  package mutating func stack(of frame: FrameID, calledBy caller: StackID) -> StackID {
    let node = Node(parent: caller, frame: frame)
    if let known = nodeIDs.number(of: node.key) { return StackID(known) }
    let id = StackID(UInt32(nodes.count))
    nodes.append(node)
    nodeIDs.set(id.rawValue, for: node.key)
    return id
  }

  /// The frame named `id`.
  package subscript(id: FrameID) -> Frame { frames[Int(id.rawValue)] }

  /// The innermost frame of a stack, nil for the empty stack.
  package func innermostFrame(of stack: StackID) -> FrameID? {
    stack == .empty ? nil : nodes[Int(stack.rawValue)].frame
  }

  /// The stack without its innermost frame.
  package func caller(of stack: StackID) -> StackID { nodes[Int(stack.rawValue)].parent }

  /// The innermost frames of a stack, at most so many, as a stack of their own; and whether it has no
  /// more than these.
  package mutating func innermost(_ count: Int, of stack: StackID) -> (stack: StackID, isAll: Bool)
  {
    var kept: [FrameID] = []
    var rest = stack
    while kept.count < count, let frame = innermostFrame(of: rest) {
      kept.append(frame)
      rest = caller(of: rest)
    }
    guard rest != .empty else { return (stack, true) }
    var result = StackID.empty
    for frame in kept.reversed() { result = self.stack(of: frame, calledBy: result) }
    return (result, false)
  }

  /// How many frames a stack has; counts no further than to `limit`.
  package func depth(of stack: StackID, upTo limit: Int) -> Int {
    var depth = 0
    var rest = stack
    while depth < limit, rest != .empty {
      depth += 1
      rest = caller(of: rest)
    }
    return depth
  }

  /// The frames of a stack, innermost first.
  package func frames(of stack: StackID) -> [FrameID] {
    var result: [FrameID] = []
    var current = stack
    // Ends: a node's parent was made before it, so the index falls with each step.
    while current != .empty {
      let node = nodes[Int(current.rawValue)]
      result.append(node.frame)
      current = node.parent
    }
    return result
  }
}
