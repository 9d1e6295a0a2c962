/// Consecutive ticks in which a thread had the same stack and did the same.
package struct Run: Sendable {
  // Four bytes, as a run list keeps it.
  private let threadNumber: Int32
  package let stack: StackID
  /// Nanoseconds from the start of the capture.
  package let start: Int64
  package var weight: Weight
  package let activity: Activity
  package let end: StackEnd
  /// Whether it slept between samples; nothing where the capture does not know that
  /// (`CaptureInfo.knowsUnseenSleeps`).
  package var unseenSleeps: UnseenSleeps

  /// Index into `Profile.threads`.
  package var thread: Int { Int(threadNumber) }

  package init(
    thread: Int, stack: StackID, end: StackEnd, activity: Activity, start: Int64, weight: Weight,
    unseenSleeps: UnseenSleeps = []
  ) {
    threadNumber = Int32(clamping: thread)
    self.stack = stack
    self.end = end
    self.activity = activity
    self.start = start
    self.weight = weight
    self.unseenSleeps = unseenSleeps
  }
}

extension Run {
  /// Whether it is of many waits, of which none lasted for two periods: its length is that of no wait.
  package var hasManyWaits: Bool { activity.isWaitPerSleep && unseenSleeps.contains(.renewed) }
  /// Whether it only goes on with the last of the many waits in the run before.
  package var goesOnWaiting: Bool { activity.isWaitPerSleep && unseenSleeps.contains(.goesOn) }
  /// Whether the thread slept in the same stack before, in another sleep.
  package var followsSleep: Bool { !unseenSleeps.isDisjoint(with: [.another, .goesOn]) }
}
