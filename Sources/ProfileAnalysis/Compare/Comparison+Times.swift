internal import ProfileModel

extension Comparison.Times {
  /// A run in thread-seconds for each of some seconds, with the nanoseconds for which its thread was
  /// asleep in it; negative weights count as nothing.
  init(_ run: Run, asleep: Double, per seconds: Double) {
    cpu = Double(max(run.weight.cpu, 0)) / 1e9 / seconds
    delay = Double(max(run.weight.delay, 0)) / 1e9 / seconds
    blocked = asleep / 1e9 / seconds
  }

  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum += right
    return sum
  }

  static func += (left: inout Self, right: Self) {
    left.cpu += right.cpu
    left.delay += right.delay
    left.blocked += right.blocked
  }

  static func * (times: Self, factor: Double) -> Self {
    var product = times
    product.cpu *= factor
    product.delay *= factor
    product.blocked *= factor
    return product
  }
}

/// Divides the time that a thread was asleep among its runs.
///
/// How long that was the kernel's counts say: all time but that on a CPU and that waiting for one. The
/// samples that found it asleep say where. (The CPU time of a run is what the thread used for as long as no
/// other sample found it running: more or less than the run's own time.)
struct TimeAsleep {
  /// For each nanosecond of runs that are asleep, and of those that are not.
  private let inSleep, inOthers: Double

  init(_ runs: some Sequence<Run>) {
    var (whole, asleep, others) = (0.0, 0.0, 0.0)
    for run in runs {
      let rest = Self.rest(of: run)
      whole += rest
      if run.activity.isRunnable { others += Self.wall(of: run) } else { asleep += max(0, rest) }
    }
    let isSeen = asleep > 0
    inSleep = isSeen ? max(0, whole) / asleep : 0
    // One that ran at all its samples slept between them.
    inOthers = isSeen || others <= 0 ? 0 : max(0, whole) / others
  }

  /// Nanoseconds of a run.
  func part(of run: Run) -> Double {
    run.activity.isRunnable
      ? Self.wall(of: run) * inOthers : max(0, Self.rest(of: run)) * inSleep
  }

  private static func wall(of run: Run) -> Double { Double(max(run.weight.wall, 0)) }

  private static func rest(of run: Run) -> Double {
    wall(of: run) - Double(max(run.weight.cpu, 0)) - Double(max(run.weight.delay, 0))
  }
}
