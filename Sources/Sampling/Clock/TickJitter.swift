internal import ProfileModel

/// Moves each tick by a random part of its period, so that the ticks do not run in step with a
/// timer of the target.
struct TickJitter {
  let limit: Nanoseconds
  private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

  init(period: Nanoseconds) { limit = period / 8 }

  mutating func next() -> Nanoseconds {
    // xorshift64 (Marsaglia 2003): good enough to break the step, and free.
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return limit > 0 ? Nanoseconds(Int64(state >> 33) % limit.rawValue) : 0
  }
}
