internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The verdict in the words of the text report, and its chain as boxes and arrows.
  mutating func members(ofPageVerdictOf diagnosis: Diagnosis) {
    let words = VerdictWords(diagnosis)
    let chain = words.drawnChain
    member("kind", diagnosis.verdict.kind.rawValue)
    member("words", words.sentence)
    array("chain", of: words.chainLines) { $0.value($1) }
    member("ring", diagnosis.verdict.isCycle)
    array("threads", of: diagnosis.verdictThreads) { $0.value($1) }
    array("nodes", of: chain) { json, node in
      json.object { json in
        json.member("name", node.name)
        json.member("place", node.place)
        json.member("wait", node.wait)
        json.member("lasted", node.lasted)
        json.member("thread", node.thread)
        json.member("skipped", node.skipped)
      }
    }
  }

  /// What threads of the program waited for, for how long, and whether in a cycle.
  mutating func members(ofPageWaitsOf diagnosis: Diagnosis) {
    let profile = diagnosis.index.profile
    let words = WaitWords(profile)
    let inCycle = diagnosis.blockingsInCycles
    var threads: [Int32: Int] = [:]
    for (number, thread) in profile.threads.enumerated() { threads[thread.tid] = number }
    array("waits") { json in
      for (number, blocking) in profile.blockings.enumerated() {
        guard blocking.waiter.pid == profile.capture.pid,
          let thread = threads[blocking.waiter.tid]
        else { continue }
        json.object { json in
          json.member("thread", thread)
          let wait = diagnosis.interpreted(blocking, of: thread)
          json.member("words", words.phrase(wait.overTime, in: blocking.waiter.pid))
          json.member("from", min(blocking.firstSeen, blocking.since ?? .max))
          json.member("to", blocking.lastSeen)
          json.member("ring", inCycle.contains(number))
        }
      }
    }
  }
}

extension Diagnosis {
  /// Indexes into the profile's waits of those by threads in a cycle.
  fileprivate var blockingsInCycles: Set<Int> {
    Set(graph.cycles.lazy.flatMap(\.threads).compactMap { graph.nodes[$0].blocking })
  }
}

/// A thread or process of the verdict's chain, as a box in a drawing.
struct DrawnNode {
  let name: String
  /// The function that asked for the wait, or what it does.
  let place: String?
  /// What it waits for, on the arrow to the next box; nil at the end of the chain.
  let wait: String?
  let lasted: String?
  /// Index into `profile.threads`.
  let thread: Int?
  /// How many boxes were left out before this one.
  let skipped: Int
}

extension VerdictWords {
  /// The boxes of the chain, of a long one the first and the last; none where the thread waits for no
  /// other.
  var drawnChain: [DrawnNode] {
    let graph = diagnosis.graph
    let (nodes, isCycle) = shownChain
    guard nodes.count > 1 || isCycle else { return [] }
    let hidden = max(0, nodes.count - Self.chainLimit)
    return nodes.enumerated().compactMap { position, node in
      let isHidden =
        hidden > 0 && position >= Self.chainLimit - 2 && position < nodes.count - 2
      guard !isHidden else { return nil }
      let isAfterGap = hidden > 0 && position == nodes.count - 2
      let waiter = position > 0 ? graph.nodes[nodes[position - 1]].pid : nil
      return drawn(
        node, for: waiter, skipped: isAfterGap ? hidden : 0, isLast: position == nodes.count - 1)
    }
  }

  private func drawn(_ node: Int, for waiter: Int32?, skipped: Int, isLast: Bool) -> DrawnNode {
    let graph = diagnosis.graph
    let name = waits.node(graph.nodes[node], for: waiter)
    let thread = graph.nodes[node].thread
    guard let blocking = graph.blocking(of: node), !isLast || verdict.isCycle else {
      return DrawnNode(
        name: name, place: doing(node), wait: nil, lasted: nil, thread: thread, skipped: skipped)
    }
    let asker = thread.flatMap { diagnosis.situations[$0] }?.asker
    let place = named(asker)
    let lasted = waited(node, blocking)?.words
    return DrawnNode(
      name: name, place: place.map { "in " + self.name($0) },
      wait: waits.action(blocking.wait, in: blocking.waiter.pid), lasted: lasted, thread: thread,
      skipped: skipped)
  }
}
