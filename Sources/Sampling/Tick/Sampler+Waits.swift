internal import LinuxProcess
internal import ProfileModel

// MARK: - What threads wait for, tick by tick

extension Sampler {
  /// Reads which threads wait for locks of their runtimes, and who holds them, when it is time.
  func lookAtRuntimeLocks(time: Nanoseconds) {
    guard let waitTrace, let runtimes else { return }
    let waits = runtimes.lookAtWaits(
      memory: memory, at: time, hasNewSleeps: waitTrace.hasNewFutexSleeps)
    waitTrace.beginTick(with: waits)
  }

  /// Notes where a thread sleeps that was just found asleep.
  func noteWait(
    of thread: SampledThread, _ call: Int32, _ arguments: InlineArray<6, UInt64>, awaitsLock: Bool
  ) {
    guard let waitTrace else { return }
    waitTrace.note(
      thread, call, arguments, awaitsInterpreterLock: awaitsLock,
      lockHolder: awaitsLock ? lockHolder(of: thread) : nil)
  }

  /// Counts what the present sample stands for as a part of the wait that was noted.
  func extendWait(of thread: SampledThread, by length: Int64) {
    waitTrace?.extend(thread, by: length, until: tickEnd) { lockHolder(of: thread) }
  }

  /// Follows the wait of a thread that has slept since the last tick.
  func followWait(of thread: SampledThread, _ interval: Weight) {
    guard let waitTrace else { return }
    // A stop may have been its first sample.
    if waitTrace.isUnknown(thread),
      case .asleep(let number, let arguments, _, _) = thread.files.systemCall()
    {
      noteWait(of: thread, number, arguments, awaitsLock: false)
    }
    extendWait(of: thread, by: interval.wall)
  }

  private func lockHolder(of thread: SampledThread) -> Int32? {
    runtimes?.lockHolder(of: thread.tid, memory: memory)
  }
}
