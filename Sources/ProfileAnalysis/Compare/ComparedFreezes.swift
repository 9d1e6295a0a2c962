internal import ProfileModel

/// How often a program froze before and after, and for how long.
package struct ComparedFreezes: Sendable {
  /// All captures of a side together.
  package struct Side: Sendable {
    /// Seconds that were looked at.
    package let seconds: Double
    /// In nanoseconds, ascending.
    package let lengths: [Int64]

    package var count: Int { lengths.count }
    package var perHour: Double { seconds > 0 ? Double(count) * 3600 / seconds : 0 }
    package var longest: Int64? { lengths.last }
    package var median: Int64? { lengths.isEmpty ? nil : lengths[lengths.count / 2] }

    /// 95 % interval of how often it freezes in an hour, where freezes are independent of each other; nil
    /// without any time.
    package var perHourInterval: ClosedRange<Double>? {
      guard seconds > 0 else { return nil }
      // Garwood 1936.
      let low = count == 0 ? 0 : ChiSquare.quantile(-1.96, degrees: 2 * count) / 2
      let high = ChiSquare.quantile(1.96, degrees: 2 * count + 2) / 2
      return (low * 3600 / seconds)...(max(low, high) * 3600 / seconds)
    }

    /// 95 % interval of the median length, by its rank; nil for fewer than six.
    package var medianInterval: ClosedRange<Int64>? {
      guard count >= 6 else { return nil }
      let half = Double(count) / 2
      let reach = 0.98 * Double(count).squareRoot()
      let low = max(0, Int((half - reach).rounded(.down)) - 1)
      let high = min(count - 1, Int((half + reach).rounded(.up)))
      return lengths[low]...max(lengths[low], lengths[high])
    }
  }

  package let before: Side
  package let after: Side

  /// The freezes of both sides; nil where a capture does not tell of freezes.
  init?(before: [ComparedCapture], after: [ComparedCapture], filter: ThreadFilter?) {
    guard let first = Self.side(before, filter), let second = Self.side(after, filter) else {
      return nil
    }
    self.before = first
    self.after = second
  }

  private static func side(_ captures: [ComparedCapture], _ filter: ThreadFilter?) -> Side? {
    var (seconds, lengths) = (0.0, [Int64]())
    for capture in captures {
      var part = ProfileFilter()
      part.thread = filter
      part.from = capture.window?.lowerBound
      part.to = capture.window?.upperBound
      let table = FreezeTable(
        ProfileIndex(part.apply(to: capture.profile)), FreezeRule(chosen: filter))
      guard table.isKnown else { return nil }
      seconds += capture.span.length / 1e9
      lengths += table.freezes.lazy.filter { !$0.isUnclear }.map(\.length)
    }
    return Side(seconds: seconds, lengths: lengths.sorted())
  }

  /// The chance of such a difference, or a larger one, between two captures of the same program: of all
  /// freezes each is after with the part of the time that is after.
  package var p: Double? {
    let count = before.count + after.count
    let seconds = before.seconds + after.seconds
    guard count > 0, before.seconds > 0, after.seconds > 0 else { return nil }
    let share = after.seconds / seconds
    let upper = Self.tail(from: after.count, of: count, share)
    let lower = Self.tail(from: before.count, of: count, 1 - share)
    return min(1, 2 * min(upper, lower))
  }

  /// The chance of at least `least` successes in `count` tries.
  private static func tail(from least: Int, of count: Int, _ share: Double) -> Double {
    guard least > 0 else { return 1 }
    guard least <= count, share > 0 else { return 0 }
    guard share < 1 else { return 1 }
    // Relative to the largest term, from which the others fall off on both sides.
    let mode = min(count, Int(Double(count + 1) * share))
    let odds = share / (1 - share)
    var (all, wanted) = (0.0, 0.0)
    func add(_ term: Double, _ number: Int) {
      all += term
      if number >= least { wanted += term }
    }
    var term = 1.0
    for number in mode...count {
      add(term, number)
      term *= Double(count - number) / Double(number + 1) * odds
    }
    term = 1
    for number in stride(from: mode, to: 0, by: -1) {
      term *= Double(number) / Double(count - number + 1) / odds
      add(term, number - 1)
    }
    return min(1, wanted / all)
  }
}

/// Quantiles of the chi-square distribution.
private enum ChiSquare {
  /// By the quantile of the normal distribution (Wilson and Hilferty 1931); within 1 %.
  static func quantile(_ normal: Double, degrees: Int) -> Double {
    let part = 2 / (9 * Double(max(degrees, 1)))
    let root = max(0, 1 - part + normal * part.squareRoot())
    return Double(degrees) * root * root * root
  }
}
