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
        thread.end()
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
    // Functions, and not closures in constants, which would be allocated for each stop.
    func copy(_ stopped: borrowing StoppedThread) {
      copyStopped(
        threads[stopped.stop.tag], stopped.registers, time: time, mayComeAgain: mayComeAgain)
    }
    func ended(_ stop: StoppedThreads.Stop) { noteEndInStop(of: threads[stop.tag]) }
    func resumed(_ stop: StoppedThreads.Stop, _ now: MonotonicClock.Instant) {
      pauses.add(pause: now - stop.requested)
      lastResumption = now
    }
    if options.stopAll {
      interrupted.forAllStoppedTogether(copy, ended: ended, resumed: resumed)
    } else {
      interrupted.forEachStopped(copy, ended: ended, resumed: resumed)
    }
    pauses.add(held: lastResumption - begin)
  }

  private func noteEndInStop(of thread: SampledThread) {
    let state = counters(of: thread) == nil ? nil : thread.files.state()
    guard let state else { return thread.end() }
    if state.hasEnded { noteEnd(of: thread, interval: Weight()) }
  }

  /// Runs while the thread is stopped: copies and nothing else.
  private func copyStopped(
    _ thread: SampledThread, _ registers: Registers, time: Nanoseconds, mayComeAgain: Bool
  ) {
    let range = copyRange(of: thread, stackPointer: registers.stackPointer)
    thread.stack.copySize = range.count
    guard case .made(let before) = thread.stopRequest, let counters = before.counters,
      let place = ring.reserve(range.count)
    else {
      cost.samplesDropped += 1
      return
    }
    beginCopy(of: thread, range, into: place.bytes)
    guard
      let runtimeNumber = copyFrames(
        thread, at: registers, mayComeAgain: mayComeAgain)
    else {
      // What the sample stands for is carried until it is done.
      thread.linking = .inTransit(switches: counters.switches)
      return
    }
    let count = stackRead.finish()
    let record = place.record
    record.pointee.runtimeNumber = runtimeNumber
    thread.fill(
      record, interval: Weight(), counters: counters, isAsleep: false, mapsSerial: mappings.serial)
    record.pointee.time = time
    record.pointee.registers = registers
    note(range, count: count, of: thread, in: record)
    describe(thread, before, in: record)
    place.commit()
    thread.stopRequest = .none
  }

  /// Copies the interpreted frames of a stopped thread; nil where they are being linked, and another stop
  /// may find them whole.
  private func copyFrames(
    _ thread: SampledThread, at registers: Registers, mayComeAgain: Bool
  ) -> UInt64? {
    guard let prepared = thread.preparedFrames.take() else { return 0 }
    let mayWait = mayComeAgain && !thread.isAlwaysInTransit
    if mayWait, prepared.isInTransit(at: registers.instructionPointer) { return nil }
    guard let copied = copyFrames(prepared, at: registers, isAsleep: false) else { return 0 }
    let isInTransit = copied.isInTransit
    if isInTransit, mayWait { return nil }
    thread.linking = isInTransit ? .always : .whole
    return keep(copied, of: thread.tid)
  }

  /// Copies the interpreted frames of a thread that cannot run, together with its native stack.
  func copyFrames(
    _ prepared: consuming PreparedRuntimeSample?, at registers: Registers, isAsleep: Bool
  ) -> CopiedRuntimeSample? {
    guard let runtimes, let prepared else { return nil }
    return runtimes.copy(prepared, at: registers, from: stackRead, isAsleep: isAsleep)
  }

  /// Keeps copied frames until the threads run; gives the number of their stack, 0 for none.
  func keep(_ copied: consuming CopiedRuntimeSample?, of tid: Int32) -> UInt64 {
    guard let runtimes, let copied else { return 0 }
    return runtimes.keep(copied, of: tid)
  }

  /// Writes what the thread did when it was asked to stop.
  private func describe(
    _ thread: SampledThread, _ before: SampledThread.BeforeStop,
    in record: UnsafeMutablePointer<SampleRecord>
  ) {
    record.pointee.state = before.state
    guard case .asleep(let number, let arguments, _, _) = before.call else {
      record.pointee.isRunning = before.state == .running
      return
    }
    record.pointee.systemCall = number
    record.pointee.arguments = arguments
    record.pointee.awaitsLock = runtimes?.noteLockWait(thread.tid, number, arguments) ?? false
  }
}

extension SampledThread {
  fileprivate var isInTransit: Bool { if case .inTransit = linking { true } else { false } }
  fileprivate var isAlwaysInTransit: Bool { if case .always = linking { true } else { false } }
}
