package import ProfileModel

/// What one thread does at the end of a capture, or in the sample of a dump.
package struct ThreadSituation: Sendable {
  /// Index into `profile.threads`.
  package let thread: Int
  /// Of its last run; of its heaviest stack for one that has ended, or woke only for a moment.
  package let stack: StackID
  package let end: StackEnd
  package let activity: Activity
  /// What it waits for: as it was looked up, or as far as the stack alone shows; nil for a thread
  /// that does not sleep.
  package internal(set) var wait: Wait?
  /// Index into `profile.blockings`; nil when the wait is known from the stack alone.
  package let blocking: Int?
  /// Nil for a thread that is not known to be idle.
  package internal(set) var idleness: Idleness?
  /// The event loop whose handler it is in; nil for none.
  package let handlerOf: EventLoop?
  /// The function that this loop called; nil also when it has no name.
  package let handler: SourceFrame?
  /// What shows whether it is at rest in an event loop; nil for a thread that does not sleep.
  package let loopEvidence: LoopEvidence?
  /// For how long it has been waiting without having run; nil when that is not known.
  package let length: WaitLength?
  /// The same, and all tries before where it has waited with a limit again and again in the same function.
  let tried: Int64
  /// The samples of this wait.
  package let samples: Int
  /// The parts of its time; nil for one sample.
  package let shares: TimeShares?
  /// The frame that asked for the wait: past those of the C library, of interpreters, and of the
  /// standard library of a language.
  package let asker: SourceFrame?
  /// Whether it waits for a lock of Python's `threading`, and not for others to signal it.
  let takesLock: Bool
  /// Whether it is a pool's worker, provided that others are in the same stack.
  let isWorker: Bool
  /// The outermost function of its own; the same for threads of one kind.
  let entry: String?

  /// For how long it has been waiting, in nanoseconds; 0 when that is not known.
  package var lengthOfWait: Int64 { length?.time ?? 0 }

  /// Whether it sleeps.
  package var isAsleep: Bool { wait != nil }

  /// Whether it used too much of a CPU to count as doing nothing, wherever it sleeps; false for one
  /// sample.
  package var usesCPU: Bool { (shares?.running ?? 0) >= VerdictMaker.restingShare }
}

extension ThreadSituation {
  /// The situation of a thread; nil for one that was never sampled.
  ///
  /// For one that has ended it is where it spent its time: it waits for nothing. For one that `isAwaited` by
  /// others at the end it is what it does there, however short.
  init?(
    _ index: ProfileIndex, thread: Int, blocking: Int?, isAwaited: Bool, facts: inout StackFacts
  ) {
    let profile = index.profile
    let info = profile.threads[thread]
    guard let last = index.lastRun(of: thread) else { return nil }
    let known = blocking.map { profile.blockings[$0] }
    let shown = Self.shown(index, thread: thread, last: last, known: known, isAwaited: isAwaited)
    let isLast = shown == nil && !info.hasEnded
    self.thread = thread
    stack = shown?.stack ?? last.stack
    end = shown?.end ?? last.end
    activity = shown?.activity ?? last.activity
    shares = TimeShares(index, thread: thread)
    let isOfStack =
      if let known { isLast && activity.isOfOneMoment(with: known.wait) } else { false }
    self.blocking = isOfStack ? blocking : nil
    let fact = facts.fact(of: stack, index)
    let parts = fact.parts
    let seen = (isOfStack ? known?.wait : nil) ?? activity.wait(parts.names)
    wait = seen.map(parts.interpreted)
    isWorker = fact.isWorker
    entry = fact.entry
    handlerOf = fact.handlerOf
    handler = fact.handler
    idleness = wait.flatMap { wait in
      IdleRecognition.idleness(of: parts, wait: wait, isMain: info.isMain)
    }
    loopEvidence = wait.map { LoopEvidence(parts, frames: fact.frames, wait: $0) }
    asker = idleness == nil ? fact.callerOfPrivateLoop ?? fact.place : fact.place
    let isPythonLock = parts.isPythonLock || wait?.object?.flavor?.has(.python) ?? false
    takesLock =
      isPythonLock && !(fact.frames.first(where: \.isInterpreted)?.isSignalOfPython ?? true)
    length =
      isLast
      ? Self.isOneWait(wait, seen: seen)
        ? Self.length(of: last, known: isOfStack ? known : nil, wait: wait, index)
        : facts.stayed(thread, in: fact, index) : nil
    let isRetry = isLast && (last.hasManyWaits || last.followsSleep)
    let tries = isRetry ? facts.stayed(thread, in: fact, index) : nil
    tried = max(length?.time ?? 0, tries?.time ?? 0)
    samples = max(
      isOfStack ? known?.samples ?? 0 : 0, Int(clamping: (shown?.weight ?? last.weight).samples))
  }

  /// Where a thread that woke for a moment at the end, or has ended, spent its time; nil for one that is told by its
  /// last run.
  private static func shown(
    _ index: ProfileIndex, thread: Int, last: Run, known: Blocking?, isAwaited: Bool
  ) -> HeaviestStack? {
    let (capture, info) = (index.profile.capture, index.profile.threads[thread])
    guard !info.hasEnded else { return HeaviestStack(index, thread: thread) }
    let isLast =
      isAwaited || capture.kind == .dump
      || last.weight.wall >= (info.lastSeen &- info.firstSeen) / 4
      || last.activity.isWait && (known?.lasted ?? 0) >= 1_000_000_000
    guard !isLast, let heaviest = HeaviestStack(index, thread: thread) else { return nil }
    // One that waits there again and again does so at the end, too, and so does one that asks for its
    // interpreter's lock.
    let isThere =
      last.activity.isWait && heaviest.stack == last.stack && heaviest.activity == last.activity
    let asksForLock =
      heaviest.activity.awaitsInterpreterLock && last.activity.awaitsInterpreterLock
      && known?.wait.kind == .gil
    return isThere || asksForLock ? nil : heaviest
  }
}

extension ThreadSituation {
  /// Whether the sleep that the kernel has is all of a wait, and not one between two tries.
  ///
  /// `seen` is the wait as the kernel has it.
  private static func isOneWait(_ wait: Wait?, seen: Wait?) -> Bool {
    guard let wait, let seen, wait.kind != seen.kind else { return true }
    return wait.kind == .join || wait.kind == .sleep
      || wait.kind == .databaseLock && seen.kind != .sleep
      || wait.object?.flavor?.has(.python) ?? false
  }

  /// For how long a thread has been in its last wait; `known` is the same as it was looked up.
  private static func length(
    of last: Run, known: Blocking?, wait: Wait?, _ index: ProfileIndex
  ) -> WaitLength? {
    guard let wait else { return nil }
    let isDump = index.profile.capture.kind == .dump
    // Without CPU time it has not run, even where no sample says so. A dump has no length, and one that sleeps
    // again and again for a short time hardly runs in between.
    let hasSlept =
      !isDump && last.activity.isWait && last.weight.cpu < 1_000_000 && wait.kind != .sleep
      && !last.hasManyWaits && !last.unseenSleeps.contains(.within)
    let sampled =
      hasSlept
      ? WaitLength(last.weight.wall, isAtLeast: index.mayHaveBegunBefore(last)) : nil
    return WaitLength.longer(sampled, known.flatMap { $0.length(isDump: isDump) })
  }
}

/// What a stack alone shows, found once for all threads that are in it.
struct StackFacts {
  struct Fact {
    let parts: IdleRecognition.Stack
    let frames: [SourceFrame]
    let asker: SourceFrame?
    /// The frame to name in its place, outside of a language's standard library.
    let place: SourceFrame?
    let callerOfPrivateLoop: SourceFrame?
    let isWorker: Bool
    let entry: String?
    let handlerOf: EventLoop?
    let handler: SourceFrame?

    var names: [String] { parts.names }
  }

  private var recognition: IdleRecognition
  private var known: [StackID: Fact] = [:]

  init(_ index: ProfileIndex) { recognition = IdleRecognition(index.profile.modules) }

  /// For how long a thread has been in the function that asked for its last wait: one that tries again and
  /// again wakes up in between.
  mutating func stayed(_ thread: Int, in fact: Fact, _ index: ProfileIndex) -> WaitLength? {
    guard index.profile.capture.kind != .dump, let asker = fact.asker else { return nil }
    var stayed: Int64 = 0
    var first: Run?
    for run in index.runs(of: thread) {
      let other = self.fact(of: run.stack, index)
      let isThere = other.names.contains(asker.line.function)
      first = isThere ? first ?? run : nil
      stayed = isThere ? stayed &+ max(0, run.weight.wall) : 0
    }
    return WaitLength(stayed, isAtLeast: first.map(index.mayHaveBegunBefore) ?? false)
  }

  mutating func fact(of stack: StackID, _ index: ProfileIndex) -> Fact {
    if let fact = known[stack] { return fact }
    let frames = index.frames(of: stack).withoutWaitingTasks
    let parts = recognition.stack(frames)
    let fact = Fact(
      parts: parts, frames: frames, asker: parts.asker(of: frames),
      place: recognition.place(of: parts, frames),
      callerOfPrivateLoop: recognition.callerOfPrivateLoop(parts, frames),
      isWorker: IdleRecognition.isWorkers(parts),
      entry: parts.entry,
      handlerOf: IdleRecognition.loopRunningHandler(parts),
      handler: IdleRecognition.handler(of: parts, frames: frames))
    known[stack] = fact
    return fact
  }
}

extension ProfileIndex {
  /// Whether a thread may have been in a run for longer than it was sampled.
  fileprivate func mayHaveBegunBefore(_ run: Run) -> Bool {
    profile.capture.kind != .run && run.start <= profile.threads[run.thread].firstSeen
  }
}

extension Activity {
  /// Whether a wait that was looked up can be of the moment of a sample that found this.
  fileprivate func isOfOneMoment(with wait: Wait) -> Bool {
    switch self {
    case .running, .waitingForCPU: false
    case .stopped, .unknown: true
    case .blocked(let reason), .uninterruptible(let reason):
      // A call that goes on after a stop is known by its own name to one of the two.
      reason.systemCall == wait.systemCall || reason.systemCall == WaitNames.restartedCall
        || wait.systemCall == WaitNames.restartedCall || reason.systemCall == nil
        || wait.systemCall == nil
    }
  }

  /// What a thread that does this waits for, as far as its stack shows; nil when it does not sleep.
  package func wait(_ functions: some Sequence<String>) -> Wait? {
    switch self {
    case .running, .waitingForCPU, .stopped, .unknown: return nil
    case .blocked(let reason):
      let kind =
        reason.isInterpreterLock
        ? .gil : WaitKind.of(systemCall: reason.systemCall, functions: functions)
      return Wait(kind: kind, systemCall: reason.systemCall)
    case .uninterruptible(let reason):
      return Wait(kind: .disk, systemCall: reason.systemCall)
    }
  }
}
