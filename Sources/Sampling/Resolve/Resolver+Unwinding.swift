internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import RuntimeReading

// MARK: - Unwinding

extension Resolver {
  func unwind(
    _ record: SampleRecord, _ all: UnsafeRawBufferPointer, _ thread: inout ResolvedThread
  ) -> ResolvedSample {
    let (bytes, other) = record.pieces(of: all)
    var sample = ResolvedSample(record, activity: activity(record, thread))
    let runtime = record.runtimeNumber > 0 ? runtimeStacks?.take(record.runtimeNumber) : nil
    if let reason = record.missing { sample.result = .missing(reason) }
    let needsNoBytes =
      options.wantsNoCallers && record.registers.isKnown(Registers.instructionPointer)
    guard record.byteCount > 0 || needsNoBytes else { return sample }
    var registers = record.registers
    if let kept = thread.kept, kept.sleep.call == thread.call,
      kept.sleep == Sleep(thread.call, record, bytes)
    {
      registers = kept.registers
    }
    let snapshot = StackSnapshot(
      registers: registers, start: record.stackStart, bytes: bytes,
      reachesEnd: record.reachesEnd, outer: (record.otherStart, other))
    sample.result = unwinder.unwind(
      snapshot, thread: record.slot,
      search: record.isRunning || options.wantsNoCallers
        ? .never : record.toleratesStop ? .unambiguous : .likely,
      boundary: runtime?.groups.first.flatMap { $0.isOfOwnCode ? $0.anchor : nil },
      into: &builder.stacks)
    thread.follow(runtime, record)
    let nativeEnd = sample.result.end
    if let runtime {
      addCallers(of: runtime, to: &sample)
      join(runtime, snapshot, into: &sample, isRunning: record.isRunning)
    }
    if !record.isRunning, record.registers.areComplete,
      let sleep = Sleep(thread.call, record, bytes)
    {
      thread.kept = KeptRegisters(sleep: sleep, registers: registers)
    }
    let isEnough = options.maxDepth.map { limit(&sample, to: $0) } ?? false
    if !isEnough { askForMore(of: &sample, record, nativeEnd: nativeEnd, runtime?.end) }
    if sample.wants != 0 || thread.pending != nil {
      sample.sleep = Sleep(thread.call, record, bytes)
    }
    return sample
  }

  /// Notes what another sample should have that this one lacks.
  private func askForMore(
    of sample: inout ResolvedSample, _ record: SampleRecord, nativeEnd: StackEnd,
    _ runtimeEnd: RuntimeStack.End?
  ) {
    if sample.result.needsRegisters, !record.isRunning { sample.wants |= ThreadRequests.registers }
    askForOtherStack(of: &sample, record)
    if nativeEnd == .truncated(.copyLimit) {
      channel.requests.setCopyLimit(
        options.maxDepth == nil ? options.stackLimit : options.longerCopy(than: record.byteCount),
        of: record.slot)
      hasAsked = true
      if !record.isRunning { sample.wants |= ThreadRequests.longerCopy }
    } else if options.maxDepth == nil, record.otherCount == 0,
      channel.requests.copyLimit(record.slot) != 0 || nativeEnd == .complete
    {
      adjustCopyLimit(record, sample.result)
    }
    // The next copy of the interpreted frames begins with what this one has found, and gets further.
    if runtimeEnd == .cut, !record.isRunning { sample.wants |= ThreadRequests.longerCopy }
  }

  /// Asks for the stack that a signal has interrupted while its handler runs on another.
  private func askForOtherStack(of sample: inout ResolvedSample, _ record: SampleRecord) {
    guard let place = sample.result.interrupted else {
      if record.otherCount > 0 { channel.requests.setOtherStack(nil, of: record.slot) }
      return
    }
    channel.requests.setOtherStack(place, of: record.slot)
    let isThere = place.distance(from: record.otherStart) < UInt64(record.otherCount)
    guard !isThere else { return }
    hasAsked = true
    if !record.isRunning { sample.wants |= ThreadRequests.longerCopy }
  }

  /// Leaves the innermost frames; returns whether these are as many as are wanted, or all.
  private func limit(_ sample: inout ResolvedSample, to depth: Int) -> Bool {
    let found = sample.result
    let (stack, isAll) = builder.stacks.innermost(depth, of: found.stack)
    let isEnough = !isAll || builder.stacks.depth(of: stack, upTo: depth) == depth
    guard isEnough else { return false }
    sample.result = UnwoundStack(
      stack: stack, end: isAll && found.end == .complete ? .complete : .truncated(.depthLimit),
      outermost: found.outermost, needsRegisters: false, depth: depth)
    return true
  }

  /// Adds the callers on the stack that a thread has left for the one that was unwound, where the latter
  /// ended for want of them.
  private func addCallers(of runtime: RuntimeStack, to sample: inout ResolvedSample) {
    let native = sample.result
    guard !runtime.callers.isEmpty, runtime.frames.isEmpty, native.end.isTruncated else { return }
    var frames: [FrameID] = []
    unwinder.forEachFrame(of: sample.slot) { frame, _, _ in frames.append(frame) }
    frames += runtime.callers.map { unwinder.frame(ofCallAt: $0, into: &builder.stacks) }
    var stack = StackID.empty
    for frame in frames.reversed() { stack = builder.stacks.stack(of: frame, calledBy: stack) }
    sample.result = UnwoundStack(
      stack: stack, end: runtime.hasAllCallers ? .complete : .truncated(.copyLimit),
      outermost: native.outermost, needsRegisters: false, depth: frames.count)
  }

  private func join(
    _ runtime: RuntimeStack, _ snapshot: StackSnapshot, into sample: inout ResolvedSample,
    isRunning: Bool
  ) {
    var native = sample.result
    guard !runtime.frames.isEmpty else {
      sample.result = native.with(native.stack, missing: runtime.end.reason)
      return
    }
    let resumed = resume(runtime, snapshot)
    native = native.resumed(runtime, resumed)
    let stack = joiner.join(
      runtime, slot: sample.slot, unwinder, isWhole: !native.end.isTruncated, resumed: resumed,
      runtimes: runtimeStacks?.nativeCode ?? [],
      countsElided: series.countsElidedFramesOfRunning || !isRunning, into: &builder.stacks)
    // Interpreted callers that could not be copied in time are missing, wherever the native stack ends.
    sample.result = native.with(
      stack, missing: runtime.end.reason ?? (runtime.hasBothEnds ? nil : .unreadable))
  }

  /// The native frames that have called each group through which unwinding does not lead.
  private func resume(_ runtime: RuntimeStack, _ snapshot: StackSnapshot) -> [Int: ResumedFrames] {
    var result: [Int: ResumedFrames] = [:]
    for (number, group) in runtime.groups.enumerated() {
      guard let exit = group.exit else { continue }
      result[number] = unwinder.resume(
        from: exit.registers, in: snapshot, into: &builder.stacks)
    }
    return result
  }

  /// Copies twice what the stack needs the next time: a mapping may hold much that is not stack.
  private func adjustCopyLimit(_ record: SampleRecord, _ result: UnwoundStack) {
    guard result.end == .complete, result.outermost > record.stackStart else { return }
    let used = Int(clamping: result.outermost.distance(from: record.stackStart))
    channel.requests.setCopyLimit(max(64 << 10, used &* 2 & ~0xffff), of: record.slot)
  }

  private func activity(_ record: SampleRecord, _ thread: ResolvedThread) -> Activity {
    if record.isRunning { return record.isWaitingForCPU ? .waitingForCPU : .running }
    let number = thread.call?.number ?? record.systemCall
    let reason = WaitReason(
      systemCall: SystemCallNames.name(of: number), isInterpreterLock: record.awaitsLock)
    switch record.state {
    case .uninterruptible: return .uninterruptible(reason)
    case .stopped, .tracingStop: return .stopped
    case nil: return .unknown
    default: return .blocked(reason)
    }
  }
}

// MARK: - Samples that wait for more

extension Resolver {
  /// Gives a sample that waited for registers or a longer copy the stack that the next sample found,
  /// if the thread has not moved between the two.
  func settle(_ slot: Int, as next: ResolvedSample?) {
    guard let pending = threads[slot]?.pending else { return }
    threads[slot]?.pending = nil
    let isSame = next != nil && next?.sleep == pending.sleep
    let result = isSame ? next?.result ?? pending.result : pending.result
    add(pending, stack: result.stack, end: result.end)
  }

  func add(_ sample: ResolvedSample, stack: StackID, end: StackEnd) {
    guard let thread = threads[sample.slot] else { return }
    builder.sample(
      thread: thread.index, stack: stack, end: end, activity: sample.activity,
      time: sample.end.rawValue, weight: sample.weight, hasRun: sample.hasRun,
      hasSlept: sample.hasSlept, isNewSleep: sample.isNewSleep)
  }
}

extension UnwoundStack {
  /// The same with the native frames behind those of a runtime.
  ///
  /// Where the runtime itself knows where its frames are, no stop would show more of them.
  fileprivate func resumed(
    _ runtime: RuntimeStack, _ resumed: [Int: ResumedFrames]
  ) -> UnwoundStack {
    guard runtime.groups.contains(where: \.isOfOwnCode) else { return self }
    let isWhole = resumed.values.allSatisfy(\.isComplete)
    var end = end
    if endsInRuntimeCode {
      let isInferred = if case .inferred = end { true } else { false }
      end = isWhole ? isInferred ? .inferred : .complete : .truncated(.noUnwindRule)
    }
    return UnwoundStack(
      stack: stack, end: end, outermost: outermost, needsRegisters: false, depth: depth)
  }

  /// The same with the frames of a runtime, some of which may be missing.
  fileprivate func with(_ stack: StackID, missing reason: StackEnd.Reason?) -> UnwoundStack {
    UnwoundStack(
      stack: stack, end: end == .complete ? reason.map { .truncated($0) } ?? end : end,
      outermost: outermost, needsRegisters: needsRegisters, depth: depth,
      interrupted: interrupted)
  }
}

extension SampleRecord {
  /// The bytes of the stack that the thread is on, and those of another.
  fileprivate func pieces(
    of bytes: UnsafeRawBufferPointer
  ) -> (own: UnsafeRawBufferPointer, other: UnsafeRawBufferPointer) {
    let end = max(0, bytes.count - otherCount)
    return (
      UnsafeRawBufferPointer(rebasing: bytes[..<end]),
      UnsafeRawBufferPointer(rebasing: bytes[end...])
    )
  }
}

extension RuntimeStack.End {
  /// Why callers are missing; nil when none are.
  fileprivate var reason: StackEnd.Reason? {
    switch self {
    case .complete: nil
    case .unreadable: .unreadable
    case .cut: .copyLimit
    case .limited: .depthLimit
    case .cyclic: .badFrame
    case .tooDeep: .frameLimit
    }
  }
}
