internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel

// MARK: - What the tick met, where the stop found something else

extension Resolver {
  /// Lets a sample that met the thread running, and found it asleep a moment later in its stop, stand for
  /// what it ran: with the stack that it was last found running in.
  ///
  /// Were these counted as asleep, as one that meets the thread asleep is, a thread that often falls asleep would
  /// seem to sleep more than it does.
  func showAwake(
    _ sample: inout ResolvedSample, _ record: SampleRecord, _ thread: ResolvedThread
  ) {
    guard record.hasFallenAsleep, let last = builder.lastRunningStack(of: thread.index) else {
      return
    }
    sample.show(.running, last.stack, last.end)
  }

  /// Lets a sample that met the thread asleep, and found it awake or in another call a moment later in its stop,
  /// stand for that sleep: with the stack that it was last found in, asleep in that call.
  func showAsleep(
    _ sample: inout ResolvedSample, _ record: SampleRecord, _ thread: ResolvedThread
  ) {
    guard let met = record.wokenFrom else { return }
    let reason = met.call.map {
      WaitReason(
        systemCall: SystemCallNames.name(of: $0.number), isInterpreterLock: met.awaitsLock)
    }
    let activity: Activity? =
      met.state == .uninterruptible
      ? reason.map { .uninterruptible($0) } ?? thread.lastSleeps.uninterruptible
      : reason.map { .blocked($0) } ?? thread.lastSleeps.blocked
    guard let activity, let last = builder.lastRun(of: thread.index, in: activity) else { return }
    sample.show(activity, last.stack, last.end)
  }
}

extension ResolvedSample {
  /// Shows another stack, which tells all that is to be known.
  fileprivate mutating func show(_ activity: Activity, _ stack: StackID, _ end: StackEnd) {
    self.activity = activity
    wants = 0
    result = UnwoundStack(
      stack: stack, end: end, outermost: result.outermost, needsRegisters: false,
      depth: result.depth)
  }
}
