package import ProfileModel

extension WaitGraph {
  /// Threads that wait for each other, so that none can go on.
  package struct Cycle: Sendable {
    /// The nodes of a shortest cycle, each waiting for the next and the last for the first, without
    /// those that stand for a process as a whole.
    package let threads: [Int]
    /// Whether a time limit will end one of the waits.
    package let isTimed: Bool
    /// Whether every wait was sampled twice or more without its thread having run, all of them at
    /// one moment, and nobody outside is known who may end one: else the waits may belong to different
    /// moments, or end.
    package let isCertain: Bool
    /// How long the thread that came last has been waiting, in nanoseconds; nil when not known.
    package let lasted: Int64?
    /// The samples of the wait that was sampled least.
    package let samples: Int
  }

  /// Finds the cycles.
  ///
  /// A thread that reaches no node that may act is stuck; every such thread is in a cycle, behind
  /// one, or behind a thread that has ended. That takes one search backwards from those that may
  /// act, and the strongly connected parts of what it leaves.
  mutating func findCycles() {
    let mayAct = nodes.indices.filter { !canBeStuck($0) }
    let isFree = reaching(mayAct)
    isStuck = isFree.map { !$0 }
    let isTimed = reaching(nodes.indices.filter { blocking(of: $0)?.wait.isTimed ?? false })
    let isUncertain = reaching(
      nodes.indices.filter {
        blocking(of: $0).map { $0.samples < 2 } ?? false || outsider(of: $0) != nil
      })
    var found: [(rank: (Int, Int32), cycle: Cycle)] = []
    for part in stronglyConnectedParts() {
      guard let start = part.min(by: { rank($0) < rank($1) }),
        let nodes = shortestCycle(from: start, within: Set(part))
      else { continue }
      let waits = nodes.compactMap { blocking(of: $0) }
      guard !waits.isEmpty else { continue }
      // Each slept from its first sample to its last: at a moment within all of these all did.
      let first = waits.lazy.map(\.firstSeen).max() ?? 0
      let last = waits.lazy.map(\.lastSeen).min() ?? 0
      let cycle = Cycle(
        threads: nodes.filter { self.nodes[$0].tid != nil }, isTimed: isTimed[start],
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
    // Virtual threads have numbers below 0.
    return (node.pid != pid && node.thread == nil ? 2 : tid == pid ? 0 : 1, abs(max(tid, -.max)))
  }

  /// Whether the node can do nothing by itself: it depends on those it has edges to.
  private func canBeStuck(_ node: Int) -> Bool {
    nodes[node].isDead || nodes[node].isComplete && !edgesFrom[node].isEmpty
  }

  /// By node: whether it reaches one of `targets`, or is one, by edges that count.
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
          var cycle = [node]
          while let last = cycle.last, last != start, let before = caller[last] {
            cycle.append(before)
          }
          return cycle.reversed()
        }
        if caller[successor] == nil {
          caller[successor] = node
          queue.append(successor)
        }
      }
    }
    return nil
  }

  /// The strongly connected parts of the stuck nodes that have an edge within.
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

extension Blocking {
  /// For how long the thread had been waiting at the last sample, in nanoseconds; from the first
  /// sample of the wait where it is not known when it fell asleep.
  package var lasted: Int64 {
    let (time, overflow) = lastSeen.subtractingReportingOverflow(min(since ?? firstSeen, firstSeen))
    return overflow ? .max : max(0, time)
  }

  /// The same; nil for a dump's one sample where it is not known when the thread fell asleep.
  func length(isDump: Bool) -> WaitLength? {
    isDump && since == nil ? nil : WaitLength(lasted, isAtLeast: since == nil)
  }
}
