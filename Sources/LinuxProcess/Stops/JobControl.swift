internal import CLinux
internal import Glibc
internal import ProfileModel
internal import Synchronization

/// Keeps a stop of this process, as by Ctrl-Z, from freezing the thread that it holds just then.
///
/// A thread that is held when its tracer is stopped stays held until the tracer continues. The signals of
/// the terminal therefore wait, a few hundred microseconds, until nothing is held. SIGSTOP cannot
/// wait.
package enum JobControl {
  private static let signals = [SIGTSTP, SIGTTIN, SIGTTOU]
  /// How long a waiting stop keeps everybody from seizing threads: then others have a turn, for a
  /// thread may sleep for hours where it can be neither stopped nor resumed.
  private static let patience = Nanoseconds.milliseconds(100)
  private static let pause = Nanoseconds.microseconds(100)

  /// How many tracers hold a thread, or have asked for it.
  private static let holders = Atomic<Int>(0)
  private static let isStopping = Atomic<Bool>(false)

  /// From now on the signals that stop a job at the terminal stop this process only while it holds
  /// nothing.
  ///
  /// Call it on the main thread before the first other thread that takes signals. They are blocked
  /// then: what is started from here needs the mask of before (`SignalMask`).
  ///
  /// `before` and `after` are called around each stop, on a thread of its own.
  package static func begin(
    before: @escaping @Sendable () -> Void = {}, after: @escaping @Sendable () -> Void = {}
  ) throws(SystemError) {
    _ = SignalMask.block(signals)
    try OSThread.start { wait(before, after) }.detach()
  }

  /// Call it before a thread is seized; waits while this process is about to be stopped.
  static func beginHolding() {
    while true {
      holders.add(1, ordering: .sequentiallyConsistent)
      guard isStopping.load(ordering: .sequentiallyConsistent) else { return }
      holders.subtract(1, ordering: .sequentiallyConsistent)
      MonotonicClock.sleep(for: pause)
    }
  }

  /// Call it when the last thread was resumed.
  static func endHolding() { holders.subtract(1, ordering: .sequentiallyConsistent) }

  private static func wait(_ before: () -> Void, _ after: () -> Void) {
    var awaited = sigset_t()
    sigemptyset(&awaited)
    for signal in signals { sigaddset(&awaited, signal) }
    var signal: CInt = 0
    while sigwait(&awaited, &signal) == 0 {
      before()
      while !stop(by: signal) { MonotonicClock.sleep(for: patience) }
      after()
    }
  }

  /// Does what the signal would have done, and returns when this process continues; false when
  /// something is held all the time.
  private static func stop(by signal: CInt) -> Bool {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    defer { isStopping.store(false, ordering: .sequentiallyConsistent) }
    let deadline = MonotonicClock.now() + patience
    while holders.load(ordering: .sequentiallyConsistent) > 0 {
      guard MonotonicClock.now() < deadline else { return false }
      MonotonicClock.sleep(for: pause)
    }
    // The signal itself and not SIGSTOP: the kernel ignores it where no shell could continue the
    // process (an orphaned process group), and the shell reports which it was.
    var one = sigset_t()
    sigemptyset(&one)
    sigaddset(&one, signal)
    pthread_kill(pthread_self(), signal)
    pthread_sigmask(SIG_UNBLOCK, &one, nil)
    pthread_sigmask(SIG_BLOCK, &one, nil)
    return true
  }
}
