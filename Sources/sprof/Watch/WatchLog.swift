import LinuxProcess
import ProfileExport
import Synchronization

/// The log of `watch`: a line for each event, at once.
final class WatchLog: Sendable {
  private let descriptor: CInt
  private let isJSON: Bool
  /// What kept the log from being written; the watch goes on.
  private let failure = Mutex<Diagnostic?>(nil)

  init(to descriptor: CInt, json: Bool) {
    self.descriptor = descriptor
    isJSON = json
  }

  /// Throws when a line could not be written.
  func check() throws {
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  func write(_ event: WatchEvent) {
    let time = Host.wallClock()
    failure.withLock { failure in
      do {
        try FileOutput.write(to: descriptor) { output in
          if isJSON {
            event.writeJSON(to: &output, time: time)
          } else {
            event.write(to: &output, stamp: DumpWatch.stamp(time))
          }
        }
      } catch {
        failure = failure ?? error as? Diagnostic
      }
    }
  }
}
