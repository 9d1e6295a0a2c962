/// Who held up others, by what they held and what they did meanwhile.
package struct BlockerTable: Sendable {
  package struct Row: Sendable {
    /// What the others waited for: index into `BlameTree.waits`.
    package let wait: Int
    /// A thread, a process, or that the owner is not known.
    package let owner: BlameTree.Kind
    /// What the owner did meanwhile; nil where that is not known.
    package let deed: BlameTree.Kind?
    /// Where the owner did it: index into `BlameTree.places`.
    package let place: Int?
    /// Nanoseconds that the waiting threads lost, summed over them.
    package fileprivate(set) var lost: Int64
    /// How many threads waited.
    package fileprivate(set) var waiters: Int
  }

  private struct Key: Hashable {
    let wait: Int
    let owner: BlameTree.Kind
    let deed: BlameTree.Kind?
    let place: Int?
  }

  /// Most time lost first.
  package private(set) var rows: [Row] = []
  /// Nanoseconds lost in all rows.
  package private(set) var lost: Int64 = 0

  /// The table of a tree's roots; who holds up an owner counts where that one waits itself.
  package init(_ tree: BlameTree) {
    var places: [Key: Int] = [:]
    var last: [Int] = []
    for (number, node) in tree.nodes.enumerated() {
      // A root, its wait, who held that up.
      guard let waitNode = node.parent, let root = tree.nodes[waitNode].parent,
        tree.nodes[root].parent == nil, case .wait(let wait) = tree.nodes[waitNode].kind
      else { continue }
      let deeds = tree.children(of: number)
      let parts: [(deed: BlameTree.Kind?, place: Int?, time: Int64)] =
        deeds.isEmpty
        ? [(nil, nil, node.total)]
        : deeds.map { (tree.nodes[$0].kind, tree.nodes[$0].place, tree.nodes[$0].total) }
      for part in parts where part.time > 0 {
        lost = lost.addingClamped(part.time)
        let key = Key(wait: wait, owner: node.kind, deed: part.deed, place: part.place)
        let place = places[key] ?? rows.count
        if place == rows.count {
          places[key] = place
          rows.append(
            Row(
              wait: wait, owner: node.kind, deed: part.deed, place: part.place, lost: 0, waiters: 0)
          )
          last.append(-1)
        }
        rows[place].lost = rows[place].lost.addingClamped(part.time)
        // The nodes of one root may be mixed with those of no other: they were made one by one.
        if last[place] != root { rows[place].waiters += 1 }
        last[place] = root
      }
    }
    rows = rows.enumerated().sorted { left, right in
      (left.element.lost, right.offset) > (right.element.lost, left.offset)
    }.map(\.element)
  }
}
