package import ProfileModel
internal import Synchronization

/// How far a capture is, for a progress line.
package struct CaptureProgress: Sendable {
  /// Since the capture began.
  package var elapsed: Nanoseconds = 0
  package var ticks: Int64 = 0
  package var threads = 0
  /// In which at least one thread was held.
  package var stoppedTime: Nanoseconds = 0

  package init() {}
}

/// Ends a capture early, and shows how far it is; may be used from any thread.
package final class CaptureControl: Sendable {
  private let isStopWanted = Atomic<Bool>(false)
  private let current = Mutex(CaptureProgress())

  package init() {}

  /// Asks the capture to end.
  ///
  /// It does within a tenth of a second. Safe in a signal handler.
  package func stop() { isStopWanted.store(true, ordering: .releasing) }

  var shouldStop: Bool { isStopWanted.load(ordering: .acquiring) }

  /// How far the capture is; brought up to date ten times a second.
  package var progress: CaptureProgress {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
