internal import ProfileAnalysis
internal import ProfileModel

// MARK: - The chain of threads that wait for each other

extension VerdictWords {
  /// Of longer chains the middle is left out.
  static let chainLimit = 12

  /// One line for each thread of the chain, and what the last one does; how to thaw a frozen program.
  var chainLines: [String] { chainLines(atMost: Self.chainLimit, withFirst: true) }

  /// The chain to show: the verdict's, or where that has none the one behind a thread that hangs meanwhile.
  var shownChain: (nodes: [Int], isCycle: Bool) {
    let own = nodes(of: verdict.chain)
    guard own.count < 2, !verdict.isCycle, let hanging = verdict.hanging else {
      return (own, verdict.isCycle)
    }
    return (nodes(of: hanging.chain), false)
  }

  /// A process as a whole is named by the thread that waits for it.
  private func nodes(of chain: [Int]) -> [Int] {
    chain.enumerated().filter { position, node in
      diagnosis.graph.nodes[node].tid != nil || position == chain.count - 1
    }.map(\.element)
  }

  /// The same below the sentence of the verdict, which tells what the first of a chain waits for.
  ///
  /// At most `limit` lines, and one that says how many are left out of its middle.
  func linesBelowSentence(atMost limit: Int = Self.chainLimit) -> [String] {
    chainLines(atMost: limit, withFirst: verdict.isCycle)
  }

  private func chainLines(atMost limit: Int, withFirst: Bool) -> [String] {
    if let goroutines = verdict.goroutines {
      let lines = GoroutineWords(diagnosis: diagnosis, words: self).lines(of: goroutines)
      let rest = lines.count - limit
      return rest > 1 ? lines.prefix(limit) + ["… and \(rest) more"] : lines
    }
    if verdict.kind == .frozen {
      return verdict.wait?.thawCommand.map { ["Thaw it with: " + $0] } ?? []
    }
    let (nodes, isCycle) = shownChain
    guard nodes.count > 1 || isCycle else { return [] }
    let shown = Array(nodes.enumerated().dropFirst(withFirst ? 0 : 1))
    // Its end is what holds up all others.
    let tail = min(2, max(limit - 1, 0))
    let hidden = max(0, shown.count - max(limit, 1))
    var lines: [String] = []
    for (number, (position, node)) in shown.enumerated() {
      let place = number - (shown.count - tail - hidden)
      if hidden > 0, place == 0 { lines.append("… \(hidden) more in the chain …") }
      guard hidden == 0 || place < 0 || place >= hidden else { continue }
      let waiter = position > 0 ? diagnosis.graph.nodes[nodes[position - 1]].pid : nil
      lines.append(line(node, for: waiter, isLast: position == nodes.count - 1))
    }
    return lines
  }

  /// `waiter` is the process of the thread that waits for it.
  private func line(_ node: Int, for waiter: Int32?, isLast: Bool) -> String {
    let graph = diagnosis.graph
    let name = waits.node(graph.nodes[node], for: waiter)
    let situation = graph.nodes[node].thread.flatMap { diagnosis.situations[$0] }
    let virtual = virtualPlace(of: graph.nodes[node])
    guard let blocking = graph.blocking(of: node) else {
      let place = situation?.wait == nil ? virtual : named(situation?.asker)
      return name + (place.map { ", in \(self.name($0))," } ?? "") + " " + doing(node)
    }
    let end = isLast && verdict.isCycle ? ", closing the cycle" : ""
    let isItsOwn = situation?.blocking == graph.nodes[node].blocking
    let wait = waits.sentence(
      (isItsOwn ? situation?.wait : nil) ?? blocking.wait, lasted: waited(node, blocking),
      in: blocking.waiter.pid)
    let place = named(situation?.asker) ?? virtual
    return name + (place.map { ", in \(self.name($0))," } ?? "") + " " + wait + end
  }

  /// Where a virtual thread is that no thread runs; nil for all else.
  private func virtualPlace(of node: WaitGraph.Node) -> SourceFrame? {
    virtualGroup(of: node).flatMap { named($0.list.place(of: $0.group)) }
  }

  private func virtualGroup(
    of node: WaitGraph.Node
  ) -> (list: Goroutines, group: GoroutineGroup)? {
    guard let tid = node.tid, tid < 0 else { return nil }
    return diagnosis.index.profile.goroutines.lazy.filter { $0.pid == node.pid }.compactMap {
      list in
      list.group(ofThread: tid).map { (list, $0) }
    }.first
  }

  /// For how long a thread of the chain has been waiting; nil where that is not known.
  ///
  /// A lock that changed hands meanwhile is one wait of the thread, but a wait for each owner when looked up.
  func waited(_ node: Int, _ blocking: Blocking) -> WaitLength? {
    let situation = diagnosis.graph.nodes[node].thread.flatMap { diagnosis.situations[$0] }
    guard let situation, situation.blocking == diagnosis.graph.nodes[node].blocking,
      let length = situation.length
    else { return diagnosis.lasted(blocking) }
    return length
  }

  /// That a process which was looked into has threads that do not sleep; nil where all of them do.
  private func awake(of node: WaitGraph.Node, asleep: Int) -> String? {
    // Of many threads not all are looked at.
    guard let count = node.threadCount, count > asleep, count <= Self.peerThreadLimit else {
      return nil
    }
    let awake = count - asleep
    return "is at work: \(awake) of its \(count) threads "
      + (awake == 1 ? "does not wait" : "do not wait")
  }

  /// Of another process no more threads are looked at.
  private static let peerThreadLimit = 64

  /// What may end a cycle nevertheless.
  var outsiderWords: String {
    switch verdict.outsider {
    case .handler(let node, let signal):
      let node = diagnosis.graph.nodes[node]
      let isOwn = node.pid == diagnosis.index.profile.capture.pid
      let name = isOwn ? "the program" : waits.process(node.pid, node.processName)
      return
        "; \(name) handles \(Self.name(ofSignal: signal)): what its handler does could still end this, "
        + "or that it interrupts a call"
    case .opener(let path):
      return "; a process that opens \(path.lastPathPart.shortName) could still end this"
    case .unreadHolder:
      return "; a process that sprof may not read may hold another end, and could still end this"
    case .unlocker:
      return
        "; it has waited so before, and that ended: another thread may unlock what it waits for"
    case nil: return ""
    }
  }

  private static func name(ofSignal number: Int32) -> String {
    switch number {
    case 10: "SIGUSR1"
    case 12: "SIGUSR2"
    case 14: "SIGALRM"
    case 29: "SIGIO"
    default: "signal \(number)"
    }
  }

  /// What a thread or process at the end of a chain does.
  func doing(_ number: Int) -> String {
    let node = diagnosis.graph.nodes[number]
    if node.isDead { return "did not unlock it" }
    if let (list, group) = virtualGroup(of: node) { return "is " + list.phrase(of: group, waits) }
    guard let thread = node.thread, let situation = diagnosis.situations[thread] else {
      let profile = diagnosis.index.profile
      let own = profile.threads.filter { $0.pid(in: profile.capture.pid) == node.pid }
      if !own.isEmpty, own.allSatisfy(\.hasEnded) { return "has exited" }
      let threads = diagnosis.graph.successors(of: number)
      guard node.tid == nil, !threads.isEmpty else { return "was not sampled" }
      let allWait = threads.allSatisfy { diagnosis.graph.nodes[$0].blocking != nil }
      if let words = awake(of: node, asleep: threads.count) { return words }
      return allWait
        ? "could still proceed if one of its threads wakes up"
        : "could still proceed: some threads are not known to be blocked"
    }
    if let wait = situation.wait {
      return waits.sentence(wait, lasted: situation.length, in: node.pid)
    }
    let frame = diagnosis.index.frames(of: situation.stack).first
    switch situation.activity {
    case .running: return "is running" + (frame.map { " in " + self.name($0) } ?? "")
    case .waitingForCPU:
      return "is waiting for a CPU" + (frame.map { " in " + self.name($0) } ?? "")
    case .stopped: return "is stopped by a signal or a debugger"
    case .blocked, .uninterruptible, .unknown: return "is in an unknown state"
    }
  }
}
