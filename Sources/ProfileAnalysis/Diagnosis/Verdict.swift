package import ProfileModel

/// Why a program is slow or hangs, as far as a capture tells: one finding, with its evidence.
package struct Verdict: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Threads wait for each other in a ring.
    case deadlock
    /// The same, seen at one sample, or at samples of different moments.
    case possibleDeadlock = "possible_deadlock"
    /// A thread waits for a lock whose owner is gone.
    case orphanedLock = "orphaned_lock"
    /// A thread that should go on has waited long for a lock.
    case hungOnLock = "hung_on_lock"
    /// The same for the other end of a connection, a pipe, a file.
    case hungOnIO = "hung_on_io"
    /// The same for something else.
    case hung
    /// A thread stays in one function, on a CPU all the time.
    case busyLoop = "busy_loop"
    /// A thread is ready to run and gets no CPU.
    case starved
    /// It runs part of the time; where that goes is said.
    case slow
    /// On a CPU at the one sample that there was.
    case running
    /// Waits for something, which may be what it is there for.
    case waiting
    /// Everybody is at rest.
    case idle
    /// Stopped by a signal or a debugger.
    case stopped
    case inconclusive
  }

  package let kind: Kind
  /// The thread that it is about, as an index into `profile.threads`.
  package var thread: Int?
  /// Nodes of the wait graph: a ring, or from that thread to the one who holds it up.
  package var chain: [Int] = []
  /// Whether the last of `chain` waits for the first.
  package var isCycle = false
  /// Whether a time limit will end the wait or the ring.
  package var isTimed = false
  /// How many threads besides those of `chain` wait behind them.
  package var behind = 0
  /// For how long it has lasted, in nanoseconds; nil when that is not known.
  package var lasted: Int64?
  /// How often it was seen.
  package var samples = 0
  /// The function in which the thread stays, runs, or uses most of its CPU time.
  package var place: SourceFrame?
  /// The part of the thread's CPU time, or of its samples on a CPU, that went by there; 0 to 1.
  package var placeShare: Double?
  /// The parts of the thread's time; nil for one sample.
  package var shares: TimeShares?
  /// What the thread waits for; for one that is slow the wait that took most of its time.
  package var wait: Wait?
  /// The frame that asked for that wait.
  package var waitPlace: SourceFrame?
  /// Why that wait is none that the thread would need to end; nil for one that is not known to be.
  package var waitIdleness: Idleness?
  /// How many threads are idle.
  package var idleThreads = 0

  package init(kind: Kind) { self.kind = kind }
}

/// Finds the verdict; the first rule that has its evidence wins.
struct VerdictMaker {
  /// Shorter waits are none that a user would call a hang.
  static let hangTime: Int64 = 1_000_000_000
  /// What a thread may use of a CPU and still count as doing nothing, in percent.
  static let restingShare = 5.0

  let diagnosis: Diagnosis
  let graph: WaitGraph
  let index: ProfileIndex
  let situations: [ThreadSituation]
  let main: ThreadSituation?

  init(_ diagnosis: Diagnosis) {
    self.diagnosis = diagnosis
    graph = diagnosis.graph
    index = diagnosis.index
    situations = diagnosis.situations.compactMap { $0 }
    main = (situations + diagnosis.ended).first {
      diagnosis.index.profile.isMainThread($0.thread)
    }
  }

  var isDump: Bool { index.profile.capture.kind == .dump }

  var verdict: Verdict {
    var verdict =
      ring(isCertain: true) ?? orphanedLock ?? stopped ?? ring(isCertain: false) ?? hung ?? busy
      ?? rest
    verdict.idleThreads = situations.count { $0.idleness != nil && !$0.usesCPU }
    return verdict
  }

  // MARK: - Rings and orphans

  private func ring(isCertain: Bool) -> Verdict? {
    let cycles = graph.cycles.filter { cycle in
      cycle.isCertain == isCertain && cycle.threads.allSatisfy { !isAtRest($0) }
    }
    // One that will not end by itself is worse.
    guard let cycle = cycles.first(where: { !$0.isTimed }) ?? cycles.first,
      let first = cycle.threads.first
    else { return nil }
    var verdict = Verdict(kind: isCertain ? .deadlock : .possibleDeadlock)
    verdict.thread = cycle.threads.lazy.compactMap { graph.nodes[$0].thread }.first
    verdict.chain = cycle.threads
    verdict.isCycle = true
    verdict.isTimed = cycle.isTimed
    let waits = cycle.threads.compactMap { graph.blocking(of: $0) }
    let isKnown = waits.allSatisfy { diagnosis.lasted($0) != nil }
    verdict.lasted = isKnown ? cycle.lasted : nil
    verdict.samples = cycle.samples
    verdict.behind = max(0, graph.waiters(behind: first) - cycle.threads.count + 1)
    return verdict
  }

  private func isAtRest(_ node: Int) -> Bool {
    graph.nodes[node].thread.flatMap { diagnosis.situations[$0] }?.idleness != nil
  }

  private var orphanedLock: Verdict? {
    for situation in situations {
      guard let wait = situation.wait, let blocking = situation.blocking, !wait.isTimed,
        !wait.owners.isEmpty, wait.owners.allSatisfy(\.isDead), wait.object?.flavor != "robust",
        wait.kind == .mutex || wait.kind == .readLock || wait.kind == .writeLock,
        index.profile.blockings[blocking].samples > 1
      else { continue }
      return hang(situation, .orphanedLock)
    }
    return nil
  }

  private var stopped: Verdict? {
    guard let subject = main ?? situations.first, !situations.isEmpty,
      situations.allSatisfy({ $0.activity == .stopped })
    else { return nil }
    var verdict = Verdict(kind: .stopped)
    verdict.thread = subject.thread
    verdict.samples = subject.samples
    return verdict
  }

  /// A verdict on a thread's wait, with everybody whom it waits behind.
  func hang(_ situation: ThreadSituation, _ kind: Verdict.Kind) -> Verdict {
    var verdict = Verdict(kind: kind)
    verdict.thread = situation.thread
    verdict.lasted = situation.waited > 0 ? situation.waited : nil
    verdict.samples = situation.samples
    verdict.isTimed = situation.wait?.isTimed ?? false
    verdict.shares = situation.shares
    verdict.wait = situation.wait
    verdict.waitPlace = situation.asker
    guard let node = node(of: situation) else { return verdict }
    let chain = graph.chain(from: node)
    verdict.chain = chain.nodes
    verdict.behind = max(0, graph.waiters(behind: chain.blocker) - chain.nodes.count + 1)
    return verdict
  }

  func node(of situation: ThreadSituation) -> Int? {
    let node = graph.node(of: index.profile.threads[situation.thread])
    return node.flatMap { graph.nodes[$0].thread == situation.thread ? $0 : nil }
  }
}

// MARK: - Hung

extension VerdictMaker {
  /// The main thread when it hangs; when it rests, has ended or waits for its workers, and all that
  /// have something to do hang, one of these.
  var hung: Verdict? {
    if let main, let kind = hangKind(main) { return hang(main, kind) }
    guard isMainAside else { return nil }
    let working = situations.filter { $0.idleness == nil && !isJoining($0) }
    guard !working.isEmpty, working.allSatisfy({ hangKind($0) != nil }) else { return nil }
    let worst = working.max { left, right in
      (waiters(left), left.waited, right.thread) < (waiters(right), right.waited, left.thread)
    }
    return worst.flatMap { situation in hangKind(situation).map { hang(situation, $0) } }
  }

  /// Whether others than the main thread decide how the program does.
  var isMainAside: Bool { main.map { $0.idleness != nil || isJoining($0) } ?? true }

  private func isJoining(_ situation: ThreadSituation) -> Bool { situation.wait?.kind == .join }

  private func waiters(_ situation: ThreadSituation) -> Int {
    node(of: situation).map { graph.successors(of: $0).count } ?? 0
  }

  /// What a thread hangs on; nil for one that does not, or may be doing what it is there for.
  private func hangKind(_ situation: ThreadSituation) -> Verdict.Kind? {
    guard situation.waited >= Self.hangTime, (situation.shares?.running ?? 0) < 50 else {
      return nil
    }
    return needKind(situation)
  }

  /// The same, however short the wait is.
  func needKind(_ situation: ThreadSituation) -> Verdict.Kind? {
    guard let wait = situation.wait, situation.idleness == nil else { return nil }
    switch wait.kind {
    case .mutex, .readLock, .writeLock, .onceInitializer, .gil, .fileLock, .databaseLock:
      return .hungOnLock
    case .connect, .write, .send: return .hungOnIO
    case .disk, .pageFault: return .hung
    case .read, .receive, .poll, .select, .epoll, .open, .accept, .asynchronousIO, .messageQueue:
      // Elsewhere this may be what the thread is there for.
      return situation.handlerOf != nil ? .hungOnIO : nil
    case .conditionVariable, .semaphore, .barrier, .join, .futex, .parking, .sleep, .childProcess,
      .signal, .systemVSemaphore, .otherCall:
      return situation.handlerOf != nil ? .hung : nil
    case .stoppedBySignal, .stoppedByDebugger, .unknown: return nil
    }
  }
}
