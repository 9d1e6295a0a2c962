package import ProfileModel

/// When the ticks of a capture fall: each at a random time within its period, so that no timer of the
/// watched program is in step with them.
///
/// Over a capture the samples then see each part of a period as often as it lasts, whatever the program
/// does at fixed times (stratified sampling).
package struct TickTimes {
  package let period: Nanoseconds
  private var random: SeededRandom?

  /// Without a seed each tick falls in the middle of its period.
  package init(period: Nanoseconds, seed: UInt64?) {
    self.period = period
    random = seed.map { SeededRandom(seed: $0) }
  }

  /// Where the next tick falls, for the tick numbered `tick`, from 1: since the start of the capture.
  package mutating func next(_ tick: Int64) -> Nanoseconds {
    let begin = period * (tick - 1)
    guard random != nil, period > 0 else { return begin + period / 2 }
    let part = random?.next(upTo: UInt64(period.rawValue)) ?? 0
    return begin + Nanoseconds(Int64(part))
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): as random as a tick needs, and the same for the same seed.
private struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  mutating func next(upTo limit: UInt64) -> UInt64 { next(upperBound: limit) }
}
