package import ProfileModel

/// A profile's verdict, with all that it is made from.
///
/// Make it once for a report: it costs a few steps for each thread, wait and distinct function.
package struct Diagnosis: Sendable {
  /// The profile that was diagnosed, with all its frames.
  package let index: ProfileIndex
  package let graph: WaitGraph
  package let freezes: FreezeTable
  /// The threads that the verdict is about, by index; nil for all.
  let subjects: Set<Int>?
  /// By index of the thread; nil for one that has ended or was never sampled.
  package private(set) var situations: [ThreadSituation?]
  /// What the threads did that have ended.
  private(set) var ended: [ThreadSituation] = []
  /// The one finding; inconclusive where no rule has its evidence.
  package internal(set) var verdict = Verdict(kind: .inconclusive)

  /// The diagnosis of an indexed profile; `rule` is what counts as a freeze, and `subjects` are the threads
  /// that the verdict is about, by index: nil for all.
  package init(
    _ index: ProfileIndex, freezes rule: FreezeRule = FreezeRule(), subjects: Set<Int>? = nil
  ) {
    self.index = index
    self.subjects = subjects
    freezes = FreezeTable(index, rule)
    graph = WaitGraph(index)
    var facts = StackFacts(index)
    situations = []
    let holders = Set(graph.edges.lazy.filter { $0.reason == .owner }.map(\.to))
    for (thread, info) in index.profile.threads.enumerated() {
      let number = graph.node(of: info)
      let node = number.map { graph.nodes[$0] }
      let blocking = node?.thread == thread ? node?.blocking : nil
      let situation = ThreadSituation(
        index, thread: thread, blocking: blocking,
        isAwaited: number.map { holders.contains($0) } ?? false, facts: &facts)
      situations.append(info.hasEnded ? nil : situation)
      if info.hasEnded, let situation { ended.append(situation) }
    }
    findLocks()
    findPools()
    findFollowers()
    verdict = VerdictMaker(self).verdict
    verdict.blame = blame
  }

  /// Who held up the verdict's thread, where it had many waits and the verdict tells none of their owners.
  private var blame: BlameFinding? {
    switch verdict.kind {
    case .slow, .waiting:
      guard verdict.chain.count < 2, index.profile.capture.kind != .dump,
        let thread = verdict.thread
      else { return nil }
      return BlameFinding(self, thread: thread)
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .froze,
      .busyLoop, .starved, .running, .idle, .frozen, .stopped, .inconclusive:
      return nil
    }
  }

  /// The diagnosis of a profile.
  package init(_ profile: Profile, freezes rule: FreezeRule = FreezeRule()) {
    self.init(ProfileIndex(profile), freezes: rule)
  }

  /// For how long a wait has lasted; nil for a dump's one sample where it is not known when the thread fell
  /// asleep.
  package func lasted(_ blocking: Blocking) -> WaitLength? {
    blocking.length(isDump: index.profile.capture.kind == .dump)
  }

  /// The last wait of a thread that was looked up and is of the same kind as `wait`, which is known
  /// from its stack; nil when there is none.
  package func wait(of thread: Int, like wait: Wait) -> Wait? {
    let info = index.profile.threads[thread]
    let pid = info.pid(in: index.profile.capture.pid)
    let known = index.profile.blockings.last { blocking in
      blocking.waiter.tid == info.tid && blocking.waiter.pid == pid
        && blocking.wait.systemCall == wait.systemCall
        && (blocking.wait.kind == wait.kind || blocking.wait.kind == .sleep)
    }
    return known?.wait
  }

  /// A wait that was looked up, in the terms of the function that asked for it: to the kernel a lock of
  /// Python's is a semaphore.
  package func interpreted(_ wait: Wait, in stack: StackID) -> Wait {
    var facts = StackFacts(index)
    return facts.fact(of: stack, index).parts.interpreted(wait)
  }

  /// The same of one of the profile's waits, by the stack of its thread at that time.
  package func interpreted(_ blocking: Blocking, of thread: Int) -> Wait {
    let places = 0..<index.runCount(of: thread)
    let next = places.partitioningIndex { index.run($0, of: thread).start > blocking.lastSeen }
    guard next > 0 else { return blocking.wait }
    let run = index.run(next - 1, of: thread)
    return run.activity.isWait ? interpreted(blocking.wait, in: run.stack) : blocking.wait
  }

  /// Says which lock of its runtime's a thread waits for in its stack, where some of its samples tell.
  private mutating func findLocks() {
    let unknown = situations.indices.filter { situations[$0]?.wait?.isForUnknownLock ?? false }
    guard !unknown.isEmpty, !index.profile.waitHistory.isEmpty else { return }
    var locks = StackLocks(index, OwnedWaits(index.profile))
    for thread in unknown {
      guard let situation = situations[thread], let wait = situation.wait else { continue }
      situations[thread]?.wait = locks.named(wait, of: thread, in: situation.stack)
    }
  }

  /// Marks threads that wait to be woken by another thread, in one and the same flat stack, as a
  /// pool's workers.
  private mutating func findPools() {
    var alike: [Int: [Int]] = [:]
    for (thread, situation) in situations.enumerated() {
      guard let situation, situation.idleness == nil, situation.isWorker,
        situation.handlerOf == nil,
        !index.profile.threads[thread].isMain
      else { continue }
      switch situation.wait?.kind {
      // A futex whose user is not known may be a lock.
      case .conditionVariable, .semaphore, .parking, .messageQueue:
        let path = index.stacks.functionPaths.path(of: situation.stack)
        alike[path, default: []].append(thread)
      default: continue
      }
    }
    for threads in alike.values where threads.count > 1 {
      for thread in threads {
        situations[thread]?.idleness = .workerPool(.unnamed)
      }
    }
  }

  /// Marks workers as idle that wait for the lock of the one that waits for work: they take turns.
  ///
  /// One that sleeps or waits for a signal, lock in hand, waits for no work.
  private mutating func findFollowers() {
    let blockers = graph.blockers()
    for (thread, situation) in situations.enumerated() {
      guard let situation, let wait = situation.wait, wait.kind == .mutex,
        situation.idleness == nil, !index.profile.threads[thread].isMain,
        let node = graph.node(of: index.profile.threads[thread]), !graph.isStuck[node],
        let leader = graph.nodes[blockers[node]].thread, let other = situations[leader],
        let idleness = other.idleness, idleness.isForWork, let entry = situation.entry,
        entry == other.entry
      else { continue }
      situations[thread]?.idleness = idleness
    }
  }
}
