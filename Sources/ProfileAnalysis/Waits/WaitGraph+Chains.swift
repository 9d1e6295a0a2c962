internal import ProfileModel

extension WaitGraph {
  /// A thread, who it waits for, who that waits for, and so on to the one who could act.
  package struct Chain: Sendable {
    /// The nodes from the waiting thread on; a process that is waited for as a whole is one of
    /// them.
    package let nodes: [Int]
    /// The node that the last one waits for again; nil when the chain ends.
    package let returnsTo: Int?

    /// The one at the end, who holds up the others.
    package var blocker: Int { nodes[nodes.count - 1] }
  }

  /// The chain behind a node: where several could end a wait, it follows one that waits itself.
  package func chain(from node: Int) -> Chain {
    var chain = [node]
    var seen: Set<Int> = [node]
    while let last = chain.last, let target = next(after: last) {
      guard seen.insert(target).inserted else { return Chain(nodes: chain, returnsTo: target) }
      chain.append(target)
    }
    return Chain(nodes: chain, returnsTo: nil)
  }

  private func next(after node: Int) -> Int? {
    // Where the program itself holds the other end, nothing says which of its threads will act.
    if nodes[node].tid == nil, !isStuck[node], edgesFrom[node].count > 1,
      ownProcesses.contains(nodes[node].pid)
    {
      return nil
    }
    // One that serves whoever calls is held up by nobody.
    guard !isServing(node) else { return nil }
    let targets = edgesFrom[node].map { edges[$0].to }
    guard nodes[node].tid == nil else {
      return targets.first { !isServing($0) && leadsOn($0) } ?? targets.first { leadsOn($0) }
        ?? targets.first
    }
    // Of another process the thread that serves is the one in question: where one may run, nothing says
    // that those which wait hold anything up.
    guard targets.count > 1, !isStuck[node] else { return targets.first }
    guard nodes[node].isComplete else { return nil }
    return targets.first { nodes[$0].tid == nodes[$0].pid && !isServing($0) }
  }

  /// Whether something is known of what a node waits for, or of the threads of a process.
  private func leadsOn(_ node: Int) -> Bool {
    nodes[node].blocking != nil || nodes[node].tid == nil && !edgesFrom[node].isEmpty
  }

  /// Whether a thread waits for whichever of many others comes next, as a server does that is at rest.
  func isServing(_ node: Int) -> Bool {
    guard !isStuck[node], let wait = blocking(of: node)?.wait else { return false }
    switch wait.kind {
    case .poll, .select, .epoll:
      return wait.descriptors.count + wait.omittedDescriptors > 1
        || wait.descriptors.contains { $0.state == .listening }
    case .accept: return true
    default: return false
    }
  }

  /// By node: the one at the end of its chain, or a node of the cycle that the chain runs into.
  ///
  /// Costs one step for each node.
  func blockers() -> [Int] {
    var blockers = Array(repeating: -1, count: nodes.count)
    for start in nodes.indices where blockers[start] < 0 {
      var path = [start]
      var onPath: Set<Int> = [start]
      var end = start
      while let target = next(after: end) {
        guard blockers[target] < 0, onPath.insert(target).inserted else {
          end = blockers[target] < 0 ? target : blockers[target]
          break
        }
        path.append(target)
        end = target
      }
      for node in path { blockers[node] = end }
    }
    return blockers
  }
}
