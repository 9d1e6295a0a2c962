/// The line on the terminal that shows the progress of a capture.
package struct ProgressLine: Sendable {
  /// Seconds to go; nil for a capture that runs until it is interrupted.
  package var timeLeft: Double?
  /// Seconds since the capture began.
  package var elapsed: Double
  /// Ticks taken.
  package var ticks: Int64
  /// Threads that exist now.
  package var threads: Int
  /// The share of the time in which a thread was stopped, 0 to 1.
  package var stoppedShare: Double

  package init(
    timeLeft: Double?, elapsed: Double, ticks: Int64, threads: Int, stoppedShare: Double
  ) {
    self.timeLeft = timeLeft
    self.elapsed = elapsed
    self.ticks = ticks
    self.threads = threads
    self.stoppedShare = stoppedShare
  }

  /// Clears the line and leaves the cursor at its start.
  package static let erasure = "\r\u{1B}[K"

  /// The text alone, at most `width` columns: parts that do not fit are left out from the right.
  package func text(width: Int) -> String {
    let time =
      timeLeft.map { "\(tenths($0)) s left" } ?? "\(tenths(elapsed)) s, press Ctrl-C to stop"
    let parts = [
      time, "\(ticks) tick\(ticks == 1 ? "" : "s")", "\(threads) thread\(threads == 1 ? "" : "s")",
      "\(tenths(stoppedShare * 100)) % stopped",
    ]
    var text = ""
    for part in parts {
      let longer = text.isEmpty ? part : text + " · " + part
      // Every character of these words takes one column.
      if longer.count > width { break }
      text = longer
    }
    return text
  }

  /// What to write to the terminal to replace the last line by this one.
  ///
  /// The last column stays free, so that no terminal wraps the line.
  package func rendered(width: Int) -> String {
    "\r" + text(width: width - 1) + "\u{1B}[K"
  }

  /// One decimal; anything that is not a plain number counts as nothing.
  private func tenths(_ value: Double) -> String {
    let bounded = value.isFinite ? min(max(value, 0), 1e12) : 0
    let tenths = Int64((bounded * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
