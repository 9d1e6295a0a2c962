internal import ProfileModel

/// What threads waited for tick by tick, as facts of a capture, in parts that follow each other.
extension CaptureFacts {
  struct History: Codable {
    /// Those that the parts so far lack.
    var waits: [Waiting]?
    /// The spans, each a place of these four lists.
    var threads, numbers: [Int]
    var starts, lengths: [Int64]

    enum CodingKeys: String, CodingKey {
      case waits, threads
      case numbers = "wait"
      case starts = "start_ns"
      case lengths = "length_ns"
    }
  }
}

extension CaptureFacts.History {
  private static let partSize = 2000

  /// The history in parts of a bounded size; none for an empty one.
  static func parts(of history: WaitHistory) -> [Self] {
    guard !history.isEmpty else { return [] }
    var parts: [Self] = history.waits.inParts(of: 100).map { waits in
      var part = Self(spans: [])
      part.waits = waits.map { CaptureFacts.Waiting($0) }
      return part
    }
    parts += history.spans.inParts(of: partSize).map { Self(spans: $0) }
    return parts
  }

  private init(spans: ArraySlice<WaitHistory.Span>) {
    threads = spans.map(\.thread)
    numbers = spans.map(\.wait)
    starts = spans.map(\.start)
    lengths = spans.map { $0.end &- $0.start }
  }

  /// Adds the part to what the parts before it hold; what is beyond the limits is left out.
  func add(to waits: inout [Wait], _ spans: inout [WaitHistory.Span]) {
    waits += (self.waits ?? []).prefix(max(0, WaitHistory.waitLimit - waits.count))
      .map(\.blocking.wait)
    let count = [threads.count, numbers.count, starts.count, lengths.count].min() ?? 0
    for place in 0..<min(count, max(0, WaitHistory.spanLimit - spans.count)) {
      let (end, overflow) = starts[place].addingReportingOverflow(lengths[place])
      guard !overflow, lengths[place] > 0 else { continue }
      spans.append(
        WaitHistory.Span(
          thread: threads[place], wait: numbers[place], start: starts[place], end: end))
    }
  }
}

extension CaptureFacts.Waiting {
  /// A wait of no thread in particular.
  fileprivate init(_ wait: Wait) {
    self.init(
      Blocking(
        waiter: WaitingThread(pid: 0, tid: 0, name: "", processName: ""), wait: wait, firstSeen: 0,
        lastSeen: 0))
  }
}
