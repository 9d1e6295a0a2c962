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
