internal import ProfileModel

extension Comparison.Times {
  /// A weight in thread-seconds for each of some seconds; negative weights count as nothing.
  init(_ weight: Weight, per seconds: Double) {
    cpu = Double(max(weight.cpu, 0)) / 1e9 / seconds
    delay = Double(max(weight.delay, 0)) / 1e9 / seconds
    blocked = max(0, Double(max(weight.wall, 0)) / 1e9 / seconds - cpu - delay)
  }

  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum += right
    return sum
  }

  static func += (left: inout Self, right: Self) {
    left.cpu += right.cpu
    left.delay += right.delay
    left.blocked += right.blocked
  }

  static func * (times: Self, factor: Double) -> Self {
    var product = times
    product.cpu *= factor
    product.delay *= factor
    product.blocked *= factor
    return product
  }
}
