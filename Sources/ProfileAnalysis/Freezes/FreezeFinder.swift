internal import ProfileModel

/// Finds the freezes of threads, in a whole capture or in a part of one.
///
/// Make one for a profile and ask it for one thread after the other: what stacks mean is found once.
package struct FreezeFinder {
  private let index: ProfileIndex
  private let rule: FreezeRule
  private var moments: LoopMoments
  /// The length of a tick's period, in nanoseconds.
  private let period: Int64

  /// A finder for a profile whose runs are in the order of time and tell of sleeps between samples.
  package init(_ index: ProfileIndex, _ rule: FreezeRule = FreezeRule()) {
    self.index = index
    self.rule = rule
    moments = LoopMoments(index)
    let rate = index.profile.capture.rate
    period = rate >= 1 && rate.isFinite ? Int64(1e9 / rate) : 10_000_000
  }

  /// How a thread responded; nil for one of which nothing can be said.
  package mutating func responses(of thread: Int) -> ThreadResponses? {
    guard index.profile.capture.knowsUnseenSleeps, index.profile.capture.kind.hasTimes else {
      return nil
    }
    let sampled = sampledResponses(of: thread)
    let recorded = recordedFreezes(of: thread)
    guard !recorded.isEmpty else { return sampled }
    var responses = sampled ?? ThreadResponses(thread: thread)
    responses.take(recorded)
    return responses
  }

  /// The same by the samples alone.
  private mutating func sampledResponses(of thread: Int) -> ThreadResponses? {
    guard moments.hasLoop(thread) else { return waits(of: thread) }
    var responses = ThreadResponses(thread: thread)
    let stretches = stretches(of: thread, &responses)
    guard responses.loop != nil else { return waits(of: thread) }
    var trial = HandlerTrial(
      index, thread: thread, period: period, threshold: rule.threshold, rests: responses.restSamples
    )
    for stretch in stretches.all where stretch.length >= rule.threshold {
      // One that was never seen to return may be a loop that has more to do than it can.
      let isKnown = responses.hasReturned || stretch.isOneWait
      let isCalledAgain = stretch.handler.map { stretches.calledAgain.contains($0) } ?? false
      let found =
        isKnown ? trial.handlers(in: stretch, isCalledAgain: isCalledAgain) : []
      responses.freezes += found.map { freeze($0, thread, responses.loop) }
      guard found.isEmpty else { continue }
      var unclear = freeze(stretch, thread, responses.loop)
      unclear.isUnclear = true
      responses.unclear.append(unclear)
    }
    return responses
  }

  /// The stretches of a thread away from its loop, each of one handler as far as its samples show.
  private struct Stretches {
    var all: [HandlerStretch] = []
    /// The handlers that the loop was seen to call again at once, without a rest.
    var calledAgain: Set<LoopMoments.Handler> = []
  }

  private mutating func stretches(
    of thread: Int, _ responses: inout ThreadResponses
  ) -> Stretches {
    let isMain = index.profile.threads[thread].isMain
    var result = Stretches()
    /// The handler that has returned to the loop, while that calls no other.
    var returned: LoopMoments.Handler?
    var open: HandlerStretch?
    var isRested = false
    var rests = RestTimes()
    func close() {
      if let stretch = open { result.all.append(stretch) }
      open = nil
    }
    for run in index.runs(of: thread) where run.weight.wall > 0 {
      let moment = moments.moment(of: run, isMain: isMain)
      switch moment {
      case .rest, .loop, .outside:
        if responses.loop == nil, moment != .outside {
          responses.loop = moments.loop(of: run.stack)
        }
        isRested = moment == .rest
        responses.hasReturned = responses.hasReturned || moment != .outside
        returned =
          moment == .loop && run.unseenSleeps.isEmpty ? open?.handler ?? returned : nil
        close()
        if isRested { responses.restSamples &+= max(0, run.weight.samples) }
        if isRested { rests.rest(run) } else { rests.pass(run, isKnown: moment == .loop) }
        if isStarved(run, moment) { open = HandlerStretch(run, handler: nil) }
      case .handler(let handler):
        rests.pass(run, isKnown: true)
        if let handler, responses.loop == nil { responses.loop = handler.loop }
        let entry = moments.entry(of: run.stack)
        if open?.add(run, handler: handler, entry: entry, period: period) ?? false { continue }
        close()
        if let returned, returned == handler, run.unseenSleeps.isEmpty {
          result.calledAgain.insert(returned)
        }
        returned = nil
        open = HandlerStretch(run, handler: handler, entry: entry)
      }
    }
    close()
    responses.betweenRests = rests.lengths
    return result
  }

  /// Whether a thread had returned to its loop, or been woken there, and got no CPU for so long that it
  /// did not respond.
  private func isStarved(_ run: Run, _ moment: LoopMoments.Moment) -> Bool {
    moment == .loop && run.activity == .waitingForCPU && run.weight.wall >= rule.threshold
      && run.weight.cpu < run.weight.wall / 10 && run.weight.samples > run.weight.ticks / 2
  }

  private mutating func freeze(
    _ stretch: HandlerStretch, _ thread: Int, _ loop: EventLoop?, start: Int64? = nil,
    length: Int64? = nil
  ) -> Freeze {
    var freeze = Freeze(
      thread: thread, start: start ?? stretch.start, length: length ?? stretch.length)
    freeze.loop = stretch.handler?.loop ?? loop
    freeze.samples = stretch.samples
    let causes = FreezeCauses(index)
    causes.explain(&freeze, stretch.runs, &moments)
    if let handler = stretch.handler {
      let heaviest = moments.frame(of: handler, in: freeze.stack)
      freeze.handler =
        heaviest
        ?? stretch.runs.lazy.compactMap { [moments] in moments.frame(of: handler, in: $0.stack) }
        .first
    }
    note(ends: &freeze)
    return freeze
  }

  /// Marks a freeze that reaches over the first or the last sample.
  private func note(ends freeze: inout Freeze) {
    let info = index.profile.threads[freeze.thread]
    freeze.beganBefore = freeze.start <= info.firstSeen && isOld(info)
    freeze.goesOn = !info.hasEnded && freeze.stop >= info.lastSeen &- period / 2
  }

  /// Whether the thread was there before the capture, or before the part that is shown.
  private func isOld(_ info: ThreadInfo) -> Bool {
    info.firstSeen > 0 || index.profile.capture.kind != .run
  }
}

// MARK: - Freezes that a flight recorder has seen

extension FreezeFinder {
  /// The freezes for which the capture was kept, with the lengths that the recorder has measured: before half of
  /// its threshold a thread has few samples, and while it runs no stacks.
  private mutating func recordedFreezes(of thread: Int) -> [Freeze] {
    let profile = index.profile
    let info = profile.threads[thread]
    // Of threads with one number the last is meant.
    guard info.process == nil,
      profile.threads.lastIndex(where: { $0.tid == info.tid && $0.process == nil }) == thread
    else { return [] }
    return profile.capture.freezes.filter { $0.tid == info.tid && $0.length > 0 }
      .compactMap { freeze($0, thread) }.sorted { $0.start < $1.start }
  }

  private mutating func freeze(_ recorded: RecordedFreeze, _ thread: Int) -> Freeze? {
    let runs = index.runs(of: thread).compactMap { run in
      run.weight.wall > 0 ? run.part(from: recorded.start, to: recorded.end) : nil
    }
    let isMain = index.profile.threads[thread].isMain
    var handlers = Tally<LoopMoments.Handler>()
    for run in runs {
      guard case .handler(let handler?) = moments.moment(of: run, isMain: isMain) else { continue }
      handlers.add(run.weight, to: handler)
    }
    let handler = handlers.heaviest?.key
    guard let stretch = HandlerStretch(runs[...], handler: handler) else { return nil }
    var loop: EventLoop?
    for run in runs where loop == nil { loop = moments.loop(of: run.stack) }
    var freeze = freeze(stretch, thread, loop, start: recorded.start, length: recorded.length)
    freeze.isUnclear = loop != nil && stretch.isManySleeps(threshold: rule.threshold)
    freeze.beganBefore = recorded.beganBefore
    freeze.goesOn = !recorded.isOver
    return freeze
  }
}

// MARK: - Threads without a loop

extension FreezeFinder {
  /// The long waits of a main thread without an event loop, or of a chosen one.
  private mutating func waits(of thread: Int) -> ThreadResponses? {
    let info = index.profile.threads[thread]
    let isJudged = rule.chosen.map { $0.matches(info) } ?? index.profile.isMainThread(thread)
    guard isJudged else { return nil }
    var responses = ThreadResponses(thread: thread)
    let limit = max(rule.threshold, VerdictMaker.hangTime)
    for run in index.runs(of: thread)
    where run.weight.wall >= limit && !run.unseenSleeps.contains(.within) && !run.hasManyWaits
      && isHeld(run, info)
    {
      var freeze = Freeze(thread: thread, start: run.start, length: run.weight.wall)
      freeze.samples = run.weight.samples
      let causes = FreezeCauses(index)
      causes.explain(&freeze, [run], &moments)
      note(ends: &freeze)
      responses.freezes.append(freeze)
    }
    return responses
  }

  /// Whether the thread does not go on, and not because that is its normal business.
  private mutating func isHeld(_ run: Run, _ info: ThreadInfo) -> Bool {
    switch run.activity {
    case .stopped: return true
    case .waitingForCPU: return run.weight.cpu < run.weight.wall / 10
    case .running, .unknown: return false
    case .blocked, .uninterruptible: break
    }
    guard moments.idleness(of: run, isMain: info.isMain) == nil, let wait = moments.wait(of: run)
    else { return false }
    return wait.kind.isNeeded && run.weight.cpu < run.weight.wall / 100
  }
}

extension WaitKind {
  /// Whether a thread that waits so is held up wherever it does, and not only within a handler.
  fileprivate var isNeeded: Bool {
    switch self {
    case .mutex, .readLock, .writeLock, .onceInitializer, .gil, .fileLock, .databaseLock, .connect,
      .write, .send, .disk, .pageFault:
      true
    default: false
    }
  }
}
