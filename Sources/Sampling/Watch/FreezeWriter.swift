internal import LinuxProcess
internal import ProfileModel

/// Finishes captures one after the other, on a thread of its own: the program is watched meanwhile.
final class FreezeWriter {
  private let receiver: any FreezeReceiver
  private var handle: OSThread.Handle?

  init(_ receiver: any FreezeReceiver) { self.receiver = receiver }

  /// Ends a capture, and hands it over.
  @available(*, noasync, message: "blocks while the capture before is written")
  func write(_ capture: QuietCapture, of freezes: [WatchedFreeze]) {
    finish()
    capture.control.stop()
    let work: @Sendable () -> Void = { [receiver] in
      switch capture.finish() {
      case .success(let finished):
        receiver.take(finished.profile, of: freezes, since: finished.startTime)
      case .failure(let failure): receiver.lose(freezes, failure)
      }
    }
    do {
      handle = try OSThread.start(work)
    } catch {
      work()
    }
  }

  /// Waits until all is handed over.
  @available(*, noasync, message: "blocks while a capture is written")
  func finish() { handle.take()?.join() }
}
