internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

// MARK: - Samples without a stop

extension Sampler {
  /// Counts a thread that has not run, copies the stack of one that sleeps, and seizes one that runs.
  func inspect(_ thread: SampledThread, index: Int, tick: Int64, time: Nanoseconds) {
    guard thread.isAlive else { return }
    if stops.isOverdue(thread.tid) {
      // The next sample counts for this tick, or, if there is none, the last.
      thread.account.carry(thread.account.takeInterval(until: tickEnd, tick: tick))
      return
    }
    let isUnreadable = missingStack(of: thread) != nil
    guard let counters = counters(of: thread) else { return endIfGone(thread) }
    if series.beginsAtFirstSample, !thread.wasSampled { thread.account.begin(at: counters) }
    let asked = takeRequests(of: thread)
    let interval = thread.account.takeInterval(until: tickEnd, tick: tick)
    if thread.wasAsleep, counters.switches == thread.counters.switches, asked == 0,
      !options.stopAll
    {
      thread.account.extend(by: interval)
      followWait(of: thread, interval)
      cost.samplesWithoutStop += 1
      return
    }
    if isUnreadable {
      sampleWithoutCall(thread, index: index, time: time, interval: interval, counters: counters)
      return
    }
    sample(
      thread, index: index, time: time, interval: interval, counters: counters,
      wantsRegisters: options.stopAll || asked & ThreadRequests.registers != 0)
  }

  /// What the resolver wants of a thread; registers, which take a stop, once that is allowed.
  private func takeRequests(of thread: SampledThread) -> UInt32 {
    let asked = requests.take(thread.slot) | thread.postponedRequest
    thread.postponedRequest = mayStop ? 0 : asked & ThreadRequests.registers
    return asked & ~thread.postponedRequest
  }

  /// Why a thread has no stack that could be read, in a stop or without one; nil for nearly all.
  private func missingStack(of thread: SampledThread) -> StackEnd.Reason? {
    thread.isKernelWorker ? .kernelWorker : mappings.areOf32Bits ? .unsupportedProgram : nil
  }

  /// Copies the stack of a thread that sleeps, or seizes it: where it runs, or registers are wanted that
  /// only a stop gives.
  ///
  /// What the thread did is what the first look shows. Where it wakes up before its stack is copied, a later look
  /// gives the stack alone: the shorter a sleep is, the seldomer would its copy succeed, and a thread of many
  /// short sleeps would seem to run.
  func sample(
    _ thread: SampledThread, index: Int, time: Nanoseconds, interval: Weight,
    counters: ThreadCounters, wantsRegisters: Bool
  ) {
    var counters = counters
    var met: MetSleep?
    // A thread that wakes up and sleeps again while it is sampled gets a few more tries.
    for attempt in 0..<5 {
      // Its state is that of one moment; the call is only shown of a thread that sleeps while it is read.
      let state = readState(of: thread)
      // For a moment the kernel still shows the call in which it has ended (task_current_syscall).
      if let state, state.hasEnded { return noteEnd(of: thread, interval: interval) }
      let call = state == .running ? .running : thread.files.systemCall()
      met = met ?? MetSleep(state, in: call, isNew: thread.beganSleep(until: counters))
      switch call {
      case .running:
        waitTrace?.noteAwake(thread)
        seizeRunning(thread, index: index, interval: interval, met: met)
        return
      case .asleep(let number, let arguments, let stackPointer, _):
        let state = state ?? .sleeping
        if wantsRegisters || attempt == 4, !thread.isRefused,
          mayInterrupt(state, call: number, arguments),
          seize(thread, index: index, call: call, state: state, interval: interval, met: met)
        {
          return
        }
        // Short waits for a disk: a stop comes when the next is over.
        if attempt == 4, state == .uninterruptible {
          return seizeRunning(thread, index: index, interval: interval, met: met)
        }
        makeStackKnown(stackPointer)
        guard missingStack(of: thread) == nil else {
          return sampleWithoutCall(
            thread, index: index, time: time, interval: interval, counters: counters)
        }
        thread.noteSwitches(counters, isAsleep: true)
        if copyAsleep(
          thread, call: call, state: state, time: time, interval: interval, counters: counters)
        {
          return
        }
        guard let again = self.counters(of: thread) else {
          return endIfGone(thread, leaving: interval)
        }
        counters = again
      case .unavailable:
        sampleWithoutCall(thread, index: index, time: time, interval: interval, counters: counters)
        return
      }
    }
    // It never held still and must not be interrupted.
    thread.skip(interval)
  }

  /// The state letter; at the first sample the name, too, which costs no more.
  private func readState(of thread: SampledThread) -> ThreadState? {
    guard !thread.wasSampled, let stat = thread.files.details() else { return thread.files.state() }
    thread.name = stat.name
    return stat.state
  }

  /// Copies a sleeping thread's stack.
  ///
  /// Returns false when the thread ran meanwhile.
  private func copyAsleep(
    _ thread: SampledThread, call: SystemCallState, state: ThreadState, time: Nanoseconds,
    interval: Weight, counters: ThreadCounters
  ) -> Bool {
    guard case .asleep(let number, let arguments, let stackPointer, let pc) = call else {
      return false
    }
    let hasRuntime = runtimes?.hasThread(thread.tid) ?? false
    let range = copyRange(of: thread, stackPointer: stackPointer, hasRuntime: hasRuntime)
    let other = otherRange(of: thread)
    waitForRoom(range.count + other.count)
    guard let place = ring.reserve(range.count + other.count) else {
      drop(thread, interval: interval)
      return true
    }
    let registers = Registers(stackPointer: stackPointer, instructionPointer: pc)
    let prepared = runtimes?.prepare(thread.tid)
    let isOfRuntime = prepared != nil
    beginCopy(of: thread, range, into: place.bytes)
    let threadPlace = ThreadPlace(registers, stack: thread.stack.range)
    let copied = copyFrames(prepared, at: threadPlace, isAsleep: true)
    let count = stackRead.finish()
    let otherCount = copy(other, of: thread, to: place.bytes + count)
    let awaitsLock = isOfRuntime && runtimes?.noteLockWait(thread.tid, number, arguments) ?? false
    noteWait(
      of: thread, number, arguments, switches: counters.switches, awaitsLock: awaitsLock)
    // Unchanged: it has not run since before its system call was read, so all belongs together.
    guard self.counters(of: thread)?.switches == counters.switches else { return false }
    // It may have ended since its state was read, while the call was.
    if count == 0, thread.files.state()?.hasEnded ?? false {
      noteEnd(of: thread, interval: interval)
      return true
    }
    let record = place.record
    let runtimeNumber = keep(copied, of: thread.tid)
    record.pointee.note(runtimeNumber, awaitsLock: awaitsLock)
    thread.fill(
      record, interval: interval, counters: counters, isAsleep: true, mapsSerial: mappings.serial)
    (record.pointee.time, record.pointee.state) = (time, state)
    record.pointee.name = thread.name.take()
    (record.pointee.systemCall, record.pointee.arguments) = (number, arguments)
    record.pointee.toleratesStop =
      !thread.isRefused && toleratesStop(thread, state, number, arguments)
    record.pointee.registers = registers
    note(range, count: count, of: thread, in: record)
    note(other, count: otherCount, in: record)
    extendWait(of: thread, by: record.pointee.weight.wall)
    place.commit()
    runtimes?.finishMany(from: memory)
    cost.samplesWithoutStop += 1
    return true
  }

  /// The kernel does not show where the thread is: it has ended, has no user stack, or the kernel
  /// lacks the file.
  private func sampleWithoutCall(
    _ thread: SampledThread, index: Int, time: Nanoseconds, interval: Weight,
    counters: ThreadCounters
  ) {
    guard let state = thread.files.state() else { return endIfGone(thread, leaving: interval) }
    if state.hasEnded { return noteEnd(of: thread, interval: interval) }
    let mayRun = state == .running || !SystemCallState.isShownByKernel
    guard mayRun, state != .uninterruptible, missingStack(of: thread) == nil else {
      recordWithoutStack(thread, state: state, time: time, interval: interval, counters: counters)
      return
    }
    if !seize(thread, index: index, call: .unavailable, state: state, interval: interval) {
      recordRefused(thread, interval: interval)
    }
  }

  func recordWithoutStack(
    _ thread: SampledThread, state: ThreadState, time: Nanoseconds, interval: Weight,
    counters: ThreadCounters
  ) {
    waitForRoom(0)
    guard let place = ring.reserve(0) else { return drop(thread, interval: interval) }
    let isRunning = state == .running
    thread.fill(
      place.record, interval: interval, counters: counters, isAsleep: !isRunning,
      mapsSerial: mappings.serial)
    place.record.pointee.time = time
    place.record.pointee.state = state
    place.record.pointee.isRunning = isRunning
    place.record.pointee.missing = missingStack(of: thread)
    place.commit()
    cost.samplesWithoutStop += 1
  }

  /// Records a thread without a stack that was asked to stop and got no CPU in which to do so.
  func recordWithoutCPU(_ thread: SampledThread) {
    guard let counters = counters(of: thread), let place = ring.reserve(0) else { return }
    unsampled += 1
    thread.fill(
      place.record, interval: Weight(), counters: counters, isAsleep: false,
      mapsSerial: mappings.serial)
    place.record.pointee.time = thread.account.lastTime
    place.record.pointee.state = .running
    place.record.pointee.isRunning = true
    place.record.pointee.isWaitingForCPU = true
    // The kernel counts a delay when it is over.
    let weight = place.record.pointee.weight
    place.record.pointee.weight.delay = max(weight.delay, weight.wall - weight.cpu)
    place.commit()
  }

  private func drop(_ thread: SampledThread, interval: Weight) {
    thread.skip(interval)
    cost.samplesDropped += 1
  }
}

// MARK: - What to copy

extension Sampler {
  /// The stack bytes to copy.
  ///
  /// From a little below the stack pointer to the end of its mapping, or to the limit, which is lower
  /// where few callers are wanted: of a thread without interpreted frames none, and nothing, if none
  /// are. Allocates nothing.
  func copyRange(
    of thread: SampledThread, stackPointer: RemoteAddress, hasRuntime: Bool
  ) -> MemoryRange {
    if !thread.stack.range.contains(stackPointer) {
      thread.stack.range =
        mappings.range(containing: stackPointer)
        ?? RemoteAddress(0)..<RemoteAddress(0)
      thread.stack.hasMoved = thread.isMain
    }
    let range = thread.stack.range
    // Below the stack pointer are the red zone (128 bytes, System V ABI) and, in an epilogue, the
    // registers that were just popped.
    let lowest = stackPointer.rawValue - min(stackPointer.rawValue, 512)
    let start = RemoteAddress(max(lowest, range.lowerBound.rawValue) & ~7)
    let wanted = requests.copyLimit(thread.slot)
    let limit = min(
      wanted > 0 ? wanted : options.firstCopy(hasRuntime: hasRuntime), options.stackLimit)
    guard range.contains(stackPointer) else {
      mappings.areStale = true
      let isAtTop = start.rawValue > .max - 65536
      return MemoryRange(start: start, count: isAtTop ? 0 : min(limit, 65536))
    }
    return MemoryRange(
      start: start, count: min(limit, Int(clamping: range.upperBound.distance(from: start))))
  }

  /// What to copy of the stack that the thread was on when a signal came; nothing for nearly all.
  func otherRange(of thread: SampledThread) -> MemoryRange {
    guard let address = requests.otherStack(thread.slot),
      let mapping = mappings.range(containing: address)
    else { return MemoryRange(start: RemoteAddress(0), count: 0) }
    // A handler that is called again may find the thread a little further in.
    let lowest = address.rawValue - min(address.rawValue, 4096)
    let start = RemoteAddress(max(lowest, mapping.lowerBound.rawValue) & ~7)
    return MemoryRange(
      start: start,
      count: min(Int(clamping: mapping.upperBound.distance(from: start)), options.stackLimit))
  }

  /// Copies a piece of another stack; returns the bytes that were read.
  func copy(
    _ range: MemoryRange, of thread: SampledThread, to place: UnsafeMutableRawPointer
  ) -> Int {
    guard range.count > 0 else { return 0 }
    return max(
      0,
      ProcessMemory(tid: thread.tid).read(
        at: range.start, into: UnsafeMutableRawBufferPointer(start: place, count: range.count)))
  }

  /// Notes that the first `count` bytes of another stack were copied behind those of its own.
  func note(_ other: MemoryRange, count: Int, in record: UnsafeMutablePointer<SampleRecord>) {
    record.pointee.byteCount += count
    record.pointee.otherCount = count
    record.pointee.otherStart = other.start
  }

  /// Begins to copy a stack: the native one comes along with what the language's runtime reads first.
  func beginCopy(
    of thread: SampledThread, _ range: MemoryRange, into bytes: UnsafeMutableRawPointer
  ) {
    stackRead.begin(
      ProcessMemory(tid: thread.tid), at: range.start,
      into: UnsafeMutableRawBufferPointer(start: bytes, count: range.count),
      loader: mappings.loader)
  }

  /// Notes that the first `count` bytes of `range` were copied.
  func note(
    _ range: MemoryRange, count: Int, of thread: SampledThread,
    in record: UnsafeMutablePointer<SampleRecord>
  ) {
    if count > 0 || range.count == 0 {
      record.pointee.libraries = stackRead.libraries
      let serial = mappings.serial(atLoads: stackRead.libraries?.loads)
      record.pointee.mapsSerial = max(record.pointee.mapsSerial, serial)
      if mappings.isAwaited { record.pointee.settlement = channel.spaces.settlement + 1 }
    }
    record.pointee.stackStart = range.start
    record.pointee.byteCount = count
    record.pointee.reachesEnd =
      count == range.count && range.end >= thread.stack.range.upperBound
  }
}

extension SampleRecord {
  /// Notes its interpreted frames, 0 for none, and whether its thread waits for their runtime's lock.
  fileprivate mutating func note(_ runtimeNumber: UInt64, awaitsLock: Bool) {
    self.runtimeNumber = runtimeNumber
    self.awaitsLock = runtimeNumber != 0 && awaitsLock
  }
}
