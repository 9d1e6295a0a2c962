/// The rates of many rows in each window of a side, in thread-seconds per wall second.
struct WindowRows {
  let count: Int
  let windows: Int
  private(set) var values: [Float]
  /// By row: the windows with samples of it.
  private(set) var seen: [Int]

  init(count: Int, windows: Int) {
    self.count = count
    self.windows = windows
    values = Array(repeating: 0, count: count * windows)
    seen = Array(repeating: 0, count: count)
  }

  /// Adds to a row in a window; call it for what was not sampled after all that was.
  mutating func add(_ value: Double, row: Int, window: Int, isSeen: Bool = true) {
    let index = row * windows + window
    if isSeen && values[index] == 0 && value != 0 { seen[row] += 1 }
    values[index] += Float(value)
  }

  func mean(_ row: Int) -> Double {
    guard windows > 0 else { return 0 }
    var sum = 0.0
    for index in row * windows..<(row + 1) * windows { sum += Double(values[index]) }
    return sum / Double(windows)
  }
}
