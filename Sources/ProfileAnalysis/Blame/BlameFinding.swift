/// Who held up a verdict's thread most, where that is much of its time.
package struct BlameFinding: Sendable {
  /// Of a thread's time: less is not said in a verdict.
  private static let leastShare = 0.2

  /// The tree of the thread, whose root is the first node.
  package let tree: BlameTree
  /// Nodes from a wait of the thread on: who held it up, what that one waited for, who held that up, and so
  /// on to what the last one did.
  package let path: [Int]

  /// Nanoseconds of the wait that had a known owner.
  package let held: Int64
  /// How many held it up in turn, the one of the path among them; 1 where that one did so for most of it.
  package let ownerCount: Int

  /// Nil where no wait with a known owner took much of the thread's time.
  init?(_ diagnosis: Diagnosis, thread: Int) {
    tree = BlameTree(diagnosis, threads: [thread])
    guard let root = tree.roots[thread] else { return nil }
    let least = Int64(Double(tree.nodes[root].total) * Self.leastShare)
    let waits = tree.children(of: root).compactMap { [tree] wait -> (held: Int64, nodes: [Int])? in
      let owners = tree.children(of: wait).filter { tree.nodes[$0].kind.isOwner }
      guard let first = owners.first else { return nil }
      let held = owners.reduce(Int64(0)) { $0.addingClamped(tree.nodes[$1].total) }
      return (held, [wait, first] + owners.dropFirst())
    }
    guard let found = waits.max(by: { $0.held < $1.held }), found.held >= max(least, 1) else {
      return nil
    }
    let first = tree.nodes[found.nodes[1]].total
    let isOne = first >= found.held / 2
    (held, ownerCount) = isOne ? (first, 1) : (found.held, found.nodes.count - 1)
    guard held >= max(least, 1) else { return nil }
    var path = Array(found.nodes.prefix(2))
    while path.count < 8, let next = tree.children(of: path[path.count - 1]).first {
      // What took less than half of it explains nothing.
      guard tree.nodes[next].total >= tree.nodes[path[path.count - 1]].total / 2 else { break }
      path.append(next)
    }
    self.path = path
  }
}

extension BlameTree.Kind {
  /// Whether it is somebody who holds up a wait.
  fileprivate var isOwner: Bool {
    switch self {
    case .thread, .process: true
    // One that is served by whoever comes next is held up by none of them.
    case .anyOf: false
    case .endedThread, .readers, .computed, .runnable, .wait, .stopped, .unknown, .ownerUnknown,
      .notSampled, .cycle, .limit:
      false
    }
  }
}
