internal import LinuxProcess
internal import ProfileModel

/// When a stop begins to take a thread's time.
///
/// A thread that has no CPU reaches the stop that was asked for when it gets one. Until then it waits for
/// the CPU, as it would without the stop.
struct StopStart {
  /// When the thread was found to have stopped.
  var noticed = MonotonicClock.Instant.distantPast
  /// How long it had waited for a CPU since the counters before the stop were read; 0 where the kernel
  /// does not count that.
  var delay: Nanoseconds = 0

  /// When the stop began that was asked for at `requested`.
  func time(requested: MonotonicClock.Instant) -> MonotonicClock.Instant {
    requested + min(max(delay, 0), max(noticed - requested, 0))
  }
}
