internal import LinuxProcess
package import ProfileModel
internal import Synchronization

/// How far a capture is, for a progress line.
package struct CaptureProgress: Sendable {
  /// Since the capture began.
  package var elapsed: Nanoseconds = 0
  package var ticks: Int64 = 0
  /// The ticks that were due until the last of those.
  package var ticksPlanned: Int64 = 0
  package var threads = 0
  /// Samples that needed no stop, and stops.
  package var samplesWithoutStop: Int64 = 0
  package var stops: Int64 = 0
  /// In which at least one thread was held.
  package var stoppedTime: Nanoseconds = 0

  package init() {}
}

/// Ends a capture early, and shows how far it is; may be used from any thread.
package final class CaptureControl: Sendable {
  private let isStopWanted = Atomic<Bool>(false)
  private let current = Mutex(CaptureProgress())
  private let isQuietNow = Atomic<Bool>(false)
  private let wantsGrowth = Atomic<Bool>(true)
  private let snapshotReceiver = Mutex<SnapshotReceiver?>(nil)
  private let waker = Waker()

  /// Gets a profile of what was seen so far, with names, and when the capture began.
  typealias SnapshotReceiver = @Sendable (Profile, MonotonicClock.Instant) -> Void

  package init() {}

  /// Asks the capture to end.
  ///
  /// It does within a tenth of a second. Safe in a signal handler.
  package func stop() {
    isStopWanted.store(true, ordering: .releasing)
    waker.wake()
  }

  /// Whether the capture was asked to end.
  package var shouldStop: Bool { isStopWanted.load(ordering: .acquiring) }

  /// Whether the capture stops nothing and samples at its plan's quiet rate; it follows at once where it is
  /// not to be quiet any more.
  var isQuiet: Bool {
    get { isQuietNow.load(ordering: .acquiring) }
    set {
      isQuietNow.store(newValue, ordering: .releasing)
      waker.wake()
    }
  }

  /// Sleeps until it is `deadline`, or the capture was asked to end or not to be quiet any more.
  @available(*, noasync, message: "blocks the thread")
  func sleepUntilChange(orUntil deadline: MonotonicClock.Instant) { waker.wait(until: deadline) }

  /// Whether the recorder gets what is new.
  var isRecorded: Bool {
    get { wantsGrowth.load(ordering: .acquiring) }
    set { wantsGrowth.store(newValue, ordering: .releasing) }
  }

  /// Asks for a profile of what was seen so far; `receive` gets it soon, on a thread of the capture.
  func requestSnapshot(_ receive: @escaping SnapshotReceiver) {
    snapshotReceiver.withLock { $0 = receive }
  }

  /// Takes the request for a profile, if there is one.
  func takeSnapshotRequest() -> SnapshotReceiver? { snapshotReceiver.withLock { $0.take() } }

  /// How far the capture is; brought up to date ten times a second.
  package var progress: CaptureProgress {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
