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

  /// The value, of many degrees of freedom, that is exceeded on either side with this chance.
  static func value(exceededBy p: Double) -> Double {
    var (low, high) = (0.0, 40.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if twoSidedP(middle, freedom: 200) > p { low = middle } else { high = middle }
    }
    return high
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
