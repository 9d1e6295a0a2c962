import Glibc
import LinuxProcess
import ProfileModel
import Sampling
import Synchronization

/// Ctrl-C: the first one stops the capture, which is then reported; the second one ends sprof.
enum Interrupts {
  private static let count = Atomic<Int>(0)
  private static let isIgnored = Atomic<Bool>(false)
  /// The same signal within this time is the first one again: `timeout` sends it to sprof and to its
  /// group.
  private static let shortest = Nanoseconds.milliseconds(100)
  private static let control = Mutex<CaptureControl?>(nil)

  /// Makes SIGINT and SIGTERM stop the capture that `control` belongs to.
  static func end(_ control: CaptureControl) throws {
    Self.control.withLock { $0 = control }
    // A thread of our own takes the signals, so that nothing has to be safe in a signal handler.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    _ = try OSThread.start { Self.wait() }
  }

  /// Makes signals do nothing from now on: another program of the terminal takes them.
  static func ignore() {
    isIgnored.store(true, ordering: .relaxed)
    signal(SIGINT, SIG_IGN)
  }

  private static func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    var number: CInt = 0
    var first: MonotonicClock.Instant?
    while sigwait(&signals, &number) == 0 {
      if isIgnored.load(ordering: .relaxed) {
        if number == SIGTERM { _exit(128 + number) }
        continue
      }
      let now = MonotonicClock.now()
      if let first, now - first < shortest { continue }
      first = first ?? now
      // The kernel resumes every thread that sprof has stopped (ptrace(2)).
      if count.wrappingAdd(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      control.withLock { $0?.stop() }
    }
  }
}
