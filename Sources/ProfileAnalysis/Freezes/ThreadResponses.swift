/// How one thread responded during a capture.
package struct ThreadResponses: Sendable {
  /// Index into `profile.threads`.
  package let thread: Int
  /// Nil for a thread without an event loop, whose long waits are its freezes.
  package internal(set) var loop: EventLoop?
  /// Whether it was ever seen at rest, or in its loop.
  package internal(set) var hasReturned = false
  /// The samples that found it at rest.
  var restSamples: Int64 = 0
  /// In the order of time.
  package internal(set) var freezes: [Freeze] = []
  /// As long as a freeze and without a rest, but perhaps of many short handlers and not of one long
  /// one: samples cannot tell.
  package internal(set) var unclear: [Freeze] = []
  /// The lengths of the times between two rests in which samples found the thread, ascending.
  package internal(set) var betweenRests: [Int64] = []

  init(thread: Int) { self.thread = thread }

  /// Takes over the freezes that a flight recorder has seen, which knows more of their time than samples do.
  mutating func take(_ recorded: [Freeze]) {
    let isKnown = { (freeze: Freeze) in
      recorded.contains { freeze.start < $0.stop && freeze.stop > $0.start }
    }
    loop = loop ?? recorded.lazy.compactMap(\.loop).first
    freezes.removeAll(where: isKnown)
    unclear.removeAll(where: isKnown)
    freezes = (freezes + recorded).sorted { $0.start < $1.start }
    guard loop != nil, let shortest = recorded.map(\.length).min() else { return }
    // The times of samples that are far apart are rough.
    betweenRests.removeAll { $0 >= shortest / 2 }
    betweenRests = (betweenRests + recorded.map(\.length)).sorted()
  }

  /// The time between two rests that this part of all such times does not exceed; nil without any.
  package func betweenRests(_ part: Double) -> Int64? {
    guard !betweenRests.isEmpty else { return nil }
    let rank = (min(max(part, 0), 1) * Double(betweenRests.count)).rounded(.up)
    return betweenRests[max(0, min(Int(rank) - 1, betweenRests.count - 1))]
  }
}
