internal import ProfileModel

/// What threads waited for in the last minutes, tick by tick.
struct LiveWaits: Sendable {
  private struct Span: Sendable {
    let tid: Int32
    let thread: Int?
    let wait: Int
    var start: Int64
    var end: Int64
  }

  private static let limit = 1 << 18

  private var waits: [Wait] = []
  private var numbers: [Wait: Int] = [:]
  private var spans: [Span] = []
  private var first = 0
  /// By thread: the place of its last stretch.
  private var last: [Int32: Int] = [:]
  /// By thread: since when it has been waiting for its interpreter's lock, whoever had that, and for how long in
  /// all.
  private var lockWaits: [Int32: (start: Int64, end: Int64, waited: Int64)] = [:]
  /// A thread that asks for that lock wakes up in between, and has it for some milliseconds.
  private static let lockPause = Int64(100_000_000)

  init() {}

  /// Those of a finished capture.
  init(_ history: WaitHistory) {
    waits = history.waits
    spans = history.spans.map {
      Span(tid: 0, thread: $0.thread, wait: $0.wait, start: $0.start, end: $0.end)
    }
  }

  mutating func add(_ wait: Wait, of tid: Int32, from start: Int64, to end: Int64) {
    guard start < end else { return }
    if wait.kind == .gil {
      let known = lockWaits[tid].flatMap { start &- $0.end <= Self.lockPause ? $0 : nil }
      lockWaits[tid] = (
        known?.start ?? start, end, (known?.waited ?? 0).addingClamped(end &- start)
      )
    }
    let number = numbers[wait] ?? waits.count
    if number == waits.count {
      guard waits.count < WaitHistory.waitLimit else { return }
      numbers[wait] = number
      waits.append(wait)
    }
    if let place = last[tid], place >= first, spans[place].wait == number,
      spans[place].end == start
    {
      spans[place].end = end
      return
    }
    last[tid] = spans.count
    spans.append(Span(tid: tid, thread: nil, wait: number, start: start, end: end))
  }

  mutating func trim(before oldest: Int64) {
    while first < spans.count, spans[first].end < oldest || spans.count - first > Self.limit {
      first += 1
    }
    lockWaits = lockWaits.filter { $0.value.end >= oldest }
    guard first > 4096, first > spans.count / 2 else { return }
    spans.removeFirst(first)
    last = last.compactMapValues { $0 >= first ? $0 - first : nil }
    first = 0
  }

  /// The last stretch of a thread, which is its wait of the moment where it reaches so far.
  func last(of tid: Int32) -> (wait: Wait, start: Int64, end: Int64)? {
    guard let place = last[tid], place >= first else { return nil }
    return (waits[spans[place].wait], spans[place].start, spans[place].end)
  }

  /// The last time that a thread spent with waits for its interpreter's lock; nil where there was none.
  func lockWait(of tid: Int32) -> (start: Int64, end: Int64, waited: Int64)? { lockWaits[tid] }

  /// The part from a time on, whose times count from there; `places` gives the threads by index and by
  /// number.
  func history(from start: Int64, thread: (Int?, Int32) -> Int?) -> WaitHistory {
    WaitHistory(
      waits: waits,
      spans: spans[first...].compactMap { span in
        guard span.end > start, let index = thread(span.thread, span.tid) else { return nil }
        return WaitHistory.Span(
          thread: index, wait: span.wait, start: max(0, span.start &- start),
          end: span.end &- start)
      })
  }
}
