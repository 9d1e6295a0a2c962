import Glibc
import LinuxProcess
import Synchronization

/// Passes the signals that ask sprof to end on to the program that it started.
///
/// sprof itself goes on until the program ends, and only then reports. What the terminal sends for a
/// key goes to both anyway, and is not sent twice.
final class ForwardedSignals: Sendable {
  /// The signal mask that sprof was started with: the program's.
  let originalMask: SignalMask
  private let pid = Atomic<Int32>(0)

  init() throws {
    originalMask = SignalMask.block(Self.signals)
    _ = try TracerThread.startHelper { [self] in wait() }
  }

  func forward(to pid: Int32) { self.pid.store(pid, ordering: .releasing) }

  /// From now on such a signal ends sprof.
  func stopForwarding() { pid.store(-1, ordering: .releasing) }

  private static let signals = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH]

  private func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in Self.signals { sigaddset(&signals, signal) }
    var info = siginfo_t()
    while true {
      let signal = sigwaitinfo(&signals, &info)
      guard signal > 0 else { continue }
      let target = pid.load(ordering: .acquiring)
      guard target > 0 else {
        if target < 0, signal != SIGWINCH { _exit(128 + signal) }
        continue
      }
      // SI_KERNEL, 0x80 (siginfo.h): a key at the terminal, whose whole foreground group gets it.
      if info.si_code != 0x80 { kill(target, signal) }
    }
  }
}
