internal import CLinux
internal import Glibc

/// The signals that a thread blocks.
package struct SignalMask: Sendable {
  let signals: sigset_t

  /// Blocks `signals` for the calling thread and those that it starts; returns the mask of before.
  package static func block(_ signals: [Int32]) -> SignalMask {
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for signal in signals { sigaddset(&blocked, signal) }
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    return SignalMask(signals: before)
  }
}
