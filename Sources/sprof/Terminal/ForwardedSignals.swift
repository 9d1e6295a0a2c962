import Glibc
import LinuxProcess
import Synchronization

/// Passes the signals that ask sprof to end on to the program that it started.
///
/// sprof itself goes on until the program ends, and only then reports. What the terminal sends for a
/// key goes to both anyway, and is not sent twice.
final class ForwardedSignals: Sendable {
  private enum Receiver: Sendable {
    /// The program is about to start: it gets them then.
    case later([Int32])
    case program(HeldProgram)
    /// The program has ended: sprof itself.
    case sprof
  }

  /// The signal mask that sprof was started with: the program's.
  let originalMask: SignalMask
  private let receiver = Mutex(Receiver.later([]))

  /// From now on the signals wait for `forward`.
  init() throws {
    // A reader of stderr that has gone must not end sprof, which is to exit as the program does:
    // then the write fails.
    originalMask = SignalMask.block(Self.signals + [SIGPIPE])
    _ = try OSThread.start { [self] in wait() }
  }

  /// Passes on what has come so far, and what comes.
  func forward(to program: HeldProgram) {
    receiver.withLock { receiver in
      if case .later(let signals) = receiver { signals.forEach { program.send($0) } }
      receiver = .program(program)
    }
  }

  /// From now on such a signal ends sprof.
  func stopForwarding() { receiver.withLock { $0 = .sprof } }

  private static let signals = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH]

  private func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in Self.signals { sigaddset(&signals, signal) }
    var info = siginfo_t()
    while true {
      let signal = sigwaitinfo(&signals, &info)
      guard signal > 0 else { continue }
      // SI_KERNEL, 0x80 (siginfo.h): a key at the terminal, whose whole foreground group gets it.
      let isForAll = info.si_code == 0x80
      receiver.withLock { receiver in
        switch receiver {
        case .later(let earlier): receiver = .later(earlier + [signal])
        case .program(let program): if !isForAll { program.send(signal) }
        case .sprof: if signal != SIGWINCH { _exit(128 + signal) }
        }
      }
    }
  }
}
