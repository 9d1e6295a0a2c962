internal import LinuxProcess
internal import ProfileModel

// MARK: - Threads that are to stop in this tick

extension Sampler {
  /// Seizes a thread that is to stop in this tick.
  ///
  /// `met` is the sleep that the tick has met it in. Returns false, having changed nothing, when that is refused.
  func seize(
    _ thread: SampledThread, index: Int, call: SystemCallState, state: ThreadState,
    interval: Weight, met: MetSleep? = nil
  ) -> Bool {
    guard mayStop else { return false }
    var mayRestart = true
    if case .asleep(let number, let arguments, _, _) = call {
      mayRestart = SystemCallNames.interruption(of: number, arguments) == .restartable
    }
    runtimes?.warmUp(thread.tid, from: memory)
    switch stops.seize(thread.tid, tag: index, mayRestartCall: mayRestart) {
    case .refused(let code):
      // The kernel forbids also what has ended (ptrace_attach).
      guard thread.files.state().map({ !$0.hasEnded }) ?? false else {
        thread.skip(interval)
        noteEndInStop(of: thread)
        return true
      }
      refusals[thread.tid] = code
      thread.stopRequest = .refused
      return false
    case .gone: if counters(of: thread) == nil { endIfGone(thread) }
    case .requested: break
    }
    thread.preparedFrames = runtimes?.prepare(thread.tid)
    let counters = counters(of: thread)
    if let counters { thread.noteSwitches(counters, isAsleep: call.isAsleep) }
    thread.stopRequest = .made(
      SampledThread.BeforeStop(
        call: call, state: state, counters: counters, time: MonotonicClock.now(), met: met))
    thread.skip(interval)
    return true
  }

  /// Seizes a thread that runs, and that may have slept when the tick met it.
  func seizeRunning(
    _ thread: SampledThread, index: Int, interval: Weight, met: MetSleep? = nil
  ) {
    guard
      !seize(
        thread, index: index, call: .running, state: .running, interval: interval, met: met)
    else { return }
    recordRefused(thread, interval: interval)
  }

  /// A running thread that another tracer holds, or that the kernel keeps from us.
  func recordRefused(_ thread: SampledThread, interval: Weight) {
    guard let counters = counters(of: thread) else {
      return endIfGone(thread, leaving: interval)
    }
    let state = thread.files.state() ?? .running
    recordWithoutStack(
      thread, state: state, time: thread.account.lastTime, interval: interval, counters: counters)
    thread.wake()
  }

  /// Whether a stop would change nothing that the thread's system call returns.
  func mayInterrupt(
    _ state: ThreadState, call number: Int32, _ arguments: InlineArray<6, UInt64>
  ) -> Bool {
    // A thread in state D cannot stop. One that a signal has stopped is at rest before its system
    // call goes on, and stays stopped when it is resumed (ptrace(2), "Group-stop").
    if state == .stopped { return true }
    guard state == .sleeping || state == .idle else { return false }
    if options.stopAll { return true }
    switch SystemCallNames.interruption(of: number, arguments) {
    case .none: return true
    case .restartable: return true
    case .visible: return false
    case .visibleOnSocket: return !isSocket(arguments[0])
    }
  }

  /// Like `mayInterrupt`, but asks only once what kind of descriptor the thread reads from.
  func toleratesStop(
    _ thread: SampledThread, _ state: ThreadState, _ number: Int32,
    _ arguments: InlineArray<6, UInt64>
  ) -> Bool {
    guard SystemCallNames.interruption(of: number, arguments) == .visibleOnSocket else {
      return mayInterrupt(state, call: number, arguments)
    }
    if let known = thread.descriptor, known.number == arguments[0] { return !known.isSocket }
    let isSocket = isSocket(arguments[0])
    thread.descriptor = SampledThread.Descriptor(number: arguments[0], isSocket: isSocket)
    return !isSocket
  }

  /// Whether the target's descriptor is a socket, or cannot be told from one.
  private func isSocket(_ descriptor: UInt64) -> Bool {
    let link = folder.link("fd/\(descriptor)", of: pid)
    return link.map { $0.hasPrefix("socket:") } ?? true
  }
}

extension SystemCallState {
  fileprivate var isAsleep: Bool { if case .asleep = self { true } else { false } }
}
