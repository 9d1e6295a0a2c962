/// A stretch for which a capture was kept: a thread had not come back to its event loop, or had not left
/// one wait.
package struct RecordedFreeze: Hashable, Sendable {
  package var tid: Int32
  /// Nanoseconds from the start of the capture, from the thread's last sample at rest to its next.
  package var start: Int64
  package var end: Int64
  /// Whether the thread had come back when the capture ended.
  package var isOver: Bool
  /// How long a freeze had to be, in nanoseconds.
  package var threshold: Int64

  package init(tid: Int32, start: Int64, end: Int64, isOver: Bool, threshold: Int64) {
    self.tid = tid
    self.start = start
    self.end = end
    self.isOver = isOver
    self.threshold = threshold
  }

  /// How long it lasted, as far as the capture goes.
  package var length: Int64 { max(0, end &- start) }
}
