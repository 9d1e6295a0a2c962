/// For how long a thread has been waiting, as far as that is known.
package struct WaitLength: Hashable, Sendable {
  /// In nanoseconds; above 0.
  package let time: Int64
  /// Whether it may have begun earlier: the kernel does not say when, and the first sample met it already.
  package let isAtLeast: Bool

  /// Nil for a time of 0, which is not known.
  package init?(_ time: Int64, isAtLeast: Bool = false) {
    guard time > 0 else { return nil }
    self.time = time
    self.isAtLeast = isAtLeast
  }

  /// The longer one; of two alike the one that is known whole.
  static func longer(_ one: WaitLength?, _ other: WaitLength?) -> WaitLength? {
    guard let one, let other else { return one ?? other }
    if one.time == other.time { return one.isAtLeast ? other : one }
    return one.time > other.time ? one : other
  }
}
