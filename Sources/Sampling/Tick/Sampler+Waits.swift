internal import LinuxProcess
internal import ProfileModel

// MARK: - What threads wait for, tick by tick

extension Sampler {
  /// Takes over which threads wait for locks of their runtimes, and who holds them, as far as that was found
  /// out; asks for more where threads have fallen asleep.
  func exchangeRuntimeLocks() {
    guard let waitTrace, let runtimes, runtimes.isAttached else { return }
    waitTrace.exchangeRuntimeLocks()
  }

  /// Notes where a thread sleeps that was just found asleep.
  func noteWait(
    of thread: SampledThread, _ call: Int32, _ arguments: InlineArray<6, UInt64>, switches: UInt64,
    awaitsLock: Bool
  ) {
    guard let waitTrace else { return }
    waitTrace.note(
      thread, call, arguments, switches: switches, awaitsInterpreterLock: awaitsLock,
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
      noteWait(
        of: thread, number, arguments, switches: thread.counters.switches, awaitsLock: false)
    }
    extendWait(of: thread, by: interval.wall)
  }

  private func lockHolder(of thread: SampledThread) -> Int32? {
    runtimes?.lockHolder(of: thread.tid, memory: memory)
  }
}
