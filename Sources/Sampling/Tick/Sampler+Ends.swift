internal import LinuxProcess
internal import ProfileModel

// MARK: - Threads that have ended

extension Sampler {
  /// Notes that a thread has ended whose entry stays, with its last figures.
  func noteEnd(of thread: SampledThread, interval: Weight) {
    let time = now
    awaitLastCounters(of: thread)
    thread.endWithEntry(interval: interval, counters: counters(of: thread), at: time)
  }

  /// Waits until a thread that has ended has left its CPU.
  ///
  /// It counts as ended a moment before that (exit_notify), and its counters do not have yet what it ran since
  /// the kernel's last timer interrupt, of which there are 100 a second or more. Until then its system call is
  /// that of a running thread (do_task_dead). One that was put aside has all but some microseconds counted.
  private func awaitLastCounters(of thread: SampledThread) {
    let deadline = MonotonicClock.now() + .milliseconds(10)
    while case .running = thread.files.systemCall(), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(for: .microseconds(50))
    }
  }

  /// Ends a thread of which nothing can be read, once it is gone: sprof may only just not open its files.
  ///
  /// `interval` is left to its next sample then.
  func endIfGone(_ thread: SampledThread, leaving interval: Weight = Weight()) {
    if thread.files.isGone { thread.end() } else { thread.skip(interval) }
  }

  /// Hands over what the thread's last stack has lasted on.
  func handOver(endOf thread: SampledThread, beforeProgram: Bool) {
    waitForRoom(0)
    guard let place = ring.reserve(0) else { return }
    let record = place.record
    record.pointee.kind = .end
    record.pointee.slot = thread.slot
    record.pointee.tid = thread.tid
    record.pointee.time = now
    record.pointee.end = now
    if thread.isAlive, series == .ticks, let counters = counters(of: thread) {
      record.pointee.weight = thread.account.takeUse(until: counters)
    } else if let figures = thread.lastFigures {
      record.pointee.weight = figures.weight
      if isProgramOver { record.pointee.end = figures.time }
    }
    if thread.isAlive, stops.isOverdue(thread.tid) {
      record.pointee.weight = thread.account.takeDelay()
    }
    // Ticks whose sample never came about count for what was seen before.
    record.pointee.repeated = thread.account.rest
    record.pointee.counters = thread.counters
    record.pointee.state = beforeProgram ? .dead : nil
    place.commit()
  }
}
