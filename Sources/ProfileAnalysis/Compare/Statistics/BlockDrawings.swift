/// The blocks of windows that one side's resamples are made of.
struct BlockDrawings {
  struct Spread {
    /// The variance of the mean that infinitely many drawings would give.
    let variance: Double
    /// How many blocks of that length the side has.
    let blocks: Double
    /// At most: blocks with samples of the row.
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
