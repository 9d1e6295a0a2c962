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
    package internal(set) var requested: MonotonicClock.Instant
    /// When it was last found not to have stopped; the time of the request, where it never was.
    package internal(set) var awaited = MonotonicClock.Instant.distantPast
    /// Whether a system call that the stop interrupts may be restarted from its beginning.
    let mayRestartCall: Bool
    var status: CInt = 0
    /// Whether there is nothing more to copy: it was copied, or is none that was asked for.
    var isDone = false
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

  var asked: [Stop] = []
  /// Threads that did not stop in time; they are resumed as soon as they do.
  var overdue: [Stop] = []
  /// When those were last looked at.
  var overdueTime = MonotonicClock.Instant.distantPast
  var registers = user_regs_struct()
  /// System calls that were interrupted by a stop and made to go on as if nothing had been.
  package internal(set) var restartedSystemCalls = 0
  /// The end of a watched program that is a child of this process, as `waitpid` gave it here: whoever
  /// waits for it will not get it again.
  package private(set) var collectedEnd: CInt?
  let process: Int32?
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
  package func isOverdue(_ tid: Int32) -> Bool { overdue.contains { $0.tid == tid } }

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
    var result = seize(tid)
    if result == -EPERM, tid == process {
      // By an execve its number may just have become that of a thread which is held already, or the
      // refusal was of the thread that had it before.
      if followExecution() { return .gone }
      result = seize(tid)
    }
    guard result == 0 else {
      endHolding()
      return result == -ESRCH ? .gone : .refused(-result)
    }
    asked.append(
      Stop(tid: tid, tag: tag, requested: .distantPast, mayRestartCall: mayRestartCall)
    )
    return .requested
  }

  func endHolding() {
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
      asked[index].awaited = asked[index].requested
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
    var gone: [Stop] = []
    // Whoever is told of an end may wait for its figures: not while another thread is held.
    defer { for stop in gone { end(stop, ended) } }
    while !asked.isEmpty {
      var index = 0
      while index < asked.count {
        let outcome = sprof_poll(asked[index].tid, &asked[index].status)
        guard outcome != 0 else {
          asked[index].awaited = MonotonicClock.now()
          index += 1
          continue
        }
        let stop = asked[index]
        asked.swapAt(index, asked.count - 1)
        asked.removeLast()
        if outcome > 0, stop.status & 0x7f == 0x7f {
          hand(stop, to: copy, ended: ended)
          resume(stop, resumed)
        } else {
          if outcome < 0 { followExecution() }
          gone.append(stop)
        }
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
    for stop in asked { wait(late: stop) }
    asked.removeAll(keepingCapacity: true)
  }

  fileprivate func forAllStoppedTogether(
    _ copy: (borrowing StoppedThread) -> Void, ended: (Stop) -> Void,
    resumed: (Stop, MonotonicClock.Instant) -> Void
  ) {
    defer { endHolding() }
    let start = MonotonicClock.now()
    var index = 0
    var gone: [Stop] = []
    // Threads that have stopped are moved to the front, those still waited for stay behind them.
    while index < asked.count {
      let outcome = sprof_poll(asked[index].tid, &asked[index].status)
      if outcome > 0, asked[index].status & 0x7f == 0x7f {
        index += 1
        continue
      }
      if outcome != 0 {
        if outcome < 0 { followExecution() }
        gone.append(asked.remove(at: index))
        continue
      }
      let waited = MonotonicClock.now() - start
      if waited > Self.patience {
        wait(late: asked.remove(at: index))
      } else if waited > Self.pollTime {
        Self.giveWay()
      }
    }
    for stop in asked { hand(stop, to: copy, ended: ended) }
    for stop in asked { resume(stop, resumed) }
    asked.removeAll(keepingCapacity: true)
    for stop in gone { end(stop, ended) }
  }

  /// Gives up the CPU, which a thread may need to reach its stop.
  private static func giveWay() {
    // A shorter sleep would be over before another thread got the CPU.
    var time = timespec(tv_sec: 0, tv_nsec: 20_000)
    nanosleep(&time, nil)
  }

  /// Hands out a thread in its stop; it may have been killed there.
  private func hand(
    _ stop: Stop, to copy: (borrowing StoppedThread) -> Void, ended: (Stop) -> Void
  ) {
    guard let (registers, call) = readRegisters(of: stop) else { return ended(stop) }
    copy(StoppedThread(stop: stop, registers: registers, call: call))
  }

  /// Hands out a thread that has ended, and collects its end; its files, which have its last figures, are
  /// there until then.
  func end(_ stop: Stop, _ ended: (Stop) -> Void) {
    ended(stop)
    var status: CInt = 0
    // The main thread's status is the process's.
    guard sprof_wait(stop.tid, &status, 1) > 0, status & 0x7f != 0x7f, stop.tid == process
    else { return }
    collectedEnd = status
  }

  private func resume(_ stop: Stop, _ resumed: (Stop, MonotonicClock.Instant) -> Void) {
    if !detach(stop.tid, status: stop.status) {
      // Killed in its stop: it stays ours, and an `execve` waits until its end is collected.
      var killed = stop
      killed.isDone = true
      wait(late: killed)
    }
    resumed(stop, MonotonicClock.now())
  }

  /// Detaches, with the signal that the thread was about to get, if that is what stopped it; false
  /// when the thread is in no stop any more.
  func detach(_ tid: Int32, status: CInt) -> Bool {
    guard status & 0x7f == 0x7f else { return true }
    let isEventStop = status >> 16 == 128  // PTRACE_EVENT_STOP: our own request, or a group stop.
    let signal = isEventStop ? 0 : (status >> 8) & 0xff
    return sprof_ptrace_detach(tid, signal) == 0
  }

  func readRegisters(of stop: Stop) -> (Registers, StoppedThread.Call?)? {
    guard sprof_ptrace_get_registers(stop.tid, &registers) == 0 else { return nil }
    // What the thread did when the stop came, even if its system call is restarted.
    let seen = (Registers(registers), registers.systemCall)
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
  /// A system call that a thread was in when its stop came.
  package struct Call: Sendable {
    package let number: Int32
    package let arguments: InlineArray<6, UInt64>
    /// Whether the stop woke the thread up: else the call was about to return by itself.
    package let wasInterrupted: Bool
  }

  package let stop: StoppedThreads.Stop
  package let registers: Registers
  /// Nil for a thread that was in none.
  package let call: Call?

  init(stop: StoppedThreads.Stop, registers: Registers, call: Call?) {
    self.stop = stop
    self.registers = registers
    self.call = call
  }
}
