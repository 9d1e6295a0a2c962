internal import CLinux
internal import Glibc
internal import ProfileModel

// MARK: - Stops that come late

extension StoppedThreads {
  /// Looks after a thread that has not stopped in time.
  func wait(late stop: Stop) {
    if overdue.isEmpty { overdueTime = MonotonicClock.now() }
    overdue.append(stop)
  }

  /// Hands out the threads that stopped too late for their tick, and resumes them; where every CPU is
  /// busy, one may always stop late.
  ///
  /// Call it often while any is held: `requested` of what it hands out is the last time that it was
  /// called, since when at the most the thread has been stopped. `copy` must not allocate or wait. Those
  /// that have not stopped are asked again: the kernel drops a request that meets the `execve` of the
  /// thread (6.18), and the thread would never stop.
  package func releaseOverdue(
    _ copy: (borrowing StoppedThread) -> Void = { _ in }, ended: (Stop) -> Void = { _ in },
    resumed: (Stop, MonotonicClock.Instant) -> Void = { _, _ in }
  ) {
    guard !overdue.isEmpty else { return }
    defer { endHolding() }
    var hasLost = false
    var index = 0
    while index < overdue.count {
      switch release(index, copy, ended, resumed) {
      case .waits: index += 1
      case .over: overdue.remove(at: index)
      case .lost:
        hasLost = true
        overdue.remove(at: index)
      }
    }
    overdueTime = MonotonicClock.now()
    if hasLost { followExecution() }
  }

  /// What has become of a late stop.
  private enum Late {
    case waits
    case over
    /// The number is no thread's any more, or not that of one that is held.
    case lost
  }

  private func release(
    _ index: Int, _ copy: (borrowing StoppedThread) -> Void, _ ended: (Stop) -> Void,
    _ resumed: (Stop, MonotonicClock.Instant) -> Void
  ) -> Late {
    var stop = overdue[index]
    let outcome = sprof_poll(stop.tid, &stop.status)
    guard outcome != 0 else {
      // By an execve its number may be another thread's, which nobody holds: that of a child of this
      // process can be waited for all the same.
      let isOther = sprof_ptrace_interrupt(stop.tid) == -ESRCH && stop.tid == process
      return isOther ? .over : .waits
    }
    guard outcome > 0 else { return stop.tid == process ? .over : .lost }
    guard stop.status & 0x7f == 0x7f else {
      // The program's end is left for whoever waits for it: until then its files show what it did.
      if stop.tid != process { end(stop, ended) }
      return .over
    }
    stop.requested = overdueTime
    if let (registers, call) = readRegisters(of: stop), !stop.isDone {
      copy(StoppedThread(stop: stop, registers: registers, call: call))
    }
    overdue[index].isDone = true
    guard detach(stop.tid, status: stop.status) else { return .waits }
    resumed(stop, MonotonicClock.now())
    return .over
  }

  /// Takes over a thread whose own number is gone: by executing a program it got the main thread's, under
  /// which the stop that was asked of it comes (kernel: de_thread; ptrace(2), "execve(2) under ptrace").
  ///
  /// Without this the program would stay in that stop for as long as sprof runs. Returns whether there is
  /// such a thread.
  @discardableResult
  func followExecution() -> Bool {
    guard let process, !isOverdue(process), !asked.contains(where: { $0.tid == process }),
      // Only a thread that is seized can be interrupted.
      sprof_ptrace_interrupt(process) == 0
    else { return false }
    var stop = Stop(tid: process, tag: 0, requested: .distantPast, mayRestartCall: true)
    stop.isDone = true
    wait(late: stop)
    return true
  }
}

// MARK: - System calls that a stop interrupts

extension StoppedThreads {
  /// Undoes the EINTR that our own stop gave to a system call which the kernel never restarts.
  ///
  /// A thread that was running when it was looked at may have entered `epoll_wait`, `semop` and
  /// the like in the microseconds before the stop reached it. Those return EINTR to the program
  /// for a mere stop (ptrace(2), "PTRACE_INTERRUPT"; signal(7) lists them). The thread is put back
  /// before its `syscall` instruction, the way the kernel restarts a call itself
  /// (arch_do_signal_or_restart), unless a signal of its own waits for it, which would have
  /// interrupted the call without us.
  func restartInterruptedCall(_ tid: Int32) {
    guard registers.isInterruptedSystemCall, !hasDeliverableSignal(tid) else { return }
    registers.restartSystemCall()
    if sprof_ptrace_set_registers(tid, &registers) == 0 { restartedSystemCalls += 1 }
  }

  private func hasDeliverableSignal(_ tid: Int32) -> Bool {
    var mask: UInt64 = 0
    guard sprof_ptrace_signal_mask(tid, &mask) == 0 else { return true }
    return sprof_ptrace_has_pending_signal(tid, mask, 0) != 0
      || sprof_ptrace_has_pending_signal(tid, mask, 1) != 0
  }
}
