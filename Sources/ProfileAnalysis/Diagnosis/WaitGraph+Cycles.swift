package import ProfileModel

extension WaitGraph {
  /// Threads that wait for each other in a ring, so that none can go on.
  package struct Cycle: Sendable {
    /// The nodes of a shortest ring, each waiting for the next and the last for the first; processes
    /// as a whole are left out.
    package let threads: [Int]
    /// Whether a time limit will end one of the waits.
    package let isTimed: Bool
    /// Whether every wait was looked at twice or more without its thread having run, all at one
    /// moment: else this may be two pictures of different moments.
    package let isCertain: Bool
    /// How long the last of them has been waiting, in nanoseconds; nil when that is not known.
    package let lasted: Int64?
    /// How often the wait that was looked at least was looked at.
    package let samples: Int
  }

  /// Finds the rings.
  ///
  /// A thread that can reach nobody who may act is stuck; every such thread stands in a ring,
  /// behind one, or behind somebody who is gone. That is one search backwards from those who may
  /// act, and the strongly connected parts of what it leaves.
  mutating func findCycles() {
    let mayAct = nodes.indices.filter { !canBeStuck($0) }
    let isFree = reaching(mayAct)
    isStuck = isFree.map { !$0 }
    let isTimed = reaching(nodes.indices.filter { blocking(of: $0)?.wait.isTimed ?? false })
    let isUncertain = reaching(
      nodes.indices.filter { blocking(of: $0).map { $0.samples < 2 } ?? false })
    var found: [(rank: (Int, Int32), cycle: Cycle)] = []
    for part in stronglyConnectedParts() {
      guard let start = part.min(by: { rank($0) < rank($1) }),
        let ring = shortestCycle(from: start, within: Set(part))
      else { continue }
      let waits = ring.compactMap { blocking(of: $0) }
      guard !waits.isEmpty else { continue }
      // Each slept from its first sample to its last: at a moment within all of these all did.
      let first = waits.lazy.map(\.firstSeen).max() ?? 0
      let last = waits.lazy.map(\.lastSeen).min() ?? 0
      let cycle = Cycle(
        threads: ring.filter { nodes[$0].tid != nil }, isTimed: isTimed[start],
        isCertain: !isUncertain[start] && first <= last,
        lasted: waits.lazy.map(\.lasted).min(), samples: waits.lazy.map(\.samples).min() ?? 0)
      found.append((rank(start), cycle))
    }
    cycles = found.sorted { left, right in
      (left.rank.0, right.cycle.threads.count, left.rank.1)
        < (right.rank.0, left.cycle.threads.count, right.rank.1)
    }.map(\.cycle)
  }

  /// The main thread, then the program's own ones by number, then others.
  private func rank(_ node: Int) -> (Int, Int32) {
    let node = nodes[node]
    guard let tid = node.tid else { return (3, node.pid) }
    return (node.pid != pid && node.thread == nil ? 2 : tid == pid ? 0 : 1, tid)
  }

  /// Whether the node can do nothing by itself: it depends on those it has edges to.
  private func canBeStuck(_ node: Int) -> Bool {
    nodes[node].isDead || nodes[node].isComplete && !edgesFrom[node].isEmpty
  }

  /// By node: whether one of `targets` can be reached from it, by edges that count; these themselves
  /// are.
  func reaching(_ targets: [Int], by counts: (Edge) -> Bool = { _ in true }) -> [Bool] {
    var sources: [[Int]] = Array(repeating: [], count: nodes.count)
    for edge in edges where counts(edge) { sources[edge.to].append(edge.from) }
    var reaches = Array(repeating: false, count: nodes.count)
    for target in targets { reaches[target] = true }
    var open = targets
    while let node = open.popLast() {
      for source in sources[node] where !reaches[source] {
        reaches[source] = true
        open.append(source)
      }
    }
    return reaches
  }

  /// The shortest way from `start` back to itself.
  private func shortestCycle(from start: Int, within part: Set<Int>) -> [Int]? {
    var caller: [Int: Int] = [:]
    var queue = [start]
    var next = 0
    while next < queue.count {
      let node = queue[next]
      next += 1
      for successor in successors(of: node) where part.contains(successor) {
        if successor == start {
          var ring = [node]
          while let last = ring.last, last != start, let before = caller[last] {
            ring.append(before)
          }
          return ring.reversed()
        }
        if caller[successor] == nil {
          caller[successor] = node
          queue.append(successor)
        }
      }
    }
    return nil
  }

  /// The strongly connected parts of the stuck nodes that have an edge within (Tarjan 1972), with a
  /// stack of its own: a chain may be as long as there are threads.
  private func stronglyConnectedParts() -> [[Int]] {
    var search = ComponentSearch(count: nodes.count)
    for node in nodes.indices where isStuck[node] && !search.isKnown(node) {
      search.visit(from: node) { node in
        edgesFrom[node].lazy.map { edges[$0].to }.filter { isStuck[$0] }
      }
    }
    return search.parts.filter { part in
      part.count > 1 || successors(of: part[0]).contains(part[0])
    }
  }
}

/// Tarjan's search for strongly connected parts, without recursion.
private struct ComponentSearch {
  private struct Visit {
    let node: Int
    let successors: [Int]
    var next = 0
  }

  private(set) var parts: [[Int]] = []
  private var number: [Int]
  private var low: [Int]
  private var isOpen: [Bool]
  private var open: [Int] = []
  private var count = 0

  init(count: Int) {
    number = Array(repeating: -1, count: count)
    low = number
    isOpen = Array(repeating: false, count: count)
  }

  func isKnown(_ node: Int) -> Bool { number[node] >= 0 }

  mutating func visit(from root: Int, successors: (Int) -> [Int]) {
    var visits = [begin(root, successors)]
    while var visit = visits.popLast() {
      if visit.next < visit.successors.count {
        let target = visit.successors[visit.next]
        visit.next += 1
        visits.append(visit)
        if number[target] < 0 {
          visits.append(begin(target, successors))
        } else if isOpen[target] {
          low[visit.node] = min(low[visit.node], number[target])
        }
        continue
      }
      if let caller = visits.last?.node { low[caller] = min(low[caller], low[visit.node]) }
      if low[visit.node] == number[visit.node] { close(visit.node) }
    }
  }

  private mutating func begin(_ node: Int, _ successors: (Int) -> [Int]) -> Visit {
    number[node] = count
    low[node] = count
    count += 1
    open.append(node)
    isOpen[node] = true
    return Visit(node: node, successors: successors(node))
  }

  private mutating func close(_ node: Int) {
    var part: [Int] = []
    while let last = open.popLast() {
      isOpen[last] = false
      part.append(last)
      if last == node { break }
    }
    parts.append(part)
  }
}

extension Blocking {
  /// For how long the thread has been waiting at the last sample, in nanoseconds; what was seen of it
  /// where the kernel does not tell when it fell asleep.
  package var lasted: Int64 {
    let (time, overflow) = lastSeen.subtractingReportingOverflow(min(since ?? firstSeen, firstSeen))
    return overflow ? .max : max(0, time)
  }
}

// MARK: - Chains

extension WaitGraph {
  /// A thread, who it waits for, who that waits for, and so on to the one who could act.
  package struct Chain: Sendable {
    /// The nodes from the waiting thread on; a process that is waited for as a whole is one of them.
    package let nodes: [Int]
    /// The node that the last one waits for again; nil when the chain ends.
    package let returnsTo: Int?

    /// The one at the end, who holds up the others.
    package var blocker: Int { nodes[nodes.count - 1] }
  }

  /// The chain behind a node: where several could end a wait, one that waits itself stands for them.
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
    // Of a program that holds the other end itself nobody says which thread will act.
    if nodes[node].tid == nil, !isStuck[node], edgesFrom[node].count > 1,
      ownProcesses.contains(nodes[node].pid)
    {
      return nil
    }
    let targets = edgesFrom[node].lazy.map { edges[$0].to }
    return targets.first { nodes[$0].blocking != nil } ?? targets.first
  }

  /// Of each node the one at the end of its chain; of a chain that runs into a ring one of the ring.
  ///
  /// Each node is walked over once.
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
