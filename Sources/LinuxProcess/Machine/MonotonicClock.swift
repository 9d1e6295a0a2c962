internal import CLinux
internal import Glibc
public import ProfileModel

/// A nanosecond clock that never steps, the one of the ticks and of all times in a capture.
public enum MonotonicClock {
  /// A moment by this clock.
  public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since some fixed instant, on Linux the start of the machine.
    public let rawValue: Int64

    /// Earlier than any other.
    public static let distantPast = Instant(0)

    /// Later than any other.
    public static let distantFuture = Instant(.max)

    @inlinable
    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    @inlinable
    public static func + (left: Self, right: Nanoseconds) -> Self {
      Instant(left.rawValue &+ right.rawValue)
    }

    @inlinable
    public static func - (left: Self, right: Nanoseconds) -> Self {
      Instant(left.rawValue &- right.rawValue)
    }

    @inlinable
    public static func - (left: Self, right: Self) -> Nanoseconds {
      Nanoseconds(left.rawValue &- right.rawValue)
    }
  }

  /// The present moment (CLOCK_MONOTONIC); about 30 ns.
  package static func now() -> Instant {
    Instant((KernelClock.read(CLOCK_MONOTONIC) ?? 0).rawValue)
  }

  /// Sleeps until the clock shows `deadline`; returns at once when that is past.
  @available(*, noasync, message: "blocks the thread")
  package static func sleep(until deadline: Instant) {
    var time = timespec(
      tv_sec: Int(deadline.rawValue / 1_000_000_000),
      tv_nsec: Int(deadline.rawValue % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }

  /// Sleeps for a length of time.
  @available(*, noasync, message: "blocks the thread")
  package static func sleep(for length: Nanoseconds) { sleep(until: now() + length) }
}

/// The kernel's clocks by their numbers (clock_gettime(2)).
package enum KernelClock {
  /// What a clock shows; nil for one that this machine does not have.
  package static func read(_ clock: Int32) -> Nanoseconds? {
    var time = timespec()
    guard clock_gettime(clock, &time) == 0 else { return nil }
    return .seconds(Int64(time.tv_sec)) + Nanoseconds(Int64(time.tv_nsec))
  }

  /// CPU time of all threads of a process since it began, also of those that have ended; nil when it is gone.
  ///
  /// Needs no permission. Costs a system call, and in it a step for each thread. The clock's number is that
  /// of the process, inverted, over two bits for the scheduler's count (kernel: include/linux/posix-timers.h,
  /// make_process_cpuclock).
  package static func cpu(ofProcess pid: Int32) -> Nanoseconds? { read(~pid << 3 | 2) }

  /// The length of a clock tick, in which some files of `/proc` count: 10 ms.
  static var tick: Nanoseconds { .seconds(1) / Int64(max(1, sysconf(Int32(_SC_CLK_TCK)))) }
}
