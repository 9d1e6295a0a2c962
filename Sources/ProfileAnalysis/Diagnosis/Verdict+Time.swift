internal import ProfileModel

// MARK: - Where the time goes

extension VerdictMaker {
  /// The thread that decides how fast the program is: the main one when it does something, else
  /// the one that used most CPU time.
  private var busiest: ThreadSituation? {
    let all = situations + diagnosis.ended
    let others = all.filter { situation in
      situation.thread != main?.thread || !isMainAside
        || situation.idleness != nil && situation.usesCPU
    }
    let working = others.filter { $0.idleness == nil || ($0.shares?.running ?? 0) > 0 }
    return working.max { left, right in
      (demand(left), right.thread) < (demand(right), left.thread)
    }
  }

  /// The part of its time that a thread ran or wanted to, in percent; of the capture's, when it has
  /// ended.
  private func demand(_ situation: ThreadSituation) -> Double {
    guard let shares = situation.shares else { return situation.activity == .running ? 100 : 0 }
    let demand = shares.running + shares.waiting
    let duration = index.profile.capture.duration
    guard index.profile.threads[situation.thread].hasEnded, duration > 0 else { return demand }
    return demand * min(1, Double(span(of: situation)) / Double(duration))
  }

  /// A verdict on a program that uses the CPU or wants to; nil for one that does little.
  var busy: Verdict? {
    if isDump { return runningNow }
    // A main thread that wants to go on, but mostly waits, matters more than who is busy meanwhile.
    let held = main.flatMap { main in
      needKind(main) != nil && (main.shares?.blocked ?? 0) >= 50 ? main : nil
    }
    let subject = held ?? main.flatMap { demand($0) >= 50 ? $0 : nil } ?? busiest
    guard let subject, let shares = subject.shares,
      held != nil || demand(subject) >= Self.restingShare
    else { return nil }
    let samples = CPUSamples(index, thread: subject.thread)
    // It ran whenever it got a CPU.
    let loop = shares.running + shares.waiting >= 90 ? samples.loop : nil
    // A handler should have returned, with few CPUs to be had, too.
    let isOverdue =
      loop != nil && isInHandler(subject) && span(of: subject) >= Self.hangTime
    if shares.waiting >= 50, shares.waiting > shares.running, !isOverdue {
      var verdict = self.time(subject, .starved)
      verdict.lasted = index.profile.threads[subject.thread].delay
      return verdict
    }
    if let loop {
      var verdict = self.time(subject, .busyLoop)
      verdict.place = loop.frame
      verdict.placeShare = loop.share
      verdict.samples = samples.count
      verdict.lasted = span(of: subject)
      return verdict
    }
    var verdict = self.time(subject, .slow)
    verdict.place = samples.hottest?.frame
    verdict.placeShare = samples.hottest?.share
    verdict.samples = samples.count
    return verdict
  }

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
    let told = entry.activity.wait(stack.names)
    let known = told.flatMap { diagnosis.wait(of: subject.thread, like: $0) }
    verdict.wait = (known?.kind == .sleep ? known : told).map(stack.told)
    verdict.waitPlace = stack.asker(of: functions)
    verdict.waitIdleness = verdict.wait.flatMap { wait in
      let isMain = index.profile.threads[subject.thread].isMain
      return IdleRecognition.idleness(of: stack, wait: wait, isMain: isMain)
    }
    return verdict
  }

  /// For one sample: who was on a CPU.
  private var runningNow: Verdict? {
    let running = situations.filter { $0.activity == .running || $0.activity == .waitingForCPU }
    let subject = running.first { index.profile.isMainThread($0.thread) } ?? running.first
    guard let subject else { return nil }
    var verdict = Verdict(kind: .running)
    verdict.thread = subject.thread
    verdict.samples = 1
    let frames = index.frames(of: subject.stack)
    verdict.place = index.profile.modules.map(\.owner).place(of: frames).map { frames[$0] }
    return verdict
  }

  /// A verdict on a program that does nothing, and does not hang.
  var rest: Verdict {
    guard let subject = main ?? situations.first else { return Verdict(kind: .inconclusive) }
    let waiting = situations.filter { $0.idleness == nil && $0.isAsleep }
    let isUnclear = situations.contains { $0.idleness == nil && !$0.isAsleep }
    if let main, main.idleness != nil { return quiet(main, .idle) }
    if let main, main.isAsleep {
      guard main.wait?.kind == .join else { return quiet(main, .waiting) }
      // Judged by its workers; when all of these rest, so does it.
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

/// Where a thread was at its samples on a CPU.
private struct CPUSamples {
  /// A place and the part of the samples that were in it.
  struct Place {
    let frame: SourceFrame
    let share: Double
  }

  /// The part of the samples that a loop must hold: a few go to signals and interrupts.
  private static let loopShare = 0.95
  private static let leastSamples = 10

  private(set) var count = 0
  /// The deepest function that holds nearly all samples, when the thread does not leave a few
  /// functions there; nil for a thread that does various things.
  private(set) var loop: Place?
  /// The function in which most looks were, itself.
  private(set) var hottest: Place?

  init(_ index: ProfileIndex, thread: Int) {
    var byStack: [StackID: Int64] = [:]
    for run in index.runs(of: thread) where run.activity.isOnCPU {
      byStack[run.stack, default: 0] &+= max(run.weight.samples, 0)
    }
    let total = byStack.values.reduce(0, &+)
    count = Int(clamping: total)
    guard total > 0 else { return }
    let paths = index.stacks.functionPaths
    let owners = index.profile.modules.map(\.owner)
    // By path, whose number is higher than its caller's: sums go from the ends to the root.
    var sums = [Int64](repeating: 0, count: paths.count)
    var frames = [Int](repeating: -1, count: paths.count)
    // By function: all samples, and the stack with most of them.
    var own: [Int: (samples: Int64, most: Int64, frame: Int)] = [:]
    // Where the interpreted function that runs stands for what the interpreter does for it.
    var source: [Int: Int64] = [:]
    for (stack, samples) in byStack.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      var path = paths.path(of: stack)
      let function = path == 0 ? -1 : paths.item(of: path)
      var interpreted: Int?
      let stackFrames = index.sourceFrames(of: stack)
      if let place = owners.place(of: stackFrames.lazy.map { index.stacks.frames[$0] }) {
        let frame = stackFrames[place]
        let known = own[index.stacks.function(ofFrame: frame)] ?? (0, -1, frame)
        own[index.stacks.function(ofFrame: frame)] = (
          known.samples &+ samples, max(known.most, samples),
          samples > known.most ? frame : known.frame
        )
      }
      for frame in stackFrames where path != 0 {
        if interpreted == nil, index.stacks.frames[frame].isInterpreted {
          interpreted = paths.item(of: path)
        }
        if frames[path] < 0 { frames[path] = frame }
        sums[path] &+= samples
        path = paths.caller(of: path)
      }
      source[interpreted ?? function, default: 0] &+= samples
    }
    hottest = own.max { ($0.value.samples, $1.key) < ($1.value.samples, $0.key) }.map { _, best in
      Place(
        frame: index.stacks.frames[best.frame], share: Double(best.samples) / Double(total))
    }
    guard total >= Self.leastSamples else { return }
    let limit = Double(total) * Self.loopShare
    guard var held = sums.lastIndex(where: { Double($0) >= limit }), frames[held] >= 0 else {
      return
    }
    let around = sequence(first: held) { paths.caller(of: $0) }.prefix {
      $0 != 0 && frames[$0] >= 0
    }
    if let place = owners.place(of: around.lazy.map { index.stacks.frames[frames[$0]] }) {
      held = around[place]
    }
    let frame = index.stacks.frames[frames[held]]
    let inside = source.values.sorted(by: >).prefix(3).reduce(0, &+)
    let isNarrow = Double(inside) >= Double(total) * 0.8
    let isRoot = IdleNames.role(of: frame.line.function) == .root || frame.line.function == "main"
    let itself = source[paths.item(of: held)] ?? 0
    // A program's main function holds all it does: that says nothing, unless it does it itself.
    guard isNarrow, !isRoot || itself >= total / 2 else { return }
    loop = Place(frame: frame, share: Double(sums[held]) / Double(total))
  }
}

extension Activity {
  /// Whether the thread runs, or would with a CPU.
  fileprivate var isOnCPU: Bool {
    switch self {
    case .running, .waitingForCPU: true
    case .blocked, .uninterruptible, .stopped, .unknown: false
    }
  }
}
