internal import CLinux
internal import Glibc
internal import ProfileModel

/// Stops threads for as long as it takes to copy their registers and stacks.
///
/// The order of a round is `seize` for each thread, `interruptAll`, and one of the waits of what that
/// gives (`InterruptedThreads`), which hands out each `StoppedThread` and resumes it.
///
/// Belongs to one OS thread: the kernel answers ptrace requests only of the thread that seized.
/// A thread is seized at the beginning of a stop and detached at its end; between ticks nothing of
/// the target is traced. When sprof dies, at any moment, the kernel resumes every thread.
package final class StoppedThreads {
  /// How asking for a stop went.
  package enum Request: Equatable, Sendable {
    case requested
    /// The thread has ended.
    case gone
    /// The thread may not be traced: another tracer holds it, or the kernel forbids it.
    case refused(CInt)
  }

  /// A thread that was asked to stop.
  package struct Stop: Sendable {
    package let tid: Int32
    /// What the caller wants to recognise it by.
    package let tag: Int
    /// When the stop was asked for (`MonotonicClock`).
    package fileprivate(set) var requested: MonotonicClock.Instant
    /// Whether a system call that the stop interrupts may be restarted from its beginning.
    fileprivate let mayRestartCall: Bool
    fileprivate var status: CInt = 0
  }

  /// How long a stop is waited for before the tick goes on without it: the thread has slipped into
  /// a sleep that nothing can interrupt.
  private static let patience = Nanoseconds.milliseconds(20)
  /// How long the wait is a poll.
  ///
  /// Sleeping in waitpid would add the wake-up of this thread's CPU to the pause of the target. A
  /// thread on another CPU stops within 10 µs (median, measured); one that takes longer has no CPU,
  /// perhaps because this thread has taken it.
  private static let pollTime = Nanoseconds.microseconds(40)

  private var asked: [Stop] = []
  /// Threads that did not stop in time; they are resumed as soon as they do.
  private var overdue: [Int32] = []
  private var registers = user_regs_struct()
  /// System calls that were interrupted by a stop and made to go on as if nothing had been.
  package private(set) var restartedSystemCalls = 0
  /// The end of a watched program that is a child of this process, as `waitpid` gave it here: whoever
  /// waits for it will not get it again.
  package private(set) var collectedEnd: CInt?
  private let process: Int32?
  private var seizeGuard: SeizeGuard?
  /// Whether `JobControl` knows that something is held.
  private var isHolding = false

  /// For the threads of `process`; without it nobody wants to know `collectedEnd`.
  package init(process: Int32? = nil) {
    self.process = process
    asked.reserveCapacity(4096)
    overdue.reserveCapacity(64)
  }

  deinit {
    seizeGuard?.end()
    if isHolding { JobControl.endHolding() }
  }

  /// Whether any thread is still held or about to stop.
  package var isEmpty: Bool { asked.isEmpty && overdue.isEmpty }

  /// Whether a stop of this thread was asked for and has not come yet.
  package func isOverdue(_ tid: Int32) -> Bool { overdue.contains(tid) }

  /// Whether any thread was taken hold of since the last stop.
  package var hasRequests: Bool { !asked.isEmpty }

  /// How many threads were taken hold of since the last stop.
  package var requestCount: Int { asked.count }

  /// Takes hold of a thread, which runs on.
  ///
  /// `mayRestartCall` permits to start again a system call that the stop interrupts: right for a
  /// thread that ran a moment ago and for one that waits without a limit of time; wrong for one
  /// that has waited for part of its time.
  package func seize(_ tid: Int32, tag: Int, mayRestartCall: Bool) -> Request {
    if !isHolding { JobControl.beginHolding() }
    isHolding = true
    let result = seize(tid)
    guard result == 0 else {
      endHolding()
      return result == -ESRCH ? .gone : .refused(-result)
    }
    asked.append(
      Stop(tid: tid, tag: tag, requested: .distantPast, mayRestartCall: mayRestartCall)
    )
    return .requested
  }

  private func endHolding() {
    guard isHolding, isEmpty else { return }
    isHolding = false
    JobControl.endHolding()
  }

  private func seize(_ tid: Int32) -> CInt {
    // Only beside another thread that is held can it last.
    guard !isEmpty, let process else { return sprof_ptrace_seize(tid) }
    if seizeGuard == nil { seizeGuard = SeizeGuard(process: process) }
    return seizeGuard?.seize(tid) ?? sprof_ptrace_seize(tid)
  }

  /// Asks all seized threads to stop.
  package func interruptAll() -> InterruptedThreads {
    for index in asked.indices {
      asked[index].requested = MonotonicClock.now()
      // An error means that the thread has ended, which the wait shows.
      _ = sprof_ptrace_interrupt(asked[index].tid)
    }
    return InterruptedThreads(stops: self)
  }

  fileprivate func forEachStopped(
    _ copy: (borrowing StoppedThread) -> Void, ended: (Stop) -> Void,
    resumed: (Stop, MonotonicClock.Instant) -> Void
  ) {
    defer { endHolding() }
    let start = MonotonicClock.now()
    while !asked.isEmpty {
      var index = 0
      while index < asked.count {
        // Once its end is collected its files are gone: `ended` is to find them.
        if asked[index].tid == process, sprof_has_ended(asked[index].tid) != 0 {
          ended(asked[index])
          collect(asked.remove(at: index))
          continue
        }
        let outcome = sprof_wait(asked[index].tid, &asked[index].status, 1)
        guard outcome != 0 else {
          index += 1
          continue
        }
        let stop = asked[index]
        asked.swapAt(index, asked.count - 1)
        asked.removeLast()
        finish(stop, outcome: outcome, copy, ended: ended, resumed: resumed)
      }
      guard !asked.isEmpty else { return }
      let waited = MonotonicClock.now() - start
      if waited > Self.patience {
        giveUp()
      } else if waited > Self.pollTime {
        Self.giveWay()
      }
    }
  }

  /// Leaves the threads that are still waited for to `releaseOverdue`.
  fileprivate func giveUp() {
    for stop in asked { overdue.append(stop.tid) }
    asked.removeAll(keepingCapacity: true)
  }

  fileprivate func forAllStoppedTogether(
    _ copy: (borrowing StoppedThread) -> Void, ended: (Stop) -> Void,
    resumed: (Stop, MonotonicClock.Instant) -> Void
  ) {
    defer { endHolding() }
    let start = MonotonicClock.now()
    var index = 0
    // Threads that have stopped are moved to the front, those still waited for stay behind them.
    while index < asked.count {
      let outcome = sprof_wait(asked[index].tid, &asked[index].status, 1)
      if outcome > 0, asked[index].status & 0x7f == 0x7f {
        index += 1
        continue
      }
      if outcome != 0 {
        let gone = asked.remove(at: index)
        noteEnd(gone.tid, outcome: outcome, status: gone.status)
        if outcome < 0 { followExecution() }
        ended(gone)
        continue
      }
      let waited = MonotonicClock.now() - start
      if waited > Self.patience {
        overdue.append(asked.remove(at: index).tid)
      } else if waited > Self.pollTime {
        Self.giveWay()
      }
    }
    for stop in asked { hand(stop, to: copy, ended: ended) }
    for stop in asked { resume(stop, resumed) }
    asked.removeAll(keepingCapacity: true)
  }

  /// Gives up the CPU, which a thread may need to reach its stop.
  private static func giveWay() {
    // A shorter sleep would be over before another thread got the CPU.
    var time = timespec(tv_sec: 0, tv_nsec: 20_000)
    nanosleep(&time, nil)
  }

  /// Resumes the threads that stopped too late for their tick.
  ///
  /// Call it once a tick. Those that have not stopped are asked again: the kernel drops a request
  /// that meets the `execve` of the thread (6.18), and the thread would never stop.
  package func releaseOverdue() {
    guard !overdue.isEmpty else { return }
    defer { endHolding() }
    var hasLost = false
    overdue.removeAll { tid in
      // Left for whoever waits for the program: until then its files show what it did.
      if tid == process, sprof_has_ended(tid) != 0 { return true }
      var status: CInt = 0
      let outcome = sprof_wait(tid, &status, 1)
      guard outcome != 0 else {
        _ = sprof_ptrace_interrupt(tid)
        return false
      }
      noteEnd(tid, outcome: outcome, status: status)
      if outcome < 0, tid != process { hasLost = true }
      return outcome < 0 || detach(tid, status: status)
    }
    if hasLost { followExecution() }
  }

  /// Takes over a thread whose own number is gone: by executing a program it got the main thread's, under
  /// which the stop that was asked of it comes (kernel: de_thread; ptrace(2), "execve(2) under ptrace").
  ///
  /// Without this the program would stay in that stop for as long as sprof runs.
  private func followExecution() {
    guard let process, !overdue.contains(process), !asked.contains(where: { $0.tid == process }),
      // Only a thread that is seized can be interrupted.
      sprof_ptrace_interrupt(process) == 0
    else { return }
    overdue.append(process)
  }

  private func finish(
    _ stop: Stop, outcome: CInt, _ copy: (borrowing StoppedThread) -> Void,
    ended: (Stop) -> Void, resumed: (Stop, MonotonicClock.Instant) -> Void
  ) {
    guard outcome > 0, stop.status & 0x7f == 0x7f else {
      noteEnd(stop.tid, outcome: outcome, status: stop.status)
      if outcome < 0 { followExecution() }
      return ended(stop)
    }
    hand(stop, to: copy, ended: ended)
    resume(stop, resumed)
  }

  /// Hands out a thread in its stop; it may have been killed there.
  private func hand(
    _ stop: Stop, to copy: (borrowing StoppedThread) -> Void, ended: (Stop) -> Void
  ) {
    guard let registers = readRegisters(of: stop) else { return ended(stop) }
    copy(StoppedThread(stop: stop, registers: registers))
  }

  private func collect(_ ended: Stop) {
    var status: CInt = 0
    let outcome = sprof_wait(ended.tid, &status, 1)
    noteEnd(ended.tid, outcome: outcome, status: status)
  }

  private func noteEnd(_ tid: Int32, outcome: CInt, status: CInt) {
    // The main thread's status is the process's.
    guard outcome > 0, status & 0x7f != 0x7f, tid == process else { return }
    collectedEnd = status
  }

  private func resume(_ stop: Stop, _ resumed: (Stop, MonotonicClock.Instant) -> Void) {
    // Killed in its stop: it stays ours, and an `execve` waits until its end is collected.
    if !detach(stop.tid, status: stop.status) { overdue.append(stop.tid) }
    resumed(stop, MonotonicClock.now())
  }

  /// Detaches, with the signal that the thread was about to get, if that is what stopped it; false
  /// when the thread is in no stop any more.
  private func detach(_ tid: Int32, status: CInt) -> Bool {
    guard status & 0x7f == 0x7f else { return true }
    let isEventStop = status >> 16 == 128  // PTRACE_EVENT_STOP: our own request, or a group stop.
    let signal = isEventStop ? 0 : (status >> 8) & 0xff
    return sprof_ptrace_detach(tid, signal) == 0
  }

  private func readRegisters(of stop: Stop) -> Registers? {
    guard sprof_ptrace_get_registers(stop.tid, &registers) == 0 else { return nil }
    // What the thread did when the stop came, even if its system call is restarted.
    let seen = Registers(registers)
    if stop.status >> 16 == 128, stop.mayRestartCall { restartInterruptedCall(stop.tid) }
    return seen
  }
}

// MARK: - The steps of a round of stops

/// Threads that were asked to stop; they stop while this value is there.
///
/// One that is given up without a wait is resumed by `StoppedThreads.releaseOverdue`.
package struct InterruptedThreads: ~Copyable {
  private let stops: StoppedThreads

  fileprivate init(stops: StoppedThreads) { self.stops = stops }

  deinit { stops.giveUp() }

  /// Hands out every thread as soon as it has stopped, and resumes it as soon as `copy` returns.
  ///
  /// `copy` must not allocate or wait. `ended` gets threads that have ended meanwhile, `resumed` the
  /// moment after a thread was resumed.
  @available(*, noasync, message: "blocks until the threads have stopped")
  package consuming func forEachStopped(
    _ copy: (borrowing StoppedThread) -> Void,
    ended: (StoppedThreads.Stop) -> Void = { _ in },
    resumed: (StoppedThreads.Stop, MonotonicClock.Instant) -> Void = { _, _ in }
  ) {
    stops.forEachStopped(copy, ended: ended, resumed: resumed)
  }

  /// Holds all threads at one instant: waits for every stop before the first copy, and resumes them
  /// after the last.
  @available(*, noasync, message: "blocks until the threads have stopped")
  package consuming func forAllStoppedTogether(
    _ copy: (borrowing StoppedThread) -> Void,
    ended: (StoppedThreads.Stop) -> Void = { _ in },
    resumed: (StoppedThreads.Stop, MonotonicClock.Instant) -> Void = { _, _ in }
  ) {
    stops.forAllStoppedTogether(copy, ended: ended, resumed: resumed)
  }
}

/// A thread in its stop: it cannot run before whoever borrows this returns.
package struct StoppedThread: ~Copyable {
  package let stop: StoppedThreads.Stop
  package let registers: Registers

  fileprivate init(stop: StoppedThreads.Stop, registers: Registers) {
    self.stop = stop
    self.registers = registers
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
  private func restartInterruptedCall(_ tid: Int32) {
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
