package import ProfileModel

/// Who called whom, with weights: threads at the roots, then functions from the outermost inwards;
/// inlined calls are nodes of their own.
package struct CallTree: Sendable {
  /// What a node stands for.
  package enum Kind: Hashable, Sendable {
    /// A thread or a group of threads: index into the groups that the tree was made of.
    case threads(Int)
    /// Index into `SourceStacks.functions`.
    case function(Int)
    /// The unknown callers of stacks that could not be followed to their end.
    case missingCallers(StackEnd.Reason)
    /// Samples without a stack.
    case noStack
  }

  /// A thread, or a function called by its parent.
  package struct Node: Sendable {
    package let kind: Kind
    /// Index into `nodes`, smaller than the node's own; nil for a root.
    package let parent: Int?
    /// Whether the compiler inlined every call that this node stands for.
    package let isInlined: Bool
    /// What this function did itself.
    package fileprivate(set) var own = Weight()
    /// What this function and all that it called did.
    package fileprivate(set) var inclusive = Weight()
  }

  /// All nodes; a caller comes before the functions that it called.
  package private(set) var nodes: [Node] = []
  /// The threads, in the order of the groups.
  package private(set) var roots: [Int] = []
  private var childOrder: [Int] = []
  private var childStarts: [Int] = [0]

  /// The tree of the groups of threads, each given by indexes into `profile.threads`.
  ///
  /// Costs one step for each run and for each node of the result, and the sorting.
  package init(_ index: ProfileIndex, groups: [[Int]], sortedBy unit: WeightUnit = .wall) {
    var builder = Builder(paths: index.stacks.functionPaths)
    for (number, threads) in groups.enumerated() {
      roots.append(builder.addGroup(number, threads, of: index))
    }
    nodes = builder.nodes
    for node in nodes.indices { nodes[node].inclusive = nodes[node].own }
    // A caller comes before the functions that it called, so backwards each sum is complete.
    for node in nodes.indices.reversed() {
      if let parent = nodes[node].parent { nodes[parent].inclusive += nodes[node].inclusive }
    }
    sortChildren(by: unit)
  }

  /// The tree of some threads of a profile, each its own root; of all without a selection.
  package init(_ profile: Profile, threads: [Int]? = nil, sortedBy unit: WeightUnit = .wall) {
    let index = ProfileIndex(profile)
    let threads = threads ?? Array(profile.threads.indices)
    self.init(index, groups: threads.map { [$0] }, sortedBy: unit)
  }

  /// Indexes of the nodes that `node` called, heaviest first.
  package func children(of node: Int) -> ArraySlice<Int> {
    childOrder[childStarts[node]..<childStarts[node + 1]]
  }

  private mutating func sortChildren(by unit: WeightUnit) {
    childStarts = Array(repeating: 0, count: nodes.count + 1)
    for case let parent? in nodes.lazy.map(\.parent) { childStarts[parent + 1] += 1 }
    for node in nodes.indices { childStarts[node + 1] += childStarts[node] }
    var next = childStarts
    childOrder = Array(repeating: 0, count: childStarts[nodes.count])
    for (child, node) in nodes.enumerated() {
      guard let parent = node.parent else { continue }
      childOrder[next[parent]] = child
      next[parent] += 1
    }
    let nodes = self.nodes
    for node in nodes.indices where childStarts[node + 1] - childStarts[node] > 1 {
      childOrder[childStarts[node]..<childStarts[node + 1]].sort {
        let (left, right) = (nodes[$0].inclusive, nodes[$1].inclusive)
        return (left[unit], left.samples, $1) > (right[unit], right.samples, $0)
      }
    }
  }
}

extension CallTree {
  private struct Builder {
    let paths: PathTable
    var nodes: [Node] = []
    /// By path: the node that it has below `top`, valid where `topOfPath` is that top.
    private var nodeOfPath: [Int]
    private var topOfPath: [Int]

    init(paths: PathTable) {
      self.paths = paths
      nodeOfPath = Array(repeating: 0, count: paths.count)
      topOfPath = Array(repeating: -1, count: paths.count)
    }

    mutating func addGroup(_ number: Int, _ threads: [Int], of index: ProfileIndex) -> Int {
      let root = addNode(.threads(number), below: nil)
      var noStack: Int?
      var incomplete: [(reason: StackEnd.Reason, path: Int, weight: Weight)] = []
      for run in threads.lazy.flatMap({ index.runs(of: $0) }) {
        let path = paths.path(of: run.stack)
        switch run.end {
        case _ where path == 0:
          let node = noStack ?? addNode(.noStack, below: root)
          noStack = node
          nodes[node].own += run.weight
        case .complete, .inferred: add(run.weight, to: path, below: root)
        case .truncated(let reason): incomplete.append((reason, path, run.weight))
        }
      }
      // One kind of end after the other, because `topOfPath` holds one top for each path.
      incomplete.sort { ($0.reason.rawValue, $0.path) < ($1.reason.rawValue, $1.path) }
      var top: (reason: StackEnd.Reason, node: Int)?
      for run in incomplete {
        if top?.reason != run.reason {
          top = (run.reason, addNode(.missingCallers(run.reason), below: root))
        }
        if let top { add(run.weight, to: run.path, below: top.node) }
      }
      return root
    }

    private mutating func addNode(
      _ kind: Kind, below parent: Int?, isInlined: Bool = false
    ) -> Int {
      nodes.append(Node(kind: kind, parent: parent, isInlined: isInlined))
      return nodes.count - 1
    }

    private mutating func add(_ weight: Weight, to path: Int, below top: Int) {
      var missing: [Int] = []
      var known = path
      while known != 0 && topOfPath[known] != top {
        missing.append(known)
        known = paths.caller(of: known)
      }
      var node = known == 0 ? top : nodeOfPath[known]
      for path in missing.reversed() {
        node = addNode(
          .function(paths.item(of: path)), below: node, isInlined: paths.isInlined(path))
        nodeOfPath[path] = node
        topOfPath[path] = top
      }
      nodes[node].own += weight
    }
  }
}
