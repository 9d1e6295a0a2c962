/// What threads waited for over the time of a capture, tick by tick, and who held it meanwhile.
///
/// A blocking is the look-up of one long sleep. A history has the short waits too, and each change of
/// a lock's owner during one sleep.
package struct WaitHistory: Hashable, Sendable {
  /// A stretch of one thread's time: at each of its ticks the thread was found in the same wait.
  package struct Span: Hashable, Sendable {
    /// Index into `Profile.threads`.
    package var thread: Int
    /// Index into `waits`.
    package let wait: Int
    /// Nanoseconds from the start of the capture.
    package var start: Int64
    package var end: Int64

    package init(thread: Int, wait: Int, start: Int64, end: Int64) {
      self.thread = thread
      self.wait = wait
      self.start = start
      self.end = end
    }
  }

  /// The most waits and spans that a profile keeps.
  package static let waitLimit = 1 << 14
  package static let spanLimit = 1 << 19

  /// Each lock, descriptor and the like, once for each of its owners.
  package private(set) var waits: [Wait] = []
  /// The spans of each thread in the order of time, those of different threads mixed.
  package private(set) var spans: [Span] = []

  package init() {}

  package init(waits: [Wait], spans: [Span]) {
    self.waits = waits
    self.spans = spans.filter { waits.indices.contains($0.wait) && $0.start < $0.end }
  }

  package var isEmpty: Bool { spans.isEmpty }

  /// Adds another history, whose threads are `first` further on and whose times `shift` later.
  ///
  /// Where either limit is reached the rest is left out.
  package mutating func add(_ other: WaitHistory, firstThread first: Int, shift: Int64) {
    let base = waits.count
    waits += other.waits.prefix(max(0, Self.waitLimit - base))
    for var span in other.spans.prefix(max(0, Self.spanLimit - spans.count))
    where base + span.wait < waits.count {
      span.thread += first
      span.start &+= shift
      span.end &+= shift
      guard span.start < span.end else { continue }
      spans.append(
        Span(thread: span.thread, wait: base + span.wait, start: span.start, end: span.end))
    }
  }

  /// The history with each wait replaced.
  package func mapWaits(_ change: (Wait) -> Wait) -> WaitHistory {
    WaitHistory(waits: waits.map(change), spans: spans)
  }

  /// The history with all times later by `shift`.
  package func shifted(by shift: Int64) -> WaitHistory {
    var moved = WaitHistory()
    moved.waits = waits
    moved.spans = spans.map { span in
      var span = span
      span.start &+= shift
      span.end &+= shift
      return span
    }
    return moved
  }

  /// The spans of the threads that have a place in `places` (below 0 for none), within a window of
  /// time.
  package func moved(to places: [Int], from: Int64 = .min, until: Int64 = .max) -> WaitHistory {
    var kept: [Span] = []
    for var span in spans where places.indices.contains(span.thread) && places[span.thread] >= 0 {
      span.thread = places[span.thread]
      span.start = max(span.start, from)
      span.end = min(span.end, until)
      if span.start < span.end { kept.append(span) }
    }
    return WaitHistory(waits: waits, spans: kept)
  }
}
