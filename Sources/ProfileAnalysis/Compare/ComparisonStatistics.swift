/// The interval and the p value of a change of a rate between two sides.
struct ChangeTest: Sendable {
  /// 95 % interval of the change; nil where there are too few windows to tell.
  var interval: ClosedRange<Double>?
  /// Two-sided; 1 where there are too few windows to tell.
  var p: Double
  /// Standard error of the change; nil where there are too few windows to tell.
  var error: Double?
}

/// Tests changes of rates by a moving block bootstrap over time windows.
///
/// Windows that follow each other are alike in a running program, so blocks of them are drawn
/// (Künsch 1989), as long as the series itself asks for. The p value comes from the variance that
/// infinitely many drawings would give, compared with Student's t of as many degrees of freedom as
/// there are blocks, so that it stays exact far below one in the number of drawings. The interval
/// comes from the drawings' quantiles, widened by the same t and for the bias of few blocks.
struct BlockBootstrap {
  static let resamples = 1000
  /// Fewer blocks than this on a side tell nothing about the noise.
  static let fewestBlocks = 4.0
  private static let lengths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]

  private let before: Drawings
  private let after: Drawings
  /// The correlation time that rows of the whole program have, in windows: a floor for each row.
  private var commonTime = 1.0
  private var scratch: [Float] = Array(repeating: 0, count: 2 * Self.resamples)

  /// Windows of each capture of the two sides.
  init(before: [Int], after: [Int], seed: UInt64) {
    self.before = Drawings(captures: before, seed: seed)
    self.after = Drawings(captures: after, seed: seed ^ 0x9E37_79B9_7F4A_7C15)
  }

  /// Takes the correlation time of the rows, weighted by their variance, as the least for any.
  mutating func learn(_ beforeRows: WindowRows, _ afterRows: WindowRows) {
    var sum = 0.0
    var weight = 0.0
    for row in 0..<beforeRows.count {
      let correlation = correlation(beforeRows, afterRows, row)
      let variance = correlation.variance.squareRoot()
      sum += variance * correlation.time
      weight += variance
    }
    if weight > 0 { commonTime = max(1, sum / weight) }
  }

  /// Tests the change of one row.
  ///
  /// The uncertainty is an error of the change that windows cannot show, such as the time between
  /// looks. Changes within `harmless` are explained by something else: the p value is that of a
  /// change beyond this range.
  mutating func test(
    _ beforeRows: WindowRows, _ afterRows: WindowRows, row: Int, uncertainty: Double,
    harmless: ClosedRange<Double> = 0...0
  ) -> ChangeTest {
    let time = max(correlation(beforeRows, afterRows, row).time, commonTime)
    let wanted = time <= 1.1 ? 1 : Int((2 * time).rounded(.up))
    let limit = min(before.windows, after.windows) / Int(Self.fewestBlocks)
    let choice = Self.lengths.lastIndex { $0 <= max(1, min(wanted, limit)) } ?? 0
    let length = Self.lengths[choice]
    // Blocks cut what correlates across their ends; for an autoregressive series this much.
    let bias = 1 - min(0.6, (time - 1 / time) / (4 * Double(length)))
    let sides = [
      before.spread(beforeRows, row, length: length), after.spread(afterRows, row, length: length),
    ]
    let change = afterRows.mean(row) - beforeRows.mean(row)
    guard sides.allSatisfy({ $0.blocks >= Self.fewestBlocks }) else {
      return ChangeTest(interval: nil, p: 1, error: nil)
    }
    let variances = sides.map { $0.variance * $0.blocks / ($0.blocks - 1) / bias }
    let variance = variances[0] + variances[1]
    let error = (variance + uncertainty * uncertainty).squareRoot()
    let freedom = freedom(variances, sides, variance)
    let beyond = max(harmless.lowerBound - change, change - harmless.upperBound, 0)
    let p = error > 0 ? StudentT.twoSidedP(beyond / error, freedom: freedom) : beyond > 0 ? 0 : 1
    let quantile = StudentT.quantile975(freedom: freedom)
    var reach = (low: quantile * error, high: quantile * error)
    let drawn = (sides[0].variance + sides[1].variance).squareRoot()
    if drawn > 0 {
      let quantiles = drawnQuantiles(beforeRows, afterRows, row, choice)
      let widening = quantile / 1.96 * (variance.squareRoot() / drawn)
      // What the windows cannot show has no shape of its own.
      let rest = quantile * uncertainty
      let low = max(0, -quantiles.low) * widening
      let high = max(0, quantiles.high) * widening
      reach = (
        (low * low + rest * rest).squareRoot(), (high * high + rest * rest).squareRoot()
      )
    }
    return ChangeTest(interval: (change - reach.low)...(change + reach.high), p: p, error: error)
  }

  /// Welch's degrees of freedom, but never more than what was seen at all.
  private func freedom(
    _ variances: [Double], _ sides: [Drawings.Spread], _ variance: Double
  ) -> Double {
    guard variance > 0 else { return min(sides[0].blocks, sides[1].blocks) - 1 }
    let parts = zip(variances, sides).map { $0 * $0 / ($1.blocks - 1) }
    let welch = variance * variance / max(parts[0] + parts[1], .leastNonzeroMagnitude)
    let seen = max(sides[0].seen, sides[1].seen)
    return max(2, min(welch, max(seen - 1, 2)))
  }

  /// The 2.5 % and 97.5 % quantiles of the drawn changes, as distances from the change itself.
  private mutating func drawnQuantiles(
    _ beforeRows: WindowRows, _ afterRows: WindowRows, _ row: Int, _ choice: Int
  ) -> (low: Double, high: Double) {
    let count = Self.resamples
    let length = Self.lengths[choice]
    scratch.withUnsafeMutableBufferPointer { all in
      let first = UnsafeMutableBufferPointer(rebasing: all[..<count])
      let second = UnsafeMutableBufferPointer(rebasing: all[count...])
      before.draw(beforeRows, row, length: length, into: first)
      after.draw(afterRows, row, length: length, into: second)
      for index in 0..<count { second[index] -= first[index] }
    }
    let low = Selection.element(count / 40, of: &scratch, in: count..<2 * count)
    let high = Selection.element(count - 1 - count / 40, of: &scratch, in: count..<2 * count)
    return (Double(low), Double(high))
  }

  /// How long a row remembers, in windows, and how much it varies; both sides taken together.
  private func correlation(
    _ beforeRows: WindowRows, _ afterRows: WindowRows, _ row: Int
  ) -> (time: Double, variance: Double) {
    let shorter = min(before.longestCapture, after.longestCapture)
    let lags = min(32, shorter / 3)
    var sums = Array(repeating: 0.0, count: lags + 1)
    before.addCorrelations(beforeRows, row, to: &sums)
    after.addCorrelations(afterRows, row, to: &sums)
    guard sums[0] > 0 else { return (1, 0) }
    var time = 1.0
    var lag = 1
    // Lags in pairs, up to the first pair that no longer correlates (Geyer 1992).
    while lag < lags {
      // The mean was taken out of each capture, which lowers each correlation by about 1 / windows.
      let lift = 1 / Double(max(shorter, 1))
      let pair = (sums[lag] + sums[lag + 1]) / sums[0] + 2 * lift
      if pair <= 0 { break }
      time += 2 * pair
      lag += 2
    }
    return (min(time, Double(max(shorter, 1))), sums[0])
  }
}

/// The rates of many rows in each window of a side, in thread-seconds per wall second.
struct WindowRows {
  let count: Int
  let windows: Int
  private(set) var values: [Float]
  /// How many windows each row was seen in.
  private(set) var seen: [Int]

  init(count: Int, windows: Int) {
    self.count = count
    self.windows = windows
    values = Array(repeating: 0, count: count * windows)
    seen = Array(repeating: 0, count: count)
  }

  /// Adds to a row in a window; what was not seen comes after all that was.
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

/// The blocks of windows that one side's resamples are made of.
private struct Drawings {
  struct Spread {
    /// Of the mean, as infinitely many drawings would show it.
    let variance: Double
    /// How many blocks of that length the side has.
    let blocks: Double
    /// Blocks in which the row was seen at all, at most.
    let seen: Double
  }

  let captures: [Range<Int>]
  let windows: Int
  /// By length of a block: how often each resample has each window, window after window.
  private let counts: Counts

  var longestCapture: Int { captures.lazy.map(\.count).max() ?? 0 }

  private final class Counts {
    var byLength: [Int: [Float]] = [:]
    let seed: UInt64
    init(seed: UInt64) { self.seed = seed }
  }

  init(captures: [Int], seed: UInt64) {
    var ranges: [Range<Int>] = []
    for count in captures {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + count)
    }
    self.captures = ranges
    windows = ranges.last?.upperBound ?? 0
    counts = Counts(seed: seed)
  }

  func spread(_ rows: WindowRows, _ row: Int, length: Int) -> Spread {
    let mean = rows.mean(row)
    let base = row * rows.windows
    var squares = 0.0
    rows.values.withUnsafeBufferPointer { values in
      for capture in captures {
        for start in capture {
          var sum = 0.0
          var window = start
          for _ in 0..<length {
            sum += Double(values[base + window])
            window += 1
            if window == capture.upperBound { window = capture.lowerBound }
          }
          let distance = sum / Double(length) - mean
          squares += distance * distance
        }
      }
    }
    let blocks = Double(windows) / Double(length)
    return Spread(
      variance: squares / Double(max(windows, 1)) / max(blocks, 1), blocks: blocks,
      seen: Double(rows.seen[row]) / Double(length))
  }

  /// The mean of each resample, less the mean of the row.
  func draw(
    _ rows: WindowRows, _ row: Int, length: Int, into means: UnsafeMutableBufferPointer<Float>
  ) {
    let count = BlockBootstrap.resamples
    let matrix = matrix(length)
    let base = row * rows.windows
    let mean = Float(rows.mean(row))
    let scale = 1 / Float(max(windows, 1))
    for index in 0..<count { means[index] = -mean }
    // Four windows in one pass over the means: the passes are what takes time.
    let seen = (0..<windows).filter { rows.values[base + $0] != 0 }
    matrix.withUnsafeBufferPointer { matrix in
      for first in stride(from: 0, to: seen.count, by: 4) {
        let parts = (first..<first + 4).map { position in
          position < seen.count
            ? (value: rows.values[base + seen[position]] * scale, start: seen[position] * count)
            : (value: 0, start: 0)
        }
        let (one, two, three, four) = (parts[0], parts[1], parts[2], parts[3])
        for index in 0..<count {
          means[index] +=
            (one.value * matrix[one.start + index] + two.value * matrix[two.start + index])
            + (three.value * matrix[three.start + index] + four.value * matrix[four.start + index])
        }
      }
    }
  }

  func addCorrelations(_ rows: WindowRows, _ row: Int, to sums: inout [Double]) {
    let base = row * rows.windows
    rows.values.withUnsafeBufferPointer { values in
      for capture in captures where capture.count > 1 {
        var mean = 0.0
        for window in capture { mean += Double(values[base + window]) }
        mean /= Double(capture.count)
        for lag in 0..<min(sums.count, capture.count) {
          var sum = 0.0
          for window in capture.lowerBound..<capture.upperBound - lag {
            sum +=
              (Double(values[base + window]) - mean) * (Double(values[base + window + lag]) - mean)
          }
          sums[lag] += sum
        }
      }
    }
  }

  private func matrix(_ length: Int) -> [Float] {
    if let known = counts.byLength[length] { return known }
    let count = BlockBootstrap.resamples
    var matrix: [Float] = Array(repeating: 0, count: windows * count)
    var random = SplitMix64(state: counts.seed &+ UInt64(length))
    for resample in 0..<count {
      var filled = 0
      while filled < windows {
        let start = Int.random(in: 0..<windows, using: &random)
        guard let capture = captures.first(where: { $0.contains(start) }) else { break }
        var window = start
        for _ in 0..<min(length, windows - filled) {
          matrix[window * count + resample] += 1
          window += 1
          if window == capture.upperBound { window = capture.lowerBound }
          filled += 1
        }
      }
    }
    counts.byLength[length] = matrix
    return matrix
  }
}

/// Steele, Lea and Flood's generator: the same numbers for the same seed, everywhere.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Student's distribution for even degrees of freedom, to which others are rounded down.
enum StudentT {
  /// The chance of a value at least as far from 0 as `t`.
  static func twoSidedP(_ t: Double, freedom: Double) -> Double {
    guard t > 0 else { return 1 }
    // The series of Abramowitz and Stegun 26.7.4; above 200 degrees the rest is nothing.
    let even = 2 * Int(min(max(freedom, 2), 200) / 2)
    let degrees = Double(even)
    let cosine = degrees / (degrees + t * t)
    var term = 1.0
    var sum = 1.0
    var index = 2
    while index < even {
      term *= cosine * Double(index - 1) / Double(index)
      sum += term
      index += 2
    }
    return min(max(1 - t / (degrees + t * t).squareRoot() * sum, 0), 1)
  }

  /// The value that is exceeded once in 40 times.
  static func quantile975(freedom: Double) -> Double {
    quantiles[Int(min(max(freedom, 2), 200) / 2) - 1]
  }

  private static let quantiles = (1...100).map { half in
    var (low, high) = (1.9, 4.4)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if twoSidedP(middle, freedom: Double(2 * half)) > 0.05 { low = middle } else { high = middle }
    }
    return high
  }
}

/// Benjamini and Hochberg's bound on the share of false ones among those called significant.
enum FalseDiscovery {
  /// For each p value the least rate of false discoveries at which it counts.
  static func adjusted(_ values: [Double]) -> [Double] {
    var result = values
    var least = 1.0
    let order = values.indices.sorted { values[$0] < values[$1] }
    for (rank, index) in order.enumerated().reversed() {
      least = min(least, values[index] * Double(values.count) / Double(rank + 1))
      result[index] = least
    }
    return result
  }
}

/// Hoare's selection: the element that sorting would put at a place.
private enum Selection {
  static func element(_ rank: Int, of values: inout [Float], in range: Range<Int>) -> Float {
    values.withUnsafeMutableBufferPointer { values in
      var low = range.lowerBound
      var high = range.upperBound - 1
      let target = range.lowerBound + rank
      while low < high {
        let pivot = values[(low + high) / 2]
        var left = low
        var right = high
        while left <= right {
          while values[left] < pivot { left += 1 }
          while pivot < values[right] { right -= 1 }
          if left <= right {
            values.swapAt(left, right)
            left += 1
            right -= 1
          }
        }
        if target <= right { high = right } else if target >= left { low = left } else { break }
      }
      return values[target]
    }
  }
}
