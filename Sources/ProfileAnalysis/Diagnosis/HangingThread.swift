package import ProfileModel

/// A thread that hangs while the verdict is about something else: nothing that others do ends its wait.
package struct HangingThread: Sendable {
  /// Index into `profile.threads`.
  package let thread: Int
  /// For how long it has been waiting, in nanoseconds; nil where that is not known.
  package let lasted: Int64?
  /// Whether it may have begun before that.
  package let isAtLeast: Bool
  package let wait: Wait?
  /// The frame that asked for the wait.
  package let place: SourceFrame?
  /// Nodes of the wait graph, from that thread to the one that holds it up.
  package let chain: [Int]
  /// How many threads besides those of `chain` wait behind them.
  package let behind: Int
  /// How many others hang, behind none of these.
  package let more: Int

  fileprivate init?(_ finding: Verdict, more: Int) {
    guard let thread = finding.thread else { return nil }
    self.thread = thread
    lasted = finding.lasted
    isAtLeast = finding.isAtLeast
    wait = finding.wait
    place = finding.waitPlace
    chain = finding.chain
    behind = finding.behind
    self.more = more
  }
}

extension VerdictMaker {
  /// The thread that hangs and that a verdict leaves untold: the one that most wait for, then the one that has
  /// waited longest; nil for none.
  func hanging(besides verdict: Verdict) -> HangingThread? {
    guard verdict.goroutines == nil, verdict.kind != .frozen, verdict.kind != .stopped else {
      return nil
    }
    let hanging = situations.filter(isHanging)
    guard !hanging.isEmpty else { return nil }
    let blockers = graph.blockers()
    var told = Set([verdict.thread, verdict.awaitedBy].compactMap { $0 })
    told.formUnion(verdict.chain.compactMap { graph.nodes[$0].thread })
    // Those behind the verdict's chain are counted with it.
    let ends = Set(verdict.chain.map { blockers[$0] })
    let untold = hanging.filter { situation in
      !told.contains(situation.thread)
        && !(node(of: situation).map { ends.contains(blockers[$0]) } ?? false)
    }
    guard let worst = worst(of: untold) else { return nil }
    let finding = hang(worst, .hung)
    let end = node(of: worst).map { blockers[$0] }
    let more = untold.count { other in
      other.thread != worst.thread && (end == nil || node(of: other).map { blockers[$0] } != end)
    }
    return HangingThread(finding, more: more)
  }

  /// Whether a thread has waited for long for what it needs, whatever others do.
  private func isHanging(_ situation: ThreadSituation) -> Bool {
    hangKind(situation) != nil || isHeldUp(situation)
  }
}
