import Glibc
import LinuxProcess
import ProfileModel
import Sampling
import Synchronization
import TerminalUI

/// Shows the progress of a capture on the terminal.
final class ProgressDisplay: Sendable {
  private let isDone = Atomic<Bool>(false)
  private let control: CaptureControl
  private let duration: Nanoseconds?

  init(control: CaptureControl, duration: Nanoseconds?) {
    self.control = control
    self.duration = duration
  }

  /// Runs `body` with the progress line shown; clears it before returning.
  func show<Value>(during body: () throws -> Value) throws -> Value {
    guard Terminal.showsProgress,
      let display = try? OSThread.start({ [self] in redraw() })
    else { return try body() }
    let result = Result { try body() }
    isDone.store(true, ordering: .releasing)
    display.join()
    return try result.get()
  }

  private func redraw() {
    while !isDone.load(ordering: .acquiring) {
      let progress = control.progress
      let elapsed = progress.elapsed.inSeconds
      let line = ProgressLine(
        timeLeft: duration.map { max(0, $0.inSeconds - elapsed) }, elapsed: elapsed,
        ticks: progress.ticks, threads: progress.threads,
        stoppedShare: progress.elapsed > 0
          ? progress.stoppedTime.inSeconds / elapsed : 0)
      // A background job must not write over what the foreground job shows.
      if Terminal.isForeground { Terminal.writeError(line.rendered(width: Terminal.errorWidth)) }
      usleep(100_000)
    }
    if Terminal.isForeground { Terminal.writeError(ProgressLine.erasure) }
  }
}
