/// What counts as a freeze.
package struct FreezeRule: Sendable {
  /// The default threshold: what a user feels.
  package static let defaultThreshold: Int64 = 100_000_000

  /// In nanoseconds: a thread with an event loop that stays away from it for this long has frozen.
  package var threshold: Int64
  /// Of the threads without an event loop, which are judged by their waits; nil for the main thread.
  package var chosen: ThreadFilter?

  package init(threshold: Int64 = Self.defaultThreshold, chosen: ThreadFilter? = nil) {
    self.threshold = max(1, threshold)
    self.chosen = chosen
  }
}
