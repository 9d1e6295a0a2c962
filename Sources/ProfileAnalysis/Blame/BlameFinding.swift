/// Who held up a verdict's thread most, where that is much of its time.
package struct BlameFinding: Sendable {
  /// Of a thread's time: less is not said in a verdict.
  private static let leastShare = 0.2

  /// The tree of the thread, whose root is the first node.
  package let tree: BlameTree
  /// Nodes from a wait of the thread on: who held it up, what that one waited for, who held that up, and so
  /// on to what the last one did.
  package let path: [Int]

  /// Nil where no wait with a known owner took much of the thread's time.
  init?(_ diagnosis: Diagnosis, thread: Int) {
    tree = BlameTree(diagnosis, threads: [thread])
    guard let root = tree.roots[thread] else { return nil }
    let least = Int64(Double(tree.nodes[root].total) * Self.leastShare)
    let held = tree.children(of: root).lazy.compactMap { [tree] wait -> [Int]? in
      let owner = tree.children(of: wait).first { tree.nodes[$0].kind.isOwner }
      return owner.map { [wait, $0] }
    }
    guard var path = held.max(by: { [tree] in tree.nodes[$0[1]].total < tree.nodes[$1[1]].total }),
      tree.nodes[path[1]].total >= max(least, 1)
    else { return nil }
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
