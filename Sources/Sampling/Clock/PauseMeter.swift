package import ProfileModel

/// Counts how long threads were stopped, in buckets that are at most 3 % wide; adding allocates
/// nothing.
package struct PauseMeter: Sendable {
  private static let subBuckets = 32
  // 64 powers of two, each cut into 32.
  private var buckets = [Int64](repeating: 0, count: 64 * subBuckets)
  /// Number of pauses.
  package private(set) var count: Int64 = 0
  /// The longest pause, in nanoseconds.
  package private(set) var longest: Int64 = 0
  /// Time in which at least one thread was held, in nanoseconds.
  package private(set) var heldTime: Int64 = 0

  package init() {}

  /// Adds one thread's pause.
  package mutating func add(pause: Nanoseconds) {
    let value = max(pause.rawValue, 1)
    buckets[Self.bucket(of: value)] += 1
    count += 1
    longest = max(longest, value)
  }

  /// Adds a stretch in which threads were held, be it one or many.
  package mutating func add(held: Nanoseconds) { heldTime += max(held.rawValue, 0) }

  /// Adds all that another meter has counted.
  package mutating func add(_ other: PauseMeter) {
    for bucket in buckets.indices { buckets[bucket] += other.buckets[bucket] }
    count += other.count
    longest = max(longest, other.longest)
    heldTime += other.heldTime
  }

  private static func bucket(of value: Int64) -> Int {
    let power = 63 - value.leadingZeroBitCount
    guard power >= 5 else { return Int(value) }
    return power * subBuckets + Int(value >> Int64(power - 5)) - subBuckets
  }

  private static func upperBound(of bucket: Int) -> Int64 {
    let power = bucket / subBuckets
    guard power >= 5 else { return Int64(bucket) }
    return Int64(clamping: (UInt64(bucket % subBuckets + subBuckets + 1) << UInt64(power - 5)) - 1)
  }

  /// The pause that the given share (0 to 1) of all pauses does not exceed, in nanoseconds; 0
  /// without pauses.
  package func percentile(_ share: Double) -> Int64 {
    guard count > 0 else { return 0 }
    let rank = max(1, Int64((Double(count) * share).rounded(.up)))
    var seen: Int64 = 0
    for (bucket, number) in buckets.enumerated() where number > 0 {
      seen += number
      if seen >= rank { return min(Self.upperBound(of: bucket), longest) }
    }
    return longest
  }
}
