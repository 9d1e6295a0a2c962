/// What a window of the program made of the pings that it was sent during a capture (`--ping`): the window
/// manager's own question whether a program still takes its events (`_NET_WM_PING`).
package struct PingedWindow: Hashable, Sendable {
  package var title: String
  /// How many pings it was sent; 0 for a window that does not take part in them.
  package var sent: Int
  package var answered: Int
  /// The longest time that an answer took, in nanoseconds.
  package var slowest: Int64
  /// How long the last ping was without an answer when the capture ended; nil when it was answered.
  package var unanswered: Int64?

  package init(
    title: String, sent: Int = 0, answered: Int = 0, slowest: Int64 = 0, unanswered: Int64? = nil
  ) {
    self.title = title
    self.sent = sent
    self.answered = answered
    self.slowest = slowest
    self.unanswered = unanswered
  }
}
