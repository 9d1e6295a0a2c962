/// Who held up a verdict's thread most, where that is much of its time.
package struct BlameFinding: Sendable {
  /// Of a thread's time: less is not said in a verdict.
  private static let leastShare = 0.2

  /// The tree of the thread, whose root is the first node.
  package let tree: BlameTree
  /// Nodes from a wait of the thread on: who held it up, what that one waited for, who held that up, and so
  /// on to what the last one did.
  package let path: [Int]

  /// Nanoseconds that the thread waited for what the path begins with, in all functions, whoever held it up.
  package let waited: Int64
  /// Whether it did so in one function, which is that of the path.
  package let isInOneFunction: Bool
  /// Nanoseconds of that time in which the owners held it up that are counted.
  package let held: Int64
  /// How many held it up in turn, the one of the path among them; 1 where that one did so for most of it.
  package let ownerCount: Int

  /// Nil where no wait with a known owner took much of the thread's time.
  init?(_ diagnosis: Diagnosis, thread: Int) {
    tree = BlameTree(diagnosis, threads: [thread])
    guard let root = tree.roots[thread] else { return nil }
    let least = max(1, Int64(Double(tree.nodes[root].total) * Self.leastShare))
    guard let found = tree.waits(below: root).first(where: { $0.held >= least }),
      let first = found.owners.first, let start = first.nodes.first
    else { return nil }
    let isOne = first.held >= found.held / 2
    (held, ownerCount) = isOne ? (first.held, 1) : (found.held, found.owners.count)
    guard held >= least else { return nil }
    waited = found.waited
    isInOneFunction = found.places == 1
    var path = [start.wait, start.owner]
    while path.count < 8, let next = tree.children(of: path[path.count - 1]).first {
      // What took less than half of it explains nothing.
      guard tree.nodes[next].total >= tree.nodes[path[path.count - 1]].total / 2 else { break }
      path.append(next)
    }
    self.path = path
  }
}

/// What a thread waited for, in all functions in which it did.
private struct OwnedWait {
  /// Who held it up, most time first.
  var owners: [Owner] = []
  /// Nanoseconds, whoever held it up.
  var waited: Int64 = 0
  /// How many functions waited.
  var places = 0
  /// Nanoseconds in which a known owner held it up.
  var held: Int64 { owners.reduce(0) { $0.addingClamped($1.held) } }

  struct Owner {
    let kind: BlameTree.Kind
    /// The node of the wait, and that of the owner below it; most time first.
    var nodes: [(wait: Int, owner: Int)] = []
    var held: Int64 = 0
  }
}

extension BlameTree {
  /// What the thread of a root waited for, with who held it up; those first that were held up longest.
  fileprivate func waits(below root: Int) -> [OwnedWait] {
    var order: [Kind] = []
    var waits: [Kind: OwnedWait] = [:]
    for wait in children(of: root) {
      guard case .wait = nodes[wait].kind else { continue }
      if waits[nodes[wait].kind] == nil { order.append(nodes[wait].kind) }
      var found = waits[nodes[wait].kind] ?? OwnedWait()
      found.places += 1
      found.waited = found.waited.addingClamped(nodes[wait].total)
      for owner in children(of: wait) where nodes[owner].kind.isOwner {
        let place = found.owners.firstIndex { $0.kind == nodes[owner].kind } ?? found.owners.count
        if place == found.owners.count {
          found.owners.append(OwnedWait.Owner(kind: nodes[owner].kind))
        }
        found.owners[place].nodes.append((wait, owner))
        found.owners[place].held = found.owners[place].held.addingClamped(nodes[owner].total)
      }
      waits[nodes[wait].kind] = found
    }
    let result = order.compactMap { waits[$0] }.map { wait in
      var sorted = wait
      for place in sorted.owners.indices {
        sorted.owners[place].nodes = mostFirst(sorted.owners[place].nodes) { nodes[$0.owner].total }
      }
      sorted.owners = mostFirst(sorted.owners, \.held)
      return sorted
    }
    return mostFirst(result, \.held)
  }
}

/// Sorted by a time, in the given order where that is the same.
private func mostFirst<Element>(_ list: [Element], _ time: (Element) -> Int64) -> [Element] {
  list.enumerated().sorted {
    (time($0.element), $1.offset) > (time($1.element), $0.offset)
  }.map(\.element)
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
