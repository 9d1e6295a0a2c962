internal import CLinux
internal import Glibc

/// Stops threads for as long as it takes to copy their registers and stacks, and lets them go.
///
/// Belongs to one OS thread: the kernel answers ptrace requests only of the thread that seized.
/// A thread is seized at the beginning of a stop and detached at its end; between ticks nothing of
/// the target is traced. When sprof dies, at any moment, the kernel lets every thread go.
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
    package fileprivate(set) var requested: Int64
    /// Whether a system call that the stop interrupts may be started again from its beginning.
    fileprivate let mayRestartCall: Bool
    fileprivate var status: CInt = 0
  }

  /// How long a stop is waited for before the tick goes on without it: the thread has slipped into
  /// a sleep that nothing can interrupt.
  private static let patience: Int64 = 20_000_000
  /// How long the wait is a poll.
  ///
  /// Sleeping in waitpid would add the wake-up of this thread's CPU to the pause of the target. A
  /// thread on another CPU stops within 10 µs (median, measured); one that takes longer has no CPU,
  /// perhaps because this thread has taken it.
  private static let pollTime: Int64 = 40_000

  private var asked: [Stop] = []
  /// Threads that did not stop in time; they are let go as soon as they do.
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
    asked.append(Stop(tid: tid, tag: tag, requested: 0, mayRestartCall: mayRestartCall))
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
  package func interruptAll() {
    for index in asked.indices {
      asked[index].requested = MonotonicClock.now().rawValue
      // An error means that the thread has ended, which the wait will tell.
      _ = sprof_ptrace_interrupt(asked[index].tid)
    }
  }

  /// Hands every asked thread to `body` as soon as it has stopped, then lets it go.
  ///
  /// `body` runs while the thread is stopped and gets nil registers when the thread has ended; it
  /// must not allocate or wait. `released` is told the moment after the thread was let go.
  @available(*, noasync, message: "blocks until the threads have stopped")
  package func forEachStopped(
    _ body: (Stop, Registers?) -> Void, released: (Stop, Int64) -> Void
  ) {
    defer { endHolding() }
    let start = MonotonicClock.now().rawValue
    while !asked.isEmpty {
      var index = 0
      while index < asked.count {
        // Whose end is collected has no files any more: `body` is to find them.
        if asked[index].tid == process, sprof_has_ended(asked[index].tid) != 0 {
          body(asked[index], nil)
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
        finish(stop, outcome: outcome, body, released)
      }
      guard !asked.isEmpty else { return }
      let waited = MonotonicClock.now().rawValue - start
      if waited > Self.patience {
        for stop in asked { overdue.append(stop.tid) }
        asked.removeAll(keepingCapacity: true)
      } else if waited > Self.pollTime {
        Self.giveWay()
      }
    }
  }

  /// Holds all asked threads at one instant: waits for every stop before the first copy, and lets
  /// all go after the last.
  @available(*, noasync, message: "blocks until the threads have stopped")
  package func forAllStoppedTogether(
    _ body: (Stop, Registers?) -> Void, released: (Stop, Int64) -> Void
  ) {
    defer { endHolding() }
    let start = MonotonicClock.now().rawValue
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
        body(gone, nil)
        continue
      }
      let waited = MonotonicClock.now().rawValue - start
      if waited > Self.patience {
        overdue.append(asked.remove(at: index).tid)
      } else if waited > Self.pollTime {
        Self.giveWay()
      }
    }
    for stop in asked { body(stop, readRegisters(of: stop)) }
    for stop in asked { release(stop, released) }
    asked.removeAll(keepingCapacity: true)
  }

  /// Gives up the CPU, which a thread may need to reach its stop.
  private static func giveWay() {
    // A shorter sleep would be over before another thread got the CPU.
    var time = timespec(tv_sec: 0, tv_nsec: 20_000)
    nanosleep(&time, nil)
  }

  /// Lets go the threads that stopped too late for their tick.
  ///
  /// Call it once a tick. Those that have not stopped are asked again: the kernel drops a request
  /// that meets the `execve` of the thread (6.18), and the thread would never stop.
  package func releaseOverdue() {
    guard !overdue.isEmpty else { return }
    defer { endHolding() }
    overdue.removeAll { tid in
      // Left for whoever waits for the program: until then its files tell what it did.
      if tid == process, sprof_has_ended(tid) != 0 { return true }
      var status: CInt = 0
      let outcome = sprof_wait(tid, &status, 1)
      guard outcome != 0 else {
        _ = sprof_ptrace_interrupt(tid)
        return false
      }
      noteEnd(tid, outcome: outcome, status: status)
      return outcome < 0 || detach(tid, status: status)
    }
  }

  private func finish(
    _ stop: Stop, outcome: CInt, _ body: (Stop, Registers?) -> Void,
    _ released: (Stop, Int64) -> Void
  ) {
    guard outcome > 0, stop.status & 0x7f == 0x7f else {
      noteEnd(stop.tid, outcome: outcome, status: stop.status)
      body(stop, nil)
      return
    }
    body(stop, readRegisters(of: stop))
    release(stop, released)
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

  private func release(_ stop: Stop, _ released: (Stop, Int64) -> Void) {
    // Killed in its stop: it stays ours, and an `execve` waits until its end is collected.
    if !detach(stop.tid, status: stop.status) { overdue.append(stop.tid) }
    released(stop, MonotonicClock.now().rawValue)
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
    // What the thread did when the stop came, also if its system call is started again.
    let seen = Registers(registers)
    if stop.status >> 16 == 128, stop.mayRestartCall { restartInterruptedCall(stop.tid) }
    return seen
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
