internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

// MARK: - Stops

extension Sampler {
  /// Stops the threads that were taken hold of, copies, and lets them go.
  func stopRunningThreads(time: Int64) {
    guard stops.hasRequests else { return }
    // The copies of threads that sleep may just have filled it.
    waitForRoom(min(stops.requestCount * (256 << 10), ring.byteCapacity / 4))
    stopRequested(time: time, mayComeAgain: !plan.stopAll)
    runtimes?.finish(from: memory)
    for number in 1...Self.triesInTransit where watches.contains(where: { $0.transit != nil }) {
      let isLast = number == Self.triesInTransit
      let isPatient = number <= Self.patientTries
      MonotonicClock.sleep(until: MonotonicClock.now() + Self.transitPause << (number - 1))
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
  private static let transitPause: Int64 = 30_000

  /// Looks again at threads whose frames were being linked; false when none was taken hold of.
  ///
  /// One that has had no CPU since would be found where it was. Where that lasts, a stop helps it: the
  /// kernel soon runs what was woken.
  private func resampleTransit(time: Int64, isPatient: Bool) -> Bool {
    for (index, watch) in watches.enumerated() {
      guard let transit = watch.transit else { continue }
      guard let counters = counters(of: watch) else {
        watch.transit = nil
        watch.hasEnded = true
        continue
      }
      let hasRun = !usesSchedulerStatistics || counters.switches != transit
      guard hasRun || !isPatient else { continue }
      watch.transit = nil
      sample(
        watch, index: index, time: time, interval: Weight(), counters: counters,
        wantsRegisters: false)
    }
    return stops.hasRequests
  }

  private func stopRequested(time: Int64, mayComeAgain: Bool) {
    ring.warm(stops.requestCount)
    let begin = MonotonicClock.now()
    stops.interruptAll()
    lastRelease = begin
    // Functions, and not closures in constants, which would be allocated for each stop.
    func body(_ stop: StoppedThreads.Stop, _ registers: Registers?) {
      copyStopped(watches[stop.tag], registers, time: time, mayComeAgain: mayComeAgain)
    }
    func released(_ stop: StoppedThreads.Stop, _ now: Int64) {
      pauses.add(pause: now - stop.requested)
      lastRelease = now
    }
    if plan.stopAll {
      stops.forAllStoppedTogether(body, released: released)
    } else {
      stops.forEachStopped(body, released: released)
    }
    pauses.add(held: lastRelease - begin)
  }

  /// Runs while the thread is stopped: copies and nothing else.
  private func copyStopped(
    _ watch: SampledThread, _ registers: Registers?, time: Int64, mayComeAgain: Bool
  ) {
    guard let registers else {
      let state = counters(of: watch) == nil ? nil : watch.files.state()
      watch.hasEnded = state == nil
      if state == UInt8(ascii: "Z") { noteZombie(watch, interval: Weight()) }
      return
    }
    let range = copyRange(of: watch, stackPointer: registers.stackPointer.rawValue)
    watch.copySize = range.count
    guard let counters = watch.countersBeforeStop, let (record, bytes) = ring.reserve(range.count)
    else {
      countDroppedSample()
      return
    }
    beginCopy(of: watch, range, into: bytes)
    guard
      let runtimeNumber = copyFrames(
        watch, at: registers, mayComeAgain: mayComeAgain)
    else {
      // What the sample stands for is carried until it is done.
      watch.transit = counters.switches
      return
    }
    let count = stackRead.finish()
    record.pointee.runtimeNumber = runtimeNumber
    watch.fill(record, interval: Weight(), counters: counters, mapsSerial: mapsSerial)
    record.pointee.time = time
    record.pointee.registers = registers
    record.pointee.stackStart = range.lowerBound
    record.pointee.byteCount = count
    record.pointee.reachesEnd =
      count == range.count && range.upperBound >= watch.stackRange.upperBound
    describe(watch, in: record)
    ring.commit()
  }

  /// Copies the interpreted frames of a stopped thread; nil where they are being linked, and another stop
  /// may find them whole.
  private func copyFrames(
    _ watch: SampledThread, at registers: Registers, mayComeAgain: Bool
  ) -> UInt64? {
    guard let prepared = watch.preparedFrames.take() else { return 0 }
    let mayWait = mayComeAgain && !watch.isAlwaysInTransit
    if mayWait, prepared.isInTransit(at: registers.instructionPointer) { return nil }
    guard let copied = copyFrames(prepared, at: registers, isAsleep: false) else { return 0 }
    let isInTransit = copied.isInTransit
    if isInTransit, mayWait { return nil }
    watch.isAlwaysInTransit = isInTransit
    return keep(copied, of: watch.tid)
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

  /// Tells what the thread did when it was asked to stop.
  private func describe(_ watch: SampledThread, in record: UnsafeMutablePointer<SampleRecord>) {
    record.pointee.state = watch.stateBeforeStop
    guard case .asleep(let number, let arguments, _, _) = watch.callBeforeStop else {
      record.pointee.isRunning = watch.stateBeforeStop == UInt8(ascii: "R")
      return
    }
    record.pointee.systemCall = number
    record.pointee.arguments = arguments
    record.pointee.awaitsLock = runtimes?.noteLockWait(watch.tid, number, arguments) ?? false
  }
}
