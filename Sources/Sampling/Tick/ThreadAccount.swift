internal import LinuxProcess
internal import ProfileModel

/// What has gone by of one thread since its last sample, in time, ticks and CPU.
struct ThreadAccount {
  /// The figures of a thread between its last sample and its end.
  struct LastFigures {
    var weight: Weight
    /// When it ended, since the start of the capture.
    var time: Nanoseconds
  }

  /// The counters at the last sample.
  private(set) var counters: ThreadCounters
  /// When the last tick that counted it was (since the start, and its number).
  private(set) var lastTime: Nanoseconds
  private var lastTick: Int64
  /// What the stack of the last sample has lasted on since.
  private(set) var repeated = Weight()
  /// Ticks and wall time of samples that could not be handed over.
  private var carried = Weight()

  init(counters: ThreadCounters, time: Nanoseconds, tick: Int64) {
    self.counters = counters
    lastTime = time
    lastTick = tick
  }

  /// Counts CPU time from here on.
  mutating func begin(at counters: ThreadCounters) { self.counters = counters }

  /// Counts from the start of the capture on.
  mutating func beginWithCapture() { lastTime = 0 }

  /// The time and ticks that went by since the last tick that counted this thread.
  mutating func takeInterval(until time: Nanoseconds, tick: Int64) -> Weight {
    let interval = Weight(ticks: tick - lastTick, wall: (time - lastTime).rawValue)
    lastTime = time
    lastTick = tick
    return interval
  }

  /// Counts a tick in which the thread had not run.
  mutating func extend(by interval: Weight) {
    repeated += interval
    repeated.samples += 1
  }

  /// Leaves an interval to the next sample, or to the last one if there is none.
  mutating func carry(_ interval: Weight) { carried += interval }

  /// What the last sample has lasted on, and intervals whose sample never came about.
  var rest: Weight { repeated + carried }

  /// What a sample stands for whose counters are `new`; the next interval begins there.
  mutating func takeSample(interval: Weight, counters new: ThreadCounters) -> Weight {
    var weight = interval
    weight += carried
    weight.samples = 1
    addCPU(to: &weight, until: new)
    carried = Weight()
    repeated = Weight()
    counters = new
    return weight
  }

  /// What a thread did until its end, `final` being its last counters.
  ///
  /// Of one that was not asleep at its last sample nothing shows that it slept: it has ended before the
  /// tick.
  mutating func takeEnd(
    interval: Weight, counters final: ThreadCounters, wasAsleep: Bool
  ) -> LastFigures {
    var weight = interval + carried
    addCPU(to: &weight, until: final)
    let lived = wasAsleep ? weight.wall : min(weight.wall, weight.cpu &+ weight.delay)
    let time = lastTime - Nanoseconds(weight.wall - lived)
    weight.wall = lived
    carried = Weight()
    counters = final
    return LastFigures(weight: weight, time: time)
  }

  /// A counter that went backwards (a kernel's rounding) counts as unchanged.
  private func addCPU(to weight: inout Weight, until new: ThreadCounters) {
    weight.cpu = max(0, new.cpu - counters.cpu).rawValue
    weight.delay = max(0, new.delay - counters.delay).rawValue
  }
}
