import Foundation

/// What trials found: by program, function and unit, the error against the interval.
struct TimesTable {
  /// A smaller share is met by too few samples for an interval of its own.
  private static let leastShare = 2.0

  private var order: [String] = []
  private var groups: [String: [TimedShare]] = [:]

  mutating func add(_ shares: [TimedShare]) {
    for share in shares {
      let key = "\(share.program) | \(share.function) | \(share.unit.rawValue)"
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(share)
    }
  }

  /// The part of the intervals that hold the truth, in percent; nil without shares.
  func coverage(_ unit: TimedShare.Unit) -> Double? {
    let shares = groups.values.joined().filter {
      $0.unit == unit && $0.truth >= Self.leastShare && $0.truth <= 100 - Self.leastShare
    }
    guard !shares.isEmpty else { return nil }
    return Double(shares.count(where: \.isWithinInterval)) / Double(shares.count) * 100
  }

  /// In points: how far the shares are off on average.
  func bias(of function: String, _ unit: TimedShare.Unit) -> Double {
    let shares = groups.values.joined().filter { $0.function == function && $0.unit == unit }
    return mean(shares.map(\.deviation))
  }

  /// In points: how far a share is off.
  func meanError(_ unit: TimedShare.Unit) -> Double { mean(errors(unit)) }

  func largestError(_ unit: TimedShare.Unit) -> Double { errors(unit).max() ?? 0 }

  private func errors(_ unit: TimedShare.Unit) -> [Double] {
    groups.values.joined().filter { $0.unit == unit }.map { abs($0.deviation) }
  }

  func write() {
    print("| program | function | of | true % | bias | mean error | largest | interval | in it |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for key in order {
      guard let shares = groups[key] else { continue }
      let errors = shares.map { abs($0.deviation) }
      let inside = shares.count(where: \.isWithinInterval)
      let figures = [
        mean(shares.map(\.truth)), mean(shares.map(\.deviation)), mean(errors), errors.max() ?? 0,
        mean(shares.map(\.error)),
      ]
      let words = figures.map { String(format: "%.1f", $0) }.joined(separator: " | ")
      print("| \(key) | \(words) | \(inside) of \(shares.count) |")
    }
    for unit in TimedShare.Unit.allCases {
      let part = coverage(unit).map { String(format: "%.1f", $0) } ?? "-"
      print("95 % intervals of \(unit.rawValue) shares that hold the truth: \(part) %")
    }
  }

  private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }
}
