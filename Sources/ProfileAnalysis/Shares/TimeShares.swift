package import ProfileModel

/// The parts of a thread's time, in percent; together 100.
package struct TimeShares: Hashable, Sendable {
  /// On a CPU.
  package let running: Double
  /// Runnable, without a CPU.
  package let waiting: Double
  /// Asleep in the kernel.
  package let blocked: Double
  /// Stopped by a signal or a debugger.
  package let stopped: Double
  /// Neither running nor waiting, and nothing more is known.
  package let unknown: Double

  /// The shares of a span of time by the kernel's counts; the rest is divided as the samples of the
  /// thread (`weights`) are.
  ///
  /// Nil for an empty span. All in nanoseconds.
  package init?(cpu: Int64, delay: Int64, span: Int64, weights: some Sequence<(Activity, Weight)>) {
    guard span > 0 else { return nil }
    running = min(max(Double(cpu) / Double(span) * 100, 0), 100)
    waiting = min(max(Double(delay) / Double(span) * 100, 0), 100 - running)
    let rest = max(0, 100 - running - waiting)
    var (asleep, stopped, unknown) = (0.0, 0.0, 0.0)
    for (activity, weight) in weights {
      switch activity {
      case .running, .waitingForCPU: break
      case .blocked, .uninterruptible: asleep += Double(weight.wall)
      case .stopped: stopped += Double(weight.wall)
      case .unknown: unknown += Double(weight.wall)
      }
    }
    let seen = asleep + stopped + unknown
    self.stopped = seen > 0 ? rest * stopped / seen : 0
    self.unknown = seen > 0 ? rest * unknown / seen : 0
    // A thread that ran in all its samples slept between them.
    blocked = max(0, rest - self.stopped - self.unknown)
  }

  /// The shares of one thread, given by its index.
  package init?(_ index: ProfileIndex, thread: Int) {
    let info = index.profile.threads[thread]
    self.init(
      cpu: info.cpu, delay: info.delay, span: info.lastSeen &- info.firstSeen,
      weights: index.runs(of: thread).lazy.map { ($0.activity, $0.weight) })
  }
}

extension Tally where Key == Activity {
  /// What the thread mostly did: of what its samples found, the heaviest in which it spent the largest of its
  /// shares of time, which the kernel counts; the heaviest of all where that is not known.
  func mostly(by shares: TimeShares?) -> Activity? {
    guard let shares else { return heaviest?.key }
    let largest = entries.max { left, right in
      let (one, other) = (shares.part(of: left.key), shares.part(of: right.key))
      return (one, left.weight.wall) < (other, right.weight.wall)
    }
    return largest?.key
  }
}

extension TimeShares {
  /// The share that time in an activity belongs to.
  fileprivate func part(of activity: Activity) -> Double {
    switch activity {
    case .running: running
    case .waitingForCPU: waiting
    case .blocked, .uninterruptible: blocked
    case .stopped: stopped
    case .unknown: unknown
    }
  }
}
