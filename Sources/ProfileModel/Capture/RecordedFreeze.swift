/// A stretch for which a capture was kept: a thread had not come back to its event loop, or had not left
/// one wait.
package struct RecordedFreeze: Hashable, Sendable {
  package var tid: Int32
  /// Nanoseconds from the start of the capture, from the thread's last sample at rest to its next.
  package var start: Int64
  package var end: Int64
  /// Whether the thread had come back when the capture ended.
  package var isOver: Bool
  /// Whether the thread was never seen at rest before it, so that it lasted longer.
  package var beganBefore: Bool
  /// How long a freeze had to be, in nanoseconds.
  package var threshold: Int64

  package init(
    tid: Int32, start: Int64, end: Int64, isOver: Bool, beganBefore: Bool = false, threshold: Int64
  ) {
    self.tid = tid
    self.start = start
    self.end = end
    self.isOver = isOver
    self.beganBefore = beganBefore
    self.threshold = threshold
  }

  /// Whether it lasted longer than is known.
  package var isAtLeast: Bool { beganBefore || !isOver }

  /// How long it lasted, as far as the capture goes.
  package var length: Int64 { max(0, end &- start) }
}
