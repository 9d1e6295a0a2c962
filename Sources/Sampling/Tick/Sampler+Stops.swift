internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

// MARK: - Stops

extension Sampler {
  /// Stops the threads that were seized, copies, and resumes them.
  func stopRunningThreads(time: Nanoseconds) {
    guard stops.hasRequests else { return }
    // The copies of threads that sleep may just have filled it.
    waitForRoom(min(stops.requestCount * (256 << 10), ring.byteCapacity / 4))
    stopRequested(time: time, mayComeAgain: !options.stopAll)
    runtimes?.finish(from: memory)
    for number in 1...Self.triesInTransit where threads.contains(where: \.isInTransit) {
      let isLast = number == Self.triesInTransit
      let isPatient = number <= Self.patientTries
      MonotonicClock.sleep(for: Self.transitPause * (1 << Int64(number - 1)))
      guard resampleTransit(time: time, isPatient: isPatient) else { continue }
      stopRequested(time: time, mayComeAgain: !isLast)
      runtimes?.finish(from: memory)
    }
  }

  /// How often a thread is stopped again, at most, whose interpreted frames are just being linked.
  private static let triesInTransit = 8
  /// How many of these leave alone a thread that has had no CPU since.
  private static let patientTries = 3
  /// The pause before the first of these; each is twice as long as the last: 8 ms in all.
  ///
  /// The thread leaves the place within nanoseconds, once it gets a CPU.
  private static let transitPause = Nanoseconds.microseconds(30)

  /// Samples again threads whose frames were being linked; false when none was seized.
  ///
  /// One that has had no CPU since would be found where it was. Where that lasts, a stop helps it: the
  /// kernel soon runs what was woken.
  private func resampleTransit(time: Nanoseconds, isPatient: Bool) -> Bool {
    for (index, thread) in threads.enumerated() {
      guard case .inTransit(let switches) = thread.linking else { continue }
      guard let counters = counters(of: thread) else {
        thread.linking = .whole
        endIfGone(thread)
        continue
      }
      let hasRun = !usesSchedulerStatistics || counters.switches != switches
      guard hasRun || !isPatient else { continue }
      thread.linking = .whole
      sample(
        thread, index: index, time: time, interval: Weight(), counters: counters,
        wantsRegisters: false)
    }
    return stops.hasRequests
  }

  private func stopRequested(time: Nanoseconds, mayComeAgain: Bool) {
    ring.warm(stops.requestCount)
    let begin = MonotonicClock.now()
    let interrupted = stops.interruptAll()
    lastResumption = begin
    var heldSince: MonotonicClock.Instant?
    // Functions, and not closures in constants, which would be allocated for each stop.
    func copy(_ stopped: borrowing StoppedThread) {
      let thread = threads[stopped.stop.tag]
      copyStopped(
        thread, stopped.registers, stopped.call, time: time, awaited: stopped.stop.awaited,
        mayComeAgain: mayComeAgain)
      let start = thread.stopStart.time(requested: stopped.stop.requested)
      heldSince = min(heldSince ?? start, start)
    }
    func ended(_ stop: StoppedThreads.Stop) { noteEndInStop(of: threads[stop.tag]) }
    func resumed(_ stop: StoppedThreads.Stop, _ now: MonotonicClock.Instant) {
      let thread = threads[stop.tag]
      pauses.add(pause: now - thread.stopStart.time(requested: stop.requested))
      pauses.add(held: now - max(heldSince ?? stop.requested, lastResumption))
      // Of several that stop together all are held until the last copy.
      if !options.stopAll { heldSince = nil }
      lastResumption = now
      thread.gap.begin(at: now)
    }
    if options.stopAll {
      interrupted.forAllStoppedTogether(copy, ended: ended, resumed: resumed)
    } else {
      interrupted.forEachStopped(copy, ended: ended, resumed: resumed)
    }
  }

  /// Copies and resumes the threads that stopped too late for their tick: of one that waits long for a
  /// CPU there may be no other sample.
  func releaseOverdue() {
    guard !stops.isEmpty else { return }
    func thread(of stop: StoppedThreads.Stop) -> SampledThread? {
      threads.first { $0.tid == stop.tid && $0.isAlive }
    }
    func copy(_ stopped: borrowing StoppedThread) {
      guard let thread = thread(of: stopped.stop) else { return }
      copyStopped(
        thread, stopped.registers, stopped.call, time: thread.account.lastTime,
        awaited: .distantPast, mayComeAgain: false, late: counters(of: thread))
    }
    func resumed(_ stop: StoppedThreads.Stop, _ now: MonotonicClock.Instant) {
      let start = thread(of: stop)?.stopStart.time(requested: stop.requested) ?? stop.requested
      pauses.add(pause: now - start)
      pauses.add(held: now - start)
    }
    func ended(_ stop: StoppedThreads.Stop) { thread(of: stop).map(noteEndInStop) }
    stops.releaseOverdue(copy, ended: ended, resumed: resumed)
    runtimes?.finish(from: memory)
  }

  /// Notes what has become of a thread that could not be stopped.
  func noteEndInStop(of thread: SampledThread) {
    let state = counters(of: thread) == nil ? nil : thread.files.state()
    guard let state else { return endIfGone(thread) }
    if state.hasEnded { noteEnd(of: thread, interval: Weight()) }
  }

  /// Runs while the thread is stopped: copies and nothing else.
  ///
  /// `awaited` is when it had not yet stopped. `late` are its counters now, where it has waited long for the CPU
  /// in which it stopped.
  private func copyStopped(
    _ thread: SampledThread, _ registers: Registers, _ call: StoppedThread.Call?,
    time: Nanoseconds, awaited: MonotonicClock.Instant, mayComeAgain: Bool,
    late: ThreadCounters? = nil
  ) {
    defer { thread.gap.noteStop() }
    thread.noteStop(at: MonotonicClock.now())
    let hasRuntime = thread.preparedFrames != nil
    let range = copyRange(of: thread, stackPointer: registers.stackPointer, hasRuntime: hasRuntime)
    thread.stack.copySize = range.count
    guard case .made(var before) = thread.stopRequest, let earlier = before.counters,
      case let other = otherRange(of: thread),
      let place = ring.reserve(range.count + other.count)
    else {
      cost.samplesDropped += 1
      return
    }
    beginCopy(of: thread, range, into: place.bytes)
    guard let runtimeNumber = copyFrames(thread, at: registers, mayComeAgain: mayComeAgain) else {
      // What the sample stands for is carried until it is done.
      thread.linking = .inTransit(switches: earlier.switches)
      return
    }
    let count = stackRead.finish()
    let otherCount = copy(other, of: thread, to: place.bytes + count)
    let counters = late ?? countersInStop(of: thread, earlier: earlier)
    thread.stopStart.delay = counters.delay - earlier.delay
    let record = place.record
    record.pointee.runtimeNumber = runtimeNumber
    thread.fill(
      record, interval: Weight(), counters: counters, isAsleep: false,
      mapsSerial: mappings.serial)
    record.pointee.time = time
    record.pointee.registers = registers
    if usesSchedulerStatistics, late == nil {
      if before.met == nil, let call,
        sleptUntilTick(in: call, before, to: counters, awaited: awaited)
      {
        before.met = MetSleep(in: call, isNew: thread.beganSleep(until: earlier))
      } else {
        record.pointee.isWaitingForCPU = wasWaiting(
          from: earlier, to: counters, tick: time, in: call)
      }
    }
    note(range, count: count, of: thread, in: record)
    note(other, count: otherCount, in: record)
    describe(thread, before, call, in: record)
    if let met = before.met { record.pointee.isNewSleep = met.isNew }
    if !record.pointee.isRunning { record.pointee.sleptUnseen = false }
    if series == .single || late != nil { noteDelay(from: earlier, to: counters, in: record) }
    place.commit()
    thread.stopRequest = .none
  }

  /// What the kernel counts of a thread in its stop: exact then, where it lags by up to 4 ms for one that
  /// runs (one read, 0.4 µs).
  private func countersInStop(
    of thread: SampledThread, earlier: ThreadCounters
  ) -> ThreadCounters {
    usesSchedulerStatistics ? thread.files.counters() ?? earlier : earlier
  }

  /// Whether a thread that was stopped had been waiting for a CPU when the tick began.
  ///
  /// It then had to get one to stop: the kernel counts that, and how long it had waited. A wait that began
  /// with the tick, or after it, is this thread's doing, which has taken the CPU from it, or another's.
  private func wasWaiting(
    from earlier: ThreadCounters, to counters: ThreadCounters, tick time: Nanoseconds,
    in call: StoppedThread.Call?
  ) -> Bool {
    guard counters.switches != earlier.switches else { return false }
    // At the latest: since it got the CPU it has stopped, and this thread has woken up.
    let began = now - (counters.delay - earlier.delay)
    // One that is about to leave a wait has most likely woken up since.
    guard let call, SystemCallNames.isWait(call.number) else {
      return began < time - Self.tolerance
    }
    return began < time - Self.wakingTime || began > time
  }

  /// Whether a thread that was stopped on its way out of a wait still slept when this one woke up for the tick,
  /// and has waited for a CPU since it woke up itself: for the one that this thread had taken.
  ///
  /// `awaited` is when it had not yet stopped. It got its CPU at the earliest by what it has run since before
  /// that, and had waited for it by then for as long as the kernel counts. What of the time since `before` was
  /// read is neither, it slept: then it may have run at the tick.
  private func sleptUntilTick(
    in call: StoppedThread.Call, _ before: SampledThread.BeforeStop, to counters: ThreadCounters,
    awaited: MonotonicClock.Instant
  ) -> Bool {
    guard let awakeSince, let earlier = before.counters, counters.switches != earlier.switches,
      !call.wasInterrupted, SystemCallNames.isSleep(call.number, call.arguments)
    else { return false }
    let awake = counters.cpu - earlier.cpu + counters.delay - earlier.delay
    return (awaited - awakeSince) + Self.wakingTime > awake
      && (awaited - before.time) < awake + Self.readingTime
  }

  /// About how long it takes to read a thread's counters and the clock.
  private static let readingTime = Nanoseconds.microseconds(5)
  /// About how long this thread takes from its waking up until it reads the clock.
  private static let wakingTime = Nanoseconds.microseconds(20)
  /// The longest that this takes, or the way from a thread's stop until its counters are read.
  private static let tolerance = Nanoseconds.microseconds(100)

  /// Of a single sample, or one that came late, only how long the stop took to come tells whether the
  /// thread had a CPU.
  private func noteDelay(
    from before: ThreadCounters, to now: ThreadCounters,
    in record: UnsafeMutablePointer<SampleRecord>
  ) {
    guard record.pointee.isRunning else { return }
    let delay = now.delay - before.delay
    record.pointee.isWaitingForCPU = delay > max(now.cpu - before.cpu, Self.shortDelay)
  }

  /// Each thread that can run gets a CPU within this time, unless there are many more of them than CPUs; some
  /// of it may go by while sprof itself uses them.
  private static let shortDelay = Nanoseconds.milliseconds(20)

  /// Copies the interpreted frames of a stopped thread; nil where they are being linked, and another stop
  /// may find them whole.
  private func copyFrames(
    _ thread: SampledThread, at registers: Registers, mayComeAgain: Bool
  ) -> UInt64? {
    guard let prepared = thread.preparedFrames.take() else { return 0 }
    let mayWait = mayComeAgain && !thread.isAlwaysInTransit
    if mayWait, prepared.isInTransit(at: registers.instructionPointer) { return nil }
    let place = ThreadPlace(registers, stack: thread.stack.range)
    guard let copied = copyFrames(prepared, at: place, isAsleep: false) else { return 0 }
    let isInTransit = copied.isInTransit
    if isInTransit, mayWait { return nil }
    thread.linking = isInTransit ? .always : .whole
    return keep(copied, of: thread.tid)
  }

  /// Copies the interpreted frames of a thread that cannot run, together with its native stack.
  func copyFrames(
    _ prepared: consuming PreparedRuntimeSample?, at place: ThreadPlace, isAsleep: Bool
  ) -> CopiedRuntimeSample? {
    guard let runtimes, let prepared else { return nil }
    return runtimes.copy(prepared, at: place, from: stackRead, isAsleep: isAsleep)
  }

  /// Keeps copied frames until the threads run; gives the number of their stack, 0 for none.
  func keep(_ copied: consuming CopiedRuntimeSample?, of tid: Int32) -> UInt64 {
    guard let runtimes, let copied else { return 0 }
    return runtimes.keep(copied, of: tid)
  }

  /// Writes what the thread did when the stop came: between the question before it and the stop it may
  /// have fallen asleep, or woken up.
  private func describe(
    _ thread: SampledThread, _ before: SampledThread.BeforeStop, _ call: StoppedThread.Call?,
    in record: UnsafeMutablePointer<SampleRecord>
  ) {
    if case .unavailable = before.call {
      record.pointee.state = before.state
      record.pointee.isRunning = before.state == .running
      return
    }
    if let met = before.met {
      let isStopped = before.state == .stopped
      if let slept = met.call(in: call) ?? (isStopped ? met.call : nil) {
        let state = isStopped ? before.state : met.state
        return note(sleepIn: slept.number, slept.arguments, state, of: thread, in: record)
      }
      noteWoken(thread, from: met, in: record)
    }
    guard let call, call.wasInterrupted else {
      record.pointee.state = .running
      record.pointee.isRunning = true
      runtimes?.noteAwake(thread.tid)
      return
    }
    note(sleepIn: call.number, call.arguments, .sleeping, of: thread, in: record)
    record.pointee.hasFallenAsleep = before.met == nil
  }

  private func noteWoken(
    _ thread: SampledThread, from sleep: MetSleep, in record: UnsafeMutablePointer<SampleRecord>
  ) {
    var sleep = sleep
    if let call = sleep.call {
      sleep.awaitsLock = runtimes?.noteLockWait(thread.tid, call.number, call.arguments) ?? false
    }
    record.pointee.wokenFrom = sleep
  }

  private func note(
    sleepIn number: Int32, _ arguments: InlineArray<6, UInt64>, _ state: ThreadState,
    of thread: SampledThread, in record: UnsafeMutablePointer<SampleRecord>
  ) {
    record.pointee.state = state
    record.pointee.systemCall = number
    record.pointee.arguments = arguments
    record.pointee.awaitsLock = runtimes?.noteLockWait(thread.tid, number, arguments) ?? false
  }
}

extension SampledThread {
  fileprivate var isInTransit: Bool { if case .inTransit = linking { true } else { false } }
  fileprivate var isAlwaysInTransit: Bool { if case .always = linking { true } else { false } }
}
