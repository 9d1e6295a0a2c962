package import ProfileModel

/// What a capture under way has seen since it was last asked, with names.
package struct LiveGrowth: Sendable {
  /// A stretch of a thread's time in one wait; the thread by its number.
  package struct WaitSpan: Sendable {
    package let tid: Int32
    package let wait: Wait
    /// Nanoseconds from the start of the capture.
    package let start: Int64
    package let end: Int64
  }

  /// New runs, threads and frames.
  package var growth: ProfileGrowth
  /// The long sleeps of the last minute, and those that go on.
  package var blockings: [Blocking] = []
  /// What threads were found to wait for, tick by tick, since the last time.
  package var waits: [WaitSpan] = []
}
