/// Where a thread fell asleep and woke up again between two samples, so that none shows what it
/// waited for.
///
/// A thread that did neither was in no sleep of its event loop in between, whatever its samples show.
package struct UnseenSleeps: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue & 3 }

  /// Between the run's first sample and the sample before it.
  package static let before = UnseenSleeps(rawValue: 1)
  /// Between two samples of the run.
  package static let within = UnseenSleeps(rawValue: 2)
}
