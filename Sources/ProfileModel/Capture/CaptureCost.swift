/// What a capture cost the program, and sprof itself.
package struct CaptureCost: Sendable {
  /// Timer periods of the capture.
  package var ticksPlanned: Int64 = 0
  /// Ticks in which threads were sampled.
  package var ticksTaken: Int64 = 0
  /// Ticks that began more than half a period late, and the periods missed altogether.
  package var ticksLate: Int64 = 0
  /// Samples that needed no stop: the thread had not run, or its stack was copied while it slept.
  package var samplesWithoutStop: Int64 = 0
  /// Stops of one thread.
  package var stops: Int64 = 0
  /// Length of a stop from the request until the thread is resumed, in nanoseconds.
  package var pauseMedian: Int64 = 0
  package var pause99: Int64 = 0
  package var pauseMax: Int64 = 0
  /// Time in which at least one thread was stopped, in nanoseconds.
  package var stoppedTime: Int64 = 0
  /// CPU time of sprof itself during the capture, in nanoseconds.
  package var ownCPU: Int64 = 0
  /// Samples that were dropped because the resolver could not keep up.
  package var samplesDropped: Int64 = 0

  /// The duration of the whole capture, in nanoseconds, where the profile is only a part of it: all
  /// figures here are of the whole.
  package var wholeDuration: Int64?

  package init() {}

  /// The share of the capture's wall time in which at least one thread was stopped, 0 to 1; `duration` is
  /// that of the profile.
  package func stoppedShare(of duration: Int64) -> Double { share(stoppedTime, of: duration) }

  /// The CPU time of sprof itself as a share of the capture's wall time: 1 is a whole core.
  package func ownShare(of duration: Int64) -> Double { share(ownCPU, of: duration) }

  private func share(_ time: Int64, of duration: Int64) -> Double {
    let whole = wholeDuration ?? duration
    return whole > 0 ? Double(time) / Double(whole) : 0
  }
}
