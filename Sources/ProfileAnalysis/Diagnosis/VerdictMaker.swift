internal import ProfileModel

/// Finds the verdict; the first rule that has its evidence wins.
struct VerdictMaker {
  /// In nanoseconds: a shorter wait is no hang.
  static let hangTime: Int64 = 1_000_000_000
  /// The most that a thread may use of a CPU and still count as doing nothing, in percent.
  static let restingShare = 5.0

  let diagnosis: Diagnosis
  let graph: WaitGraph
  let index: ProfileIndex
  let situations: [ThreadSituation]
  let ended: [ThreadSituation]
  let main: ThreadSituation?

  init(_ diagnosis: Diagnosis) {
    self.diagnosis = diagnosis
    graph = diagnosis.graph
    index = diagnosis.index
    // What the program waited for does not decide how fast it is.
    let isOfPeer = { (situation: ThreadSituation) in
      diagnosis.index.profile.threads[situation.thread].process?.isPeer ?? false
    }
    let isMeant = { (situation: ThreadSituation) in
      !isOfPeer(situation) && diagnosis.subjects?.contains(situation.thread) ?? true
    }
    situations = diagnosis.situations.compactMap { $0 }.filter(isMeant)
    ended = diagnosis.ended.filter(isMeant)
    main = (situations + ended).first {
      diagnosis.index.profile.isMainThread($0.thread)
    }
  }

  var isDump: Bool { index.profile.capture.kind == .dump }

  var verdict: Verdict {
    var verdict =
      cycle(isCertain: true) ?? orphanedLock ?? frozen ?? stopped
      ?? ofAll { $0.goroutineDeadlock ?? $0.goroutineHang } ?? cycle(isCertain: false) ?? hung
      ?? slowdown ?? ofAll { $0.goroutinesWaiting ?? $0.virtualThreadsWaiting } ?? rest
    if let main, main.thread != verdict.thread, verdict.kind.isOfCPU, main.idleness == nil,
      isWorkedFor(main)
    {
      verdict.awaitedBy = main.thread
    }
    verdict.hanging = hanging(besides: verdict)
    verdict.unseen = verdict.kind.dependsOnAll ? unseenRuntime : nil
    verdict.idleThreads = situations.count { $0.idleness != nil && !$0.usesCPU }
    return verdict
  }

  /// What is a verdict on the program, and not on some of its threads.
  private func ofAll(_ verdict: (VerdictMaker) -> Verdict?) -> Verdict? {
    diagnosis.subjects == nil ? verdict(self) : nil
  }

  /// The runtime of the program, by its library and by the functions in which its threads start.
  private var unseenRuntime: UnseenRuntime? {
    if index.profile.modules.contains(where: { $0.name.hasPrefix("libjvm.so") }) {
      let isRead = index.stacks.frames.contains { $0.line.language == .java }
      return isRead ? nil : .javaThreads
    }
    return !hasGoroutines && index.stacks.functions.contains { Self.goFunctions.contains($0.name) }
      ? .goroutines : nil
  }

  private static let goFunctions: Set<String> = [
    "runtime.mstart", "runtime.mstart1", "runtime.mcall", "runtime.goexit", "runtime.findRunnable",
    "runtime.schedule", "runtime.main",
  ]

  // MARK: - Cycles and orphaned locks

  private func cycle(isCertain: Bool) -> Verdict? {
    let cycles = graph.cycles.filter { cycle in
      cycle.isCertain == isCertain && cycle.threads.allSatisfy { !isAtRest($0) }
        && (diagnosis.subjects.map { subjects in
          cycle.threads.contains { graph.nodes[$0].thread.map(subjects.contains) ?? false }
        } ?? true)
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
    verdict.outsider = isCertain ? nil : graph.outsider(of: cycle)
    let waits = cycle.threads.compactMap { graph.blocking(of: $0) }
    let lengths = waits.compactMap { diagnosis.lasted($0) }
    verdict.lasted = lengths.count == waits.count ? cycle.lasted : nil
    verdict.isAtLeast = lengths.contains(where: \.isAtLeast)
    verdict.samples = samples(of: cycle)
    verdict.behind = waiters(behind: first, besides: cycle.threads)
    return verdict
  }

  /// How many threads wait behind a node that do not rest meanwhile.
  private func waiters(behind node: Int, besides others: [Int]) -> Int {
    let others = Set(others)
    return graph.waiters(behind: node) { !others.contains($0) && !isAtRest($0) }
  }

  /// The samples that found all of a cycle in its waits.
  ///
  /// Stacks are read more often than waits are looked up; of other processes only the latter are known.
  private func samples(of cycle: WaitGraph.Cycle) -> Int {
    guard cycle.samples > 1, cycle.isCertain || graph.outsider(of: cycle) != nil else {
      return cycle.samples
    }
    let found = cycle.threads.compactMap { node in
      let situation = graph.nodes[node].thread.flatMap { diagnosis.situations[$0] }
      return situation?.blocking == graph.nodes[node].blocking ? situation?.samples : nil
    }
    guard found.count == cycle.threads.count, let least = found.min() else { return cycle.samples }
    return max(least, cycle.samples)
  }

  private func isAtRest(_ node: Int) -> Bool {
    graph.nodes[node].thread.flatMap { diagnosis.situations[$0] }?.idleness != nil
  }

  private var orphanedLock: Verdict? {
    for situation in situations {
      guard let wait = situation.wait, let blocking = situation.blocking, !wait.isTimed,
        !wait.owners.isEmpty, wait.owners.allSatisfy(\.isDead), !(wait.object?.isRobust ?? false),
        wait.kind == .mutex || wait.kind == .readLock || wait.kind == .writeLock,
        index.profile.blockings[blocking].samples > 1
      else { continue }
      return hang(situation, .orphanedLock)
    }
    return nil
  }

  private var frozen: Verdict? {
    guard let subject = main ?? situations.first, !situations.isEmpty,
      situations.allSatisfy({ $0.wait?.kind == .frozen })
    else { return nil }
    return hang(subject, .frozen)
  }

  private var stopped: Verdict? {
    guard let subject = main ?? situations.first, !situations.isEmpty,
      situations.allSatisfy({ situation in
        // One that goes on by now was stopped for a while.
        situation.activity == .stopped
          && index.lastRun(of: situation.thread)?.activity == .stopped
      })
    else { return nil }
    var verdict = Verdict(kind: .stopped)
    verdict.thread = subject.thread
    verdict.samples = subject.samples
    return verdict
  }

  /// A verdict on a thread's wait, with the chain of those that it waits behind.
  func hang(_ situation: ThreadSituation, _ kind: Verdict.Kind) -> Verdict {
    var verdict = Verdict(kind: kind)
    verdict.thread = situation.thread
    verdict.lasted = situation.length?.time
    verdict.isAtLeast = situation.length?.isAtLeast ?? false
    verdict.samples = situation.samples
    verdict.isTimed = situation.wait?.isTimed ?? false
    verdict.shares = situation.shares
    verdict.wait = situation.wait
    verdict.waitPlace = situation.asker
    guard let node = node(of: situation) else { return verdict }
    let chain = graph.chain(from: node)
    guard !isOfTwoMoments(chain, of: situation) else {
      verdict.chain = [node]
      verdict.wait?.owners = []
      return verdict
    }
    verdict.chain = chain.nodes
    // Those that wait for a server at rest may be at rest themselves.
    verdict.behind =
      graph.isServing(chain.blocker)
      ? 0 : waiters(behind: chain.blocker, besides: chain.nodes)
    return verdict
  }

  /// Whether the owner of the lock was last seen to ask for it, too: it had it before, or has it since.
  private func isOfTwoMoments(_ chain: WaitGraph.Chain, of situation: ThreadSituation) -> Bool {
    guard chain.nodes.count > 1, chain.returnsTo == nil,
      let flavor = situation.wait?.object?.flavor, flavor.isOfRuntime,
      let owner = graph.nodes[chain.nodes[1]].thread,
      let asked = diagnosis.situations[owner]?.wait?.object, asked.flavor == flavor
    else { return false }
    return asked.address.isNull || asked.address == situation.wait?.object?.address
  }

  func node(of situation: ThreadSituation) -> Int? {
    let node = graph.node(of: index.profile.threads[situation.thread])
    return node.flatMap { graph.nodes[$0].thread == situation.thread ? $0 : nil }
  }
}

// MARK: - Hung

extension VerdictMaker {
  /// A verdict on the main thread when it hangs; when it rests, has ended or waits for its workers,
  /// and all threads with something to do hang, on one of these.
  var hung: Verdict? {
    if let main, let kind = hangKind(main), !isWorkedFor(main) { return hang(main, kind) }
    guard isMainAside || main.map(isTrying) ?? false else { return nil }
    let working = situations.filter { $0.idleness == nil && !isJoining($0) }
    let hanging = working.filter { hangKind($0) != nil }
    let trying = working.filter(isTrying)
    let holders = holders(of: hanging + trying).union(trying.map(\.thread))
    guard working.allSatisfy({ hangKind($0) != nil || holders.contains($0.thread) }) else {
      return nil
    }
    return worst(of: hanging).flatMap { situation in
      hangKind(situation).map { hang(situation, $0) }
    }
  }

  /// The one that most wait for, then the one that has waited longest.
  func worst(of hanging: [ThreadSituation]) -> ThreadSituation? {
    hanging.max { left, right in
      (waiters(left), left.lengthOfWait, right.thread)
        < (waiters(right), right.lengthOfWait, left.thread)
    }
  }

  /// The threads that hold what others hang on, and sleep; without those of the same kind, which may take
  /// turns at a lock.
  private func holders(of hanging: [ThreadSituation]) -> Set<Int> {
    var holders: Set<Int> = []
    for situation in hanging {
      guard let node = node(of: situation) else { continue }
      for holder in graph.chain(from: node).nodes.dropFirst() {
        guard let thread = graph.nodes[holder].thread, let other = diagnosis.situations[thread],
          other.isAsleep, situation.entry == nil || other.entry != situation.entry
        else { continue }
        holders.insert(thread)
      }
    }
    return holders
  }

  /// Threads that have waited for long for a lock, whatever others do: these may be held up for good
  /// reason, but the program is not at rest.
  var heldUp: [ThreadSituation] {
    situations.filter(isHeldUp)
  }

  func isHeldUp(_ situation: ThreadSituation) -> Bool {
    hangKind(situation) == .hungOnLock
      || situation.takesLock && situation.idleness == nil && situation.lengthOfWait >= Self.hangTime
  }

  /// Threads that waited for locks for most of their time, or in a dump for a while, each time for less than a
  /// second: others keep them from their work.
  var contending: [ThreadSituation] {
    situations.filter { situation in
      guard situation.idleness == nil,
        needKind(situation) == .hungOnLock && situation.wait?.kind != .gil || situation.takesLock
      else { return false }
      return situation.shares.map { $0.blocked >= 50 }
        ?? (situation.lengthOfWait >= Self.contentionTime || situation.sleepsOnTakenLock)
    }
  }

  /// In nanoseconds: a lock is not asked for this long unless others want it, too.
  private static let contentionTime: Int64 = 50_000_000

  /// Whether the main thread has no part in how fast the program is.
  var isMainAside: Bool { main.map { $0.idleness != nil || isJoining($0) } ?? true }

  /// Whether a thread waits to be told that others are ready, nobody says which, and others of its process
  /// are on CPUs: these are what it waits for.
  func isWorkedFor(_ situation: ThreadSituation) -> Bool {
    guard let wait = situation.wait, wait.owners.isEmpty else { return false }
    switch wait.kind {
    case .conditionVariable, .semaphore, .barrier, .join, .parking, .futex: break
    default: return false
    }
    let process = index.profile.threads[situation.thread].process
    return situations.contains { other in
      other.thread != situation.thread && index.profile.threads[other.thread].process == process
        && (isDump
          ? other.activity.isRunnable
          : other.shares.map { $0.running + $0.waiting >= 50 } ?? false)
    }
  }

  private func isJoining(_ situation: ThreadSituation) -> Bool { situation.wait?.kind == .join }

  private func waiters(_ situation: ThreadSituation) -> Int {
    node(of: situation).map { graph.successors(of: $0).count } ?? 0
  }

  /// What a thread hangs on; nil for one that does not, or whose wait may be its normal business.
  func hangKind(_ situation: ThreadSituation) -> Verdict.Kind? {
    guard situation.lengthOfWait >= Self.hangTime, (situation.shares?.running ?? 0) < 50 else {
      return nil
    }
    return needKind(situation)
  }

  /// Whether a thread has done nothing for long but try for what it needs, with a limit: it may have its own
  /// business in between, and does not hang, but shows nothing of a program that goes on.
  private func isTrying(_ situation: ThreadSituation) -> Bool {
    situation.lengthOfWait < Self.hangTime && situation.tried >= Self.hangTime
      && (situation.shares?.running ?? 0) < 50 && needKind(situation) != nil
  }

  /// What a thread hangs on, however short the wait is; nil where the wait may be its normal business.
  func needKind(_ situation: ThreadSituation) -> Verdict.Kind? {
    guard let wait = situation.wait, situation.idleness == nil else { return nil }
    switch wait.kind {
    case .mutex, .readLock, .writeLock, .onceInitializer, .gil, .fileLock, .databaseLock:
      return .hungOnLock
    case .connect, .write, .send: return .hungOnIO
    case .disk, .pageFault, .frozen: return .hung
    case .read, .receive, .poll, .select, .epoll, .open, .accept, .asynchronousIO, .messageQueue:
      // Outside a handler this may be the normal business of the thread.
      return situation.handlerOf != nil ? .hungOnIO : nil
    case .conditionVariable, .semaphore, .barrier, .join, .futex, .parking, .sleep, .childProcess,
      .signal, .systemVSemaphore, .otherCall:
      return situation.handlerOf != nil ? .hung : nil
    case .stoppedBySignal, .stoppedByDebugger, .kernelWork, .unknown: return nil
    }
  }
}

extension ThreadSituation {
  /// Whether it sleeps until it has a lock of Java's: the VM lets a thread try for a while before that.
  fileprivate var sleepsOnTakenLock: Bool {
    guard let flavor = wait?.object?.flavor else { return false }
    return flavor.has(.monitor) || flavor.has(.java)
  }
}

extension Verdict.Kind {
  /// Whether it says what a thread does on a CPU.
  fileprivate var isOfCPU: Bool {
    switch self {
    case .busyLoop, .starved, .slow, .running: true
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .waiting,
      .froze, .idle, .frozen, .stopped, .inconclusive:
      false
    }
  }

  /// Whether it says that nothing else in the program is wrong.
  fileprivate var dependsOnAll: Bool {
    switch self {
    case .idle, .waiting, .slow, .inconclusive: true
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .froze,
      .busyLoop,
      .starved, .running, .frozen, .stopped:
      false
    }
  }
}
