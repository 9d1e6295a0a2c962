/// Where a thread fell asleep and woke up again between two samples, so that none shows what it
/// waited for.
///
/// A thread that did neither was in no sleep of its event loop in between, whatever its samples show. One
/// that both samples found asleep, in two sleeps, may have been in its loop without sleeping there.
package struct UnseenSleeps: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue & 7 }

  /// Between the run's first sample and the sample before it.
  package static let before = UnseenSleeps(rawValue: 1)
  /// Between two samples of the run.
  package static let within = UnseenSleeps(rawValue: 2)
  /// Nowhere unseen, but two samples of the run are of different sleeps: the thread ran in between.
  package static let renewed = UnseenSleeps(rawValue: 4)
}
