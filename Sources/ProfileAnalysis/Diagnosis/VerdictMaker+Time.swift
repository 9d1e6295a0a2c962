internal import ProfileModel

extension VerdictMaker {
  /// The thread that decides how fast the program is: the main one when it does something, else
  /// the one that used most CPU time.
  private var busiest: ThreadSituation? {
    let all = situations + ended
    let others = all.filter { situation in
      situation.thread != main?.thread || !isMainAside
        || situation.idleness != nil && situation.usesCPU
    }
    let working = others.filter { $0.idleness == nil || ($0.shares?.running ?? 0) > 0 }
    return working.max { left, right in
      (demand(left), right.thread) < (demand(right), left.thread)
    }
  }

  /// The part of its time that a thread ran or was runnable, in percent; of the whole capture for
  /// one that has ended.
  private func demand(_ situation: ThreadSituation) -> Double {
    guard let shares = situation.shares else { return situation.activity == .running ? 100 : 0 }
    let demand = shares.running + shares.waiting
    let duration = index.profile.capture.duration
    guard duration > 0 else { return demand }
    return demand * min(1, Double(span(of: situation)) / Double(duration))
  }

  /// Whether a thread has little to do, and only waits a while for a CPU each time it wakes up.
  private func isOnlyLate(_ shares: TimeShares) -> Bool {
    shares.running < Self.restingShare / 5 && shares.waiting < Self.restingShare * 4
  }

  /// A verdict on a program that uses the CPU or is runnable; nil for one that does little.
  var busy: Verdict? {
    if isDump { return runningNow }
    // A main thread that mostly waits for what it needs matters more than one that is busy
    // meanwhile.
    let held = main.flatMap { main in
      needKind(main) != nil && (main.shares?.blocked ?? 0) >= 50 && !isWorkedFor(main) ? main : nil
    }
    let subject = held ?? main.flatMap { demand($0) >= 50 ? $0 : nil } ?? busiest
    if held == nil, let verdict = shortLived(busierThan: subject.map(demand) ?? 0) {
      return verdict
    }
    guard let subject, let shares = subject.shares,
      held != nil || demand(subject) >= Self.restingShare && !isOnlyLate(shares)
    else { return nil }
    let samples = CPUSamples(index, threads: [subject.thread])
    // It ran whenever it got a CPU.
    let loop = shares.running + shares.waiting >= 90 ? samples.loop : nil
    // A handler should have returned, even where CPUs are scarce.
    let isOverdue =
      loop != nil && isInHandler(subject) && span(of: subject) >= Self.hangTime
    if loop == nil, let handler = overdueHandler(of: subject, samples) { return handler }
    let wanting = shares.waiting >= 50 && shares.waiting > shares.running ? wantingThreads : nil
    if shares.waiting >= 50, shares.waiting > shares.running, !isOverdue, wanting == nil {
      var verdict = self.time(subject, .starved)
      verdict.lasted = index.profile.threads[subject.thread].delay
      verdict.setPlace(samples.loop ?? samples.hottest)
      return verdict
    }
    if let loop {
      var verdict = self.time(subject, .busyLoop)
      verdict.setPlace(loop)
      verdict.placeShare = loop.share
      verdict.setBusiest(samples.hottest)
      verdict.samples = samples.count
      verdict.lasted = span(of: subject)
      verdict.wantingThreads = wanting
      return verdict
    }
    var verdict = self.time(subject, .slow)
    verdict.setPlaces(of: samples)
    verdict.wantingThreads = wanting
    return verdict
  }

  /// How many threads of the program wanted to run at a time, on average, where these are more than its CPUs,
  /// and had most of the time of these CPUs; nil where others had that, or it is not known.
  private var wantingThreads: Int? {
    let capture = index.profile.capture
    guard let processors = capture.processors, capture.duration > 0 else { return nil }
    var (used, delayed) = (0.0, 0.0)
    for thread in index.profile.threads where !(thread.process?.isPeer ?? false) {
      used += Double(max(0, thread.cpu))
      delayed += Double(max(0, thread.delay))
    }
    let wanting = ((used + delayed) / Double(capture.duration)).rounded()
    guard used >= Double(capture.duration) * Double(processors) * 0.5,
      wanting > Double(processors)
    else { return nil }
    return Int(min(wanting, Double(index.profile.threads.count)))
  }

  /// Fewer threads are told one by one.
  private static let leastShortLived = 3

  /// A verdict on threads of one kind that have ended, each after a short time, and that together ran for
  /// more of the capture, in percent, than the busiest thread; nil where there are none.
  private func shortLived(busierThan demand: Double) -> Verdict? {
    let duration = index.profile.capture.duration
    let brief = ended.filter { $0.entry != nil && span(of: $0) < duration / 4 }
    let kinds = Dictionary(grouping: brief) { situation in
      [situation.entry ?? "", index.profile.threads[situation.thread].name]
    }
    var best: (threads: [ThreadSituation], shares: TimeShares)?
    var most = max(demand, Self.restingShare)
    for (_, threads) in kinds.sorted(by: { $0.value[0].thread < $1.value[0].thread })
    where threads.count >= Self.leastShortLived {
      guard let shares = shares(of: threads), shares.running + shares.waiting > most else {
        continue
      }
      most = shares.running + shares.waiting
      best = (threads, shares)
    }
    guard let (threads, shares) = best,
      let longest = threads.max(by: { span(of: $0) < span(of: $1) })
    else { return nil }
    var verdict = Verdict(kind: .slow)
    verdict.thread = longest.thread
    verdict.alikeThreads = threads.count
    verdict.shares = shares
    verdict.lasted = duration
    verdict.setPlaces(of: CPUSamples(index, threads: threads.map(\.thread)))
    return verdict
  }

  /// The parts of the capture's time that threads ran in turn, by their samples: the kernel's counts of
  /// each end with its last sample.
  private func shares(of threads: [ThreadSituation]) -> TimeShares? {
    var (running, waiting) = (Int64(0), Int64(0))
    for run in threads.lazy.flatMap({ index.runs(of: $0.thread) }) {
      switch run.activity {
      case .running: running &+= max(0, run.weight.wall)
      case .waitingForCPU: waiting &+= max(0, run.weight.wall)
      case .blocked, .uninterruptible, .stopped, .unknown: break
      }
    }
    let duration = index.profile.capture.duration
    return TimeShares(cpu: running, delay: waiting, span: duration, weights: [])
  }

  /// A verdict on a thread that was in one and the same handler in all of its samples, and ran whenever it
  /// could; nil for another.
  private func overdueHandler(
    of subject: ThreadSituation, _ samples: CPUSamples
  ) -> Verdict? {
    guard let shares = subject.shares, shares.running + shares.waiting >= 90,
      span(of: subject) >= Self.hangTime, samples.count >= Self.leastHandlerSamples
    else { return nil }
    var facts = StackFacts(index)
    var handlers: Set<SourceFrame> = []
    var loop: EventLoop?
    for run in index.runs(of: subject.thread) where run.weight.samples > 0 {
      let fact = facts.fact(of: run.stack, index)
      guard let handler = fact.handler, let handlerOf = fact.handlerOf else { return nil }
      loop = loop ?? handlerOf
      handlers.insert(handler.withoutLine)
      guard handlers.count == 1, loop == handlerOf else { return nil }
    }
    guard handlers.count == 1 else { return nil }
    var verdict = time(subject, .busyLoop)
    verdict.overdue = subject.handler ?? handlers.first
    verdict.setPlaces(of: samples)
    return verdict
  }

  /// Fewer samples show nothing of what lay between them.
  private static let leastHandlerSamples = 20

  /// Whether the thread is in a handler; its last sample may have been at a stack without frames.
  private func isInHandler(_ situation: ThreadSituation) -> Bool {
    guard situation.handlerOf == nil else { return true }
    guard let heaviest = HeaviestStack(index, thread: situation.thread) else { return false }
    var recognition = IdleRecognition(index.profile.modules)
    let stack = recognition.stack(index.frames(of: heaviest.stack).withoutWaitingTasks)
    return IdleRecognition.loopRunningHandler(stack) != nil
  }

  private func span(of situation: ThreadSituation) -> Int64 {
    let info = index.profile.threads[situation.thread]
    return max(0, info.lastSeen &- info.firstSeen)
  }

  private func time(_ subject: ThreadSituation, _ kind: Verdict.Kind) -> Verdict {
    var verdict = Verdict(kind: kind)
    verdict.thread = subject.thread
    verdict.shares = subject.shares
    verdict.lasted = span(of: subject)
    let waits = WaitTable(index, threads: [subject.thread])
    guard let entry = waits.entries.first else { return verdict }
    let functions = index.frames(of: entry.stack)
    var recognition = IdleRecognition(index.profile.modules)
    let stack = recognition.stack(functions)
    let wait = entry.activity.wait(stack.names)
    let known = wait.flatMap { diagnosis.wait(of: subject.thread, like: $0) }
    verdict.wait = (known?.kind == .sleep ? known : wait).map(stack.interpreted)
    if let wait = verdict.wait, wait.isForUnknownLock {
      var locks = StackLocks(index, OwnedWaits(index.profile))
      verdict.wait = locks.named(wait, of: subject.thread, in: entry.stack)
    }
    verdict.waitPlace = recognition.place(of: stack, functions)
    verdict.waitIdleness = verdict.wait.flatMap { wait in
      let isMain = index.profile.threads[subject.thread].isMain
      return IdleRecognition.idleness(of: stack, wait: wait, isMain: isMain)
    }
    return verdict
  }

  /// For one sample: the thread that was on a CPU, or waited for one; of several the main one, or the one
  /// that has used most CPU time so far.
  private var runningNow: Verdict? {
    let running = situations.filter {
      ($0.activity == .running || $0.activity == .waitingForCPU) && !isOnlyOfGoRuntime($0)
        && !isClockOfJava($0)
    }
    let subject =
      running.first { index.profile.isMainThread($0.thread) }
      ?? running.max { left, right in
        (used(left), right.thread) < (used(right), left.thread)
      }
    guard let subject else { return nil }
    var verdict = Verdict(kind: .running)
    verdict.thread = subject.thread
    verdict.samples = 1
    let frames = index.frames(of: subject.stack)
    let owners = index.profile.modules.map(\.owner)
    guard let place = owners.place(of: frames) else { return verdict }
    verdict.place = frames[place]
    verdict.placeCall = owners.libraryCall(of: place, in: frames)
    return verdict
  }

  /// Whether it runs no goroutine: the runtime's own threads wake up a hundred times a second to look for
  /// work.
  private func isOnlyOfGoRuntime(_ situation: ThreadSituation) -> Bool {
    let functions = index.frames(of: situation.stack).map(\.line)
    return hasGoroutines && !functions.isEmpty && functions.allSatisfy(\.isOfGoRuntime)
      && !functions.contains { $0.function.hasPrefix("runtime.gc") }
  }

  /// Whether it is the thread of the Java VM that wakes up twenty times a second for the VM's own periodic work.
  private func isClockOfJava(_ situation: ThreadSituation) -> Bool {
    // As much of its name as the kernel has.
    index.profile.threads[situation.thread].name.hasPrefix("VM Periodic Tas")
      && index.profile.modules.contains { $0.name.hasPrefix("libjvm.so") }
  }

  private func used(_ situation: ThreadSituation) -> Int64 {
    index.profile.threads[situation.thread].cpuSinceStart
  }

  /// A verdict on a program that does nothing, and does not hang.
  var rest: Verdict {
    guard let subject = main ?? situations.first else { return Verdict(kind: .inconclusive) }
    let waiting = situations.filter { $0.idleness == nil && $0.isAsleep }
    let isUnclear = situations.contains { $0.idleness == nil && !$0.isAsleep }
    if let main, main.idleness != nil {
      let held = worst(of: heldUp) ?? worst(of: contending)
      return held.map { quiet($0, .waiting) } ?? quiet(main, .idle)
    }
    if let main, main.isAsleep {
      guard main.wait?.kind == .join else {
        // Others tell it when they are ready, and these keep each other waiting.
        let held = main.waitsToBeTold ? worst(of: contending) : nil
        return quiet(held ?? main, .waiting)
      }
      // Its workers decide; when all of them rest, so does the program.
      let worker = waiting.first { $0.thread != main.thread && $0.wait?.kind != .join }
      return quiet(worker ?? main, .waiting)
    }
    if isUnclear { return Verdict(kind: .inconclusive) }
    return waiting.first.map { quiet($0, .waiting) } ?? quiet(subject, .idle)
  }

  private func quiet(_ situation: ThreadSituation, _ kind: Verdict.Kind) -> Verdict {
    var verdict = hang(situation, kind)
    if kind == .idle {
      verdict.chain = []
      verdict.behind = 0
    }
    return verdict
  }
}

extension ThreadSituation {
  /// Whether it waits for others of its program to tell it something, and nobody in particular.
  fileprivate var waitsToBeTold: Bool {
    guard let wait, wait.owners.isEmpty, handlerOf == nil else { return false }
    switch wait.kind {
    case .conditionVariable, .semaphore, .barrier, .parking: return true
    default: return false
    }
  }
}

extension Verdict {
  fileprivate mutating func setPlace(_ found: CPUSamples.Place?) {
    place = found?.frame
    placeCall = found?.call
  }

  /// The function below `place` that used most of what `place` did.
  fileprivate mutating func setBusiest(_ hottest: CPUSamples.Place?) {
    guard let hottest, hottest.share >= 0.5,
      hottest.frame.line.function != place?.line.function || hottest.frame.module != place?.module
    else { return }
    busiest = hottest.frame
    busiestShare = hottest.share
  }

  /// Where a thread that does various things was on a CPU.
  fileprivate mutating func setPlaces(of counted: CPUSamples) {
    setPlace(counted.hottest)
    placeShare = counted.hottest?.share
    placeShareError = counted.hottest?.error
    samples = counted.count
    cpuSamples = counted.count
    guard counted.within?.frame.withoutLine != place?.withoutLine,
      counted.within?.frame.withoutLine != overdue?.withoutLine
    else { return }
    within = counted.within?.frame
    withinShare = counted.within?.share
  }
}
