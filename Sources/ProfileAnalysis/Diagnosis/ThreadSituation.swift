package import ProfileModel

/// What one thread does at the end of a capture, or in a dump's look, and what is known of it.
package struct ThreadSituation: Sendable {
  /// Index into `profile.threads`.
  package let thread: Int
  package let stack: StackID
  package let end: StackEnd
  package let activity: Activity
  /// What it waits for: what was looked up, else what the stack alone tells; nil for a thread that
  /// does not sleep.
  package let wait: Wait?
  /// Index into `profile.blockings`; nil when the wait is known from the stack alone.
  package let blocking: Int?
  /// Nil for a thread that is not known to be idle.
  package internal(set) var idleness: Idleness?
  /// The event loop whose handler it is in; nil for none.
  package let handlerOf: String?
  /// The function that this loop called; nil when it has no name, too.
  package let handler: SourceFrame?
  /// For how long it has been waiting without having run, in nanoseconds; 0 when that is not known.
  package let waited: Int64
  /// How often it was seen in this wait.
  package let samples: Int
  /// The parts of its time; nil for one sample.
  package let shares: TimeShares?
  /// The frame that asked for the wait: past those of the C library and of interpreters.
  package let asker: SourceFrame?
  /// Whether it is a pool's worker, when others are in the same stack.
  let isWorker: Bool
  let entry: String?

  /// Whether it sleeps.
  package var isAsleep: Bool { wait != nil }

  /// Whether it used too much of a CPU to count as doing nothing, wherever it sleeps; never known from
  /// one sample.
  package var usesCPU: Bool { (shares?.running ?? 0) >= VerdictMaker.restingShare }
}

extension ThreadSituation {
  /// The situation of a thread; nil for one that was never looked at.
  ///
  /// Of one that has ended it is where it spent its time: it waits for nothing.
  init?(
    _ index: ProfileIndex, thread: Int, blocking: Int?, facts: inout StackFacts
  ) {
    let profile = index.profile
    let info = profile.threads[thread]
    guard let last = index.lastRun(of: thread) else { return nil }
    let span = info.lastSeen &- info.firstSeen
    let known = blocking.map { profile.blockings[$0] }
    // A thread that woke for a moment at the end is shown where it spends its time.
    let isLast =
      !info.hasEnded
      && (profile.capture.kind == .dump || last.weight.wall >= span / 4
        || last.activity.isWait && (known?.lasted ?? 0) >= 1_000_000_000)
    let shown = isLast ? nil : HeaviestStack(index, thread: thread)
    self.thread = thread
    stack = shown?.stack ?? last.stack
    end = shown?.end ?? last.end
    activity = shown?.activity ?? last.activity
    shares = TimeShares(index, thread: thread)
    self.blocking = isLast ? blocking : nil
    let fact = facts.fact(of: stack, index)
    let parts = fact.parts
    let seen = (isLast ? known?.wait : nil) ?? activity.wait(parts.names)
    wait = seen.map(parts.told)
    asker = fact.asker
    isWorker = fact.isWorker
    entry = fact.entry
    handlerOf = fact.handlerOf
    handler = fact.handler
    idleness = wait.flatMap { wait in
      IdleRecognition.idleness(of: parts, wait: wait, isMain: info.isMain)
    }
    let isDump = profile.capture.kind == .dump
    // Without CPU time it has not run, whatever nobody saw. The length of a dump's look says nothing.
    let hasSlept = !isDump && last.activity.isWait && last.weight.cpu < 1_000_000
    let told = isDump && known?.since == nil ? 0 : known?.lasted ?? 0
    // One that sleeps between its tries has been waiting for longer than it sleeps.
    let isRetry = wait?.kind != seen?.kind && wait?.kind != .join
    waited =
      wait == nil || !isLast || isRetry
      ? 0 : max(hasSlept ? last.weight.wall : 0, told)
    samples = max(
      known?.samples ?? 0, Int(clamping: (shown?.weight ?? last.weight).samples))
  }
}

/// What is told by a stack alone, found once for all threads that are in it.
struct StackFacts {
  struct Fact {
    let parts: IdleRecognition.Stack
    let asker: SourceFrame?
    let isWorker: Bool
    let entry: String?
    let handlerOf: String?
    let handler: SourceFrame?
  }

  private var recognition: IdleRecognition
  private var known: [StackID: Fact] = [:]

  init(_ index: ProfileIndex) { recognition = IdleRecognition(index.profile.modules) }

  mutating func fact(of stack: StackID, _ index: ProfileIndex) -> Fact {
    if let fact = known[stack] { return fact }
    let frames = index.frames(of: stack).withoutWaitingTasks
    let parts = recognition.stack(frames)
    let fact = Fact(
      parts: parts, asker: parts.asker(of: frames), isWorker: IdleRecognition.isWorkers(parts),
      entry: IdleRecognition.entry(of: parts),
      handlerOf: IdleRecognition.loopRunningHandler(parts),
      handler: IdleRecognition.handler(of: parts, frames: frames))
    known[stack] = fact
    return fact
  }
}

extension Activity {
  /// What a thread that does this waits for, as far as its stack tells; nil when it does not sleep.
  package func wait(_ functions: some Sequence<String>) -> Wait? {
    switch self {
    case .running, .waitingForCPU, .stopped, .unknown: return nil
    case .blocked(let reason):
      let kind = WaitKind.of(systemCall: reason.systemCall, functions: functions)
      return Wait(kind: kind, systemCall: reason.systemCall)
    case .uninterruptible(let reason):
      return Wait(kind: .disk, systemCall: reason.systemCall)
    }
  }
}

/// A profile with everything that its verdict is made from, and the verdict.
///
/// Make it once for a report: it costs a few steps for each thread, wait and distinct function.
package struct Diagnosis: Sendable {
  package let index: ProfileIndex
  package let graph: WaitGraph
  /// By index of the thread; nil for one that has ended or was never looked at.
  package private(set) var situations: [ThreadSituation?]
  /// What those did that have ended.
  private(set) var ended: [ThreadSituation] = []
  package internal(set) var verdict = Verdict(kind: .inconclusive)

  /// The diagnosis of an indexed profile.
  package init(_ index: ProfileIndex) {
    self.index = index
    graph = WaitGraph(index)
    var facts = StackFacts(index)
    situations = []
    for (thread, info) in index.profile.threads.enumerated() {
      let node = graph.node(of: info).map { graph.nodes[$0] }
      let blocking = node?.thread == thread ? node?.blocking : nil
      let situation = ThreadSituation(index, thread: thread, blocking: blocking, facts: &facts)
      situations.append(info.hasEnded ? nil : situation)
      if info.hasEnded, let situation { ended.append(situation) }
    }
    findPools()
    findFollowers()
    verdict = VerdictMaker(self).verdict
  }

  /// The diagnosis of a profile.
  package init(_ profile: Profile) { self.init(ProfileIndex(profile)) }

  /// For how long a wait has lasted, in nanoseconds; nil for one sample of which the kernel does not
  /// tell.
  package func lasted(_ blocking: Blocking) -> Int64? {
    index.profile.capture.kind == .dump && blocking.since == nil ? nil : blocking.lasted
  }

  /// The last wait of a thread that was looked up and is of the same kind as `wait`, which its stack
  /// told; nil when there is none.
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

  /// Threads that wait for a signal of each other's making in one and the same flat stack are a
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
        situations[thread]?.idleness = Idleness(kind: .workerPool, name: "a worker pool")
      }
    }
  }

  /// Of workers that take turns at waiting for work one waits for it, and the others for its lock.
  private mutating func findFollowers() {
    let blockers = graph.blockers()
    for (thread, situation) in situations.enumerated() {
      guard let situation, let wait = situation.wait, wait.kind == .mutex,
        situation.idleness == nil, !index.profile.threads[thread].isMain,
        let node = graph.node(of: index.profile.threads[thread]), !graph.isStuck[node],
        let leader = graph.nodes[blockers[node]].thread, let other = situations[leader],
        other.idleness != nil, let entry = situation.entry, entry == other.entry
      else { continue }
      situations[thread]?.idleness = other.idleness
    }
  }
}
