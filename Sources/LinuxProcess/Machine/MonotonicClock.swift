internal import CLinux
internal import Glibc

/// A nanosecond clock that never steps, the one of the ticks and of all times in a capture.
package enum MonotonicClock {
  /// Nanoseconds since some fixed instant (CLOCK_MONOTONIC); about 30 ns.
  package static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Sleeps until the clock shows `deadline`; returns at once when that is past.
  @available(*, noasync, message: "blocks the thread")
  package static func sleep(until deadline: Int64) {
    var time = timespec(
      tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }
}
