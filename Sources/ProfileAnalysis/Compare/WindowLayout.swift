internal import ProfileModel

/// The time windows that a side's captures are divided into, all of about the same length.
struct WindowLayout {
  struct Capture {
    let start: Double
    let length: Double
    let windows: Range<Int>

    var windowLength: Double { length / Double(max(windows.count, 1)) }
  }

  let captures: [Capture]

  var windows: Int { captures.last?.windows.upperBound ?? 0 }
  /// Wall time of all captures of the side, in nanoseconds.
  var length: Double { captures.reduce(0) { $0 + $1.length } }

  /// Divides captures into windows of about `window` nanoseconds, each capture into one at least.
  init(_ captures: [ComparedCapture], window: Double) {
    var result: [Capture] = []
    for capture in captures {
      let span = capture.span
      let first = result.last?.windows.upperBound ?? 0
      let count = span.length > 0 ? max(1, Int(min(span.length / window, 10_000).rounded())) : 0
      result.append(
        Capture(start: span.start, length: span.length, windows: first..<first + count))
    }
    self.captures = result
  }

  /// The length of a window for two sides: a hundredth of the shorter one, and four ticks at least.
  static func windowLength(_ sides: [[ComparedCapture]]) -> Double {
    let lengths = sides.map { $0.reduce(0.0) { $0 + $1.span.length } }
    let rates = sides.joined().map(\.profile.capture.rate).filter { $0 > 0 }
    let period = rates.min().map { 1e9 / $0 } ?? 10e6
    let shortest = lengths.filter { $0 > 0 }.min() ?? 0
    return max(shortest / 100, (lengths.max() ?? 0) / 400, 4 * period, 1e6)
  }

  /// Divides a run among the windows: its part in each.
  func divide(
    _ run: Run, of capture: Int, _ body: (_ window: Int, _ part: Double) -> Void
  ) {
    let capture = captures[capture]
    guard !capture.windows.isEmpty else { return }
    let length = capture.windowLength
    let wall = Double(max(run.weight.wall, 0))
    let start = Double(run.start) - capture.start
    let last = capture.windows.count - 1
    guard start < capture.length || wall == 0, start + wall >= 0, start <= capture.length else {
      return
    }
    let begin = max(start, 0)
    let end = min(start + wall, capture.length)
    let first = min(Int(begin / length), last)
    guard end > begin else {
      if wall == 0 { body(capture.windows.lowerBound + first, 1) }
      return
    }
    for window in first...min(Int(end / length), last) {
      let low = max(begin, Double(window) * length)
      let high = window == last ? end : min(end, Double(window + 1) * length)
      if high > low { body(capture.windows.lowerBound + window, (high - low) / wall) }
    }
  }
}
