internal import LinuxProcess
internal import ProfileModel

// MARK: - Looks without a stop

extension Sampler {
  /// Counts a thread that has not run, copies the stack of one that sleeps, and takes hold of one
  /// that runs.
  func inspect(_ watch: SampledThread, index: Int, tick: Int64, time: Int64) {
    guard !watch.isZombie else { return }
    if stops.isOverdue(watch.tid) {
      // The next sample counts for this tick, or, if there is none, the last.
      watch.carried += watch.takeInterval(until: time, tick: tick)
      return
    }
    // Of a thread that goes on running nothing needs to be known before its stop.
    if watch.wasSeen, !watch.wasAsleep, case .running = watch.files.systemCall() {
      _ = requests.take(watch.slot)
      holdRunning(watch, index: index, interval: watch.takeInterval(until: time, tick: tick))
      return
    }
    guard let counters = counters(of: watch) else {
      watch.hasEnded = true
      return
    }
    // What a dump's one sample stands for is no time.
    if plan.rate == nil, !watch.wasSeen { watch.counters = counters }
    let asked = requests.take(watch.slot)
    let interval = watch.takeInterval(until: time, tick: tick)
    if watch.wasAsleep, counters.switches == watch.counters.switches, asked == 0, !plan.stopAll {
      watch.extend(by: interval)
      countSampleWithoutStop()
      return
    }
    sample(
      watch, index: index, time: time, interval: interval, counters: counters,
      wantsRegisters: plan.stopAll || asked & ThreadRequests.registers != 0)
  }

  func sample(
    _ watch: SampledThread, index: Int, time: Int64, interval: Weight, counters: ThreadCounters,
    wantsRegisters: Bool
  ) {
    var counters = counters
    // A thread that wakes up and sleeps again while it is looked at gets a few more tries.
    for attempt in 0..<5 {
      let call = watch.files.systemCall()
      switch call {
      case .running:
        holdRunning(watch, index: index, interval: interval)
        return
      case .asleep(let number, let arguments, let stackPointer, _):
        let state = readState(of: watch) ?? UInt8(ascii: "S")
        if wantsRegisters || attempt == 4, !watch.isRefused,
          mayInterrupt(state, call: number, arguments),
          hold(watch, index: index, call: call, state: state, interval: interval)
        {
          return
        }
        makeStackKnown(stackPointer)
        if copyAsleep(
          watch, call: call, state: state, time: time, interval: interval, counters: counters)
        {
          return
        }
        guard let again = self.counters(of: watch) else {
          watch.hasEnded = true
          return
        }
        counters = again
      case .unavailable:
        sampleWithoutCall(watch, index: index, time: time, interval: interval, counters: counters)
        return
      }
    }
    // It never held still and must not be interrupted: the next sample counts for this one too.
    watch.carried += interval
    watch.wasAsleep = false
  }

  /// The state letter; at the first sample the name, too, which costs no more.
  private func readState(of watch: SampledThread) -> UInt8? {
    guard !watch.wasSeen, let stat = watch.files.details() else { return watch.files.state() }
    watch.name = stat.name
    return stat.state
  }

  /// Copies a sleeping thread's stack.
  ///
  /// Returns false when the thread ran meanwhile.
  private func copyAsleep(
    _ watch: SampledThread, call: SystemCallState, state: UInt8, time: Int64, interval: Weight,
    counters: ThreadCounters
  ) -> Bool {
    guard case .asleep(let number, let arguments, let stackPointer, let pc) = call else {
      return false
    }
    let range = copyRange(of: watch, stackPointer: stackPointer)
    waitForRoom(range.count)
    guard let (record, bytes) = ring.reserve(range.count) else {
      drop(watch, interval: interval)
      return true
    }
    let registers = Registers(stackPointer: stackPointer, instructionPointer: pc)
    let prepared = runtimes?.prepare(watch.tid)
    beginCopy(of: watch, range, into: bytes)
    let copied = copyFrames(prepared, at: registers, isAsleep: true)
    let count = stackRead.finish()
    // Unchanged: it has not run since before its system call was read, so all belongs together.
    guard self.counters(of: watch)?.switches == counters.switches else { return false }
    let runtimeNumber = keep(copied, of: watch.tid)
    record.pointee.runtimeNumber = runtimeNumber
    record.pointee.awaitsLock =
      runtimeNumber != 0 && runtimes?.noteLockWait(watch.tid, number, arguments) ?? false
    watch.fill(record, interval: interval, counters: counters, mapsSerial: mapsSerial)
    record.pointee.time = time
    record.pointee.state = state
    record.pointee.name = watch.name.take()
    record.pointee.systemCall = number
    record.pointee.arguments = arguments
    record.pointee.bearsStop = !watch.isRefused && bearsStop(watch, state, number, arguments)
    record.pointee.registers = registers
    record.pointee.stackStart = range.lowerBound
    record.pointee.byteCount = count
    record.pointee.reachesEnd =
      count == range.count && range.upperBound >= watch.stackRange.upperBound
    ring.commit()
    runtimes?.finishMany(from: memory)
    watch.wasAsleep = true
    countSampleWithoutStop()
    return true
  }

  /// The kernel does not tell where the thread is: it has ended, has no user stack, or the kernel
  /// lacks the file.
  private func sampleWithoutCall(
    _ watch: SampledThread, index: Int, time: Int64, interval: Weight, counters: ThreadCounters
  ) {
    guard let state = watch.files.state() else {
      watch.hasEnded = true
      return
    }
    switch state {
    case UInt8(ascii: "Z"), UInt8(ascii: "X"):
      noteZombie(watch, interval: interval)
    case UInt8(ascii: "D"):
      recordWithoutStack(watch, state: state, time: time, interval: interval, counters: counters)
    default:
      if watch.files.hasSystemCallFile, state != UInt8(ascii: "R") {
        recordWithoutStack(watch, state: state, time: time, interval: interval, counters: counters)
      } else {
        if !hold(watch, index: index, call: .unavailable, state: state, interval: interval) {
          recordRefused(watch, interval: interval)
        }
      }
    }
  }

  private func recordWithoutStack(
    _ watch: SampledThread, state: UInt8, time: Int64, interval: Weight, counters: ThreadCounters
  ) {
    waitForRoom(0)
    guard let (record, _) = ring.reserve(0) else { return drop(watch, interval: interval) }
    watch.fill(record, interval: interval, counters: counters, mapsSerial: mapsSerial)
    record.pointee.time = time
    record.pointee.state = state
    record.pointee.isRunning = state == UInt8(ascii: "R")
    ring.commit()
    watch.wasAsleep = state != UInt8(ascii: "R")
    countSampleWithoutStop()
  }

  func drop(_ watch: SampledThread, interval: Weight) {
    watch.carried += interval
    watch.wasAsleep = false
    countDroppedSample()
  }

  // MARK: - What to copy

  /// The stack bytes to copy.
  ///
  /// From a little below the stack pointer to the end of its mapping, or to the limit. Allocates
  /// nothing.
  func copyRange(of watch: SampledThread, stackPointer: UInt64) -> Range<UInt64> {
    if !watch.stackRange.contains(stackPointer) {
      watch.stackRange = stackRange(containing: stackPointer) ?? 0..<0
      watch.hasMovedStack = watch.tid == pid
    }
    // Below the stack pointer lie the red zone (128 bytes, System V ABI) and, in an epilogue, the
    // registers that were just popped.
    let start = max(stackPointer &- min(stackPointer, 512), watch.stackRange.lowerBound) & ~7
    guard watch.stackRange.contains(stackPointer) else {
      areMapsStale = true
      return start..<(start > .max - 65536 ? start : start + 65536)
    }
    let wanted = requests.copyLimit(watch.slot)
    let limit = UInt64(wanted > 0 ? min(wanted, plan.stackLimit) : min(256 << 10, plan.stackLimit))
    return start..<min(watch.stackRange.upperBound, start &+ limit)
  }

  /// Begins to copy a stack: the native one comes along with what the language's runtime reads first.
  func beginCopy(
    of watch: SampledThread, _ range: Range<UInt64>, into bytes: UnsafeMutableRawPointer
  ) {
    stackRead.begin(
      ProcessMemory(tid: watch.tid), at: range.lowerBound,
      into: UnsafeMutableRawBufferPointer(start: bytes, count: range.count))
  }
}

// MARK: - Taking hold

extension Sampler {
  /// Takes hold of a thread that is to stop in this tick.
  ///
  /// Returns false, having changed nothing, when that is refused.
  private func hold(
    _ watch: SampledThread, index: Int, call: SystemCallState, state: UInt8, interval: Weight
  ) -> Bool {
    var mayRestart = true
    if case .asleep(let number, let arguments, _, _) = call {
      mayRestart = SystemCallNames.waitsWithoutLimit(number, arguments)
    }
    runtimes?.warmUp(watch.tid, from: memory)
    let answer = stops.seize(watch.tid, tag: index, mayRestartCall: mayRestart)
    if case .refused(let code) = answer {
      refusals[watch.tid] = code
      watch.isRefused = true
      return false
    }
    if case .gone = answer { watch.hasEnded = counters(of: watch) == nil }
    watch.preparedFrames = runtimes?.prepare(watch.tid)
    // Not in the stop, which it would make longer.
    watch.countersBeforeStop = counters(of: watch)
    watch.callBeforeStop = call
    watch.stateBeforeStop = state
    watch.carried += interval
    watch.wasAsleep = false
    return true
  }

  private func holdRunning(_ watch: SampledThread, index: Int, interval: Weight) {
    let state = UInt8(ascii: "R")
    guard !hold(watch, index: index, call: .running, state: state, interval: interval) else {
      return
    }
    recordRefused(watch, interval: interval)
  }

  /// A running thread that another tracer holds, or that the kernel keeps from us.
  private func recordRefused(_ watch: SampledThread, interval: Weight) {
    guard let counters = counters(of: watch) else {
      watch.hasEnded = true
      return
    }
    let state = watch.files.state() ?? UInt8(ascii: "R")
    recordWithoutStack(
      watch, state: state, time: watch.lastTime, interval: interval, counters: counters)
    watch.wasAsleep = false
  }

  /// Whether a stop would change nothing that the thread's system call returns.
  private func mayInterrupt(
    _ state: UInt8, call number: Int32, _ arguments: InlineArray<6, UInt64>
  ) -> Bool {
    // A thread in state D cannot stop. One that a signal has stopped is at rest before its system
    // call goes on, and stays stopped when it is let go (ptrace(2), "Group-stop").
    if state == UInt8(ascii: "T") { return true }
    guard state == UInt8(ascii: "S") || state == UInt8(ascii: "I") else { return false }
    if plan.stopAll { return true }
    switch SystemCallNames.interruption(of: number, arguments) {
    case .none: return true
    case .restartable: return true
    case .visible: return false
    case .visibleOnSocket: return !isSocket(arguments[0])
    }
  }

  /// Like `mayInterrupt`, but asks only once what kind of descriptor the thread reads from.
  private func bearsStop(
    _ watch: SampledThread, _ state: UInt8, _ number: Int32, _ arguments: InlineArray<6, UInt64>
  ) -> Bool {
    guard SystemCallNames.interruption(of: number, arguments) == .visibleOnSocket else {
      return mayInterrupt(state, call: number, arguments)
    }
    if watch.descriptor != arguments[0] {
      watch.descriptor = arguments[0]
      watch.descriptorIsSocket = isSocket(arguments[0])
    }
    return !watch.descriptorIsSocket
  }

  /// Whether the target's descriptor is a socket, or cannot be told from one.
  private func isSocket(_ descriptor: UInt64) -> Bool {
    let link = try? ProcFile.link("/proc/\(pid)/fd/\(descriptor)")
    return link.map { $0.hasPrefix("socket:") } ?? true
  }
}
