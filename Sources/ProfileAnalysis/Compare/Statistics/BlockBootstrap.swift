/// The interval and the p value of a change of a rate between two sides.
struct ChangeTest: Sendable {
  /// 95 % interval of the change; nil where there are too few windows.
  var interval: ClosedRange<Double>?
  /// Two-sided; 1 where there are too few windows.
  var p: Double
  /// Standard error of the change; nil where there are too few windows.
  var error: Double?
}

/// Tests changes of rates by a moving block bootstrap over time windows.
///
/// Successive windows of a running program are alike, so that blocks of them are drawn (Künsch
/// 1989), of a length that suits the series. The p value comes from the variance that infinitely
/// many drawings would give, compared with Student's t of as many degrees of freedom as there are
/// blocks, so that it stays exact far below one in the number of drawings. The interval comes from
/// the drawings' quantiles, widened by the same t and for the bias of few blocks.
struct BlockBootstrap {
  static let resamples = 1000
  /// Fewer blocks than this on a side say nothing about the noise.
  static let fewestBlocks = 4.0
  private static let lengths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]

  private let before: BlockDrawings
  private let after: BlockDrawings
  /// The correlation time that rows of the whole program have, in windows: a floor for each row.
  private var commonTime = 1.0
  private var scratch: [Float] = Array(repeating: 0, count: 2 * Self.resamples)

  /// Windows of each capture of the two sides.
  init(before: [Int], after: [Int], seed: UInt64) {
    self.before = BlockDrawings(captures: before, seed: seed)
    self.after = BlockDrawings(captures: after, seed: seed ^ 0x9E37_79B9_7F4A_7C15)
  }

  /// Sets the least correlation time for any row: that of these rows, weighted by their variance.
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
  /// samples. Changes within `harmless` are explained by something else: the p value is that of a
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
    _ variances: [Double], _ sides: [BlockDrawings.Spread], _ variance: Double
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
