import Glibc
import LinuxProcess
import Sampling
import Synchronization

/// Ctrl-C: the first one stops the capture, which is then reported; the second one ends sprof.
enum Interrupts {
  private static let count = Atomic<Int>(0)
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

  private static func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    var number: CInt = 0
    while sigwait(&signals, &number) == 0 {
      // The kernel resumes every thread that sprof has stopped (ptrace(2)).
      if count.wrappingAdd(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      control.withLock { $0?.stop() }
    }
  }
}
