import Foundation

/// A number with a fixed count of decimals.
func decimals(_ value: Double, _ places: Int = 2) -> String {
  String(format: "%.\(places)f", value)
}

/// The middle of the values; NaN when there are none.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return .nan }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
