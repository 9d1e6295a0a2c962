/// Where a thread fell asleep and woke up again between two samples, so that none shows what it
/// waited for.
///
/// A thread that did neither was in no sleep of its event loop in between, whatever its samples show. One
/// that both samples found asleep, in two sleeps, may have been in its loop without sleeping there.
package struct UnseenSleeps: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue & 31 }

  /// Between the run's first sample and the sample before it.
  package static let before = UnseenSleeps(rawValue: 1)
  /// Between two samples of the run.
  package static let within = UnseenSleeps(rawValue: 2)
  /// Each sample of the run is of another sleep than the one before: none lasted for two periods.
  ///
  /// Waits for a disk and for an interpreter's lock have this where two samples are of different sleeps, however
  /// many are of one: one system call begins many of them.
  package static let renewed = UnseenSleeps(rawValue: 4)
  /// The run before is of the same stack, and ends in an earlier sleep.
  package static let another = UnseenSleeps(rawValue: 8)
  /// The run before is of the same stack and of many sleeps, the last of which goes on in this one.
  package static let goesOn = UnseenSleeps(rawValue: 16)
}
