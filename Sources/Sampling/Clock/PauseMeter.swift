package import ProfileModel

/// Counts how long threads were stopped, in buckets that are at most 3 % wide; adding allocates
/// nothing.
package struct PauseMeter: Sendable {
  private static let subBuckets = 32
  // 64 powers of two, each cut into 32.
  private var buckets = [Int64](repeating: 0, count: 64 * subBuckets)
  /// Number of pauses.
  package private(set) var count: Int64 = 0
  /// The longest pause.
  package private(set) var longest: Nanoseconds = 0
  /// Time in which at least one thread was held.
  package private(set) var heldTime: Nanoseconds = 0

  package init() {}

  /// Adds one thread's pause.
  package mutating func add(pause: Nanoseconds) {
    let pause = max(pause, 1)
    buckets[Self.bucket(of: pause)] += 1
    count += 1
    longest = max(longest, pause)
  }

  /// Adds a stretch in which threads were held, be it one or many.
  package mutating func add(held: Nanoseconds) { heldTime += max(held, 0) }

  /// Adds all that another meter has counted.
  package mutating func add(_ other: PauseMeter) {
    for bucket in buckets.indices { buckets[bucket] += other.buckets[bucket] }
    count += other.count
    longest = max(longest, other.longest)
    heldTime += other.heldTime
  }

  private static func bucket(of pause: Nanoseconds) -> Int {
    let value = pause.rawValue
    let power = 63 - value.leadingZeroBitCount
    guard power >= 5 else { return Int(value) }
    return power * subBuckets + Int(value >> Int64(power - 5)) - subBuckets
  }

  private static func upperBound(of bucket: Int) -> Nanoseconds {
    let power = bucket / subBuckets
    guard power >= 5 else { return Nanoseconds(Int64(bucket)) }
    let end = UInt64(bucket % subBuckets + subBuckets + 1) << UInt64(power - 5)
    return Nanoseconds(Int64(clamping: end - 1))
  }

  /// The pause that the given share (0 to 1) of all pauses does not exceed; 0 without pauses.
  package func percentile(_ share: Double) -> Nanoseconds {
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

extension CaptureCost {
  /// Takes over what a meter has counted.
  mutating func setPauses(_ meter: PauseMeter) {
    stops = meter.count
    pauseMedian = meter.percentile(0.5).rawValue
    pause99 = meter.percentile(0.99).rawValue
    pauseMax = meter.longest.rawValue
    stoppedTime = meter.heldTime.rawValue
  }
}
