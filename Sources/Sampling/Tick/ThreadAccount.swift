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

  /// Takes the intervals that wait for a sample of a thread that had no CPU in them: it would have stopped.
  mutating func takeDelay() -> Weight {
    var weight = carried
    carried = Weight()
    // The kernel counts a delay when it is over.
    weight.delay = weight.wall
    return weight
  }

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

  /// What a thread did until its end, which was met at `now`; `final` are its last counters.
  ///
  /// Of one that was not asleep at its last sample nothing shows that it slept: it has ended before the
  /// tick.
  mutating func takeEnd(
    interval: Weight, counters final: ThreadCounters, wasAsleep: Bool, at now: Nanoseconds
  ) -> LastFigures {
    var weight = interval + carried
    // The interval ends with the tick's period, which goes on.
    let beyond = max(0, lastTime - now)
    lastTime -= beyond
    weight.wall = max(0, weight.wall - beyond.rawValue)
    addCPU(to: &weight, until: final)
    let lived = wasAsleep ? weight.wall : min(weight.wall, weight.cpu &+ weight.delay)
    let time = lastTime - Nanoseconds(weight.wall - lived)
    weight.wall = lived
    carried = Weight()
    counters = final
    return LastFigures(weight: weight, time: time)
  }

  /// The CPU time and delay since the last sample, for a thread that goes on.
  mutating func takeUse(until new: ThreadCounters) -> Weight {
    var weight = Weight()
    addCPU(to: &weight, until: new)
    counters = new
    return weight
  }

  /// Whether the thread can have the counters `new` after `interval` more: none of them falls, and nobody
  /// uses more CPU time than goes by.
  ///
  /// A main thread cannot whose number another thread has taken over, by executing a program.
  func mayReach(_ new: ThreadCounters, after interval: Weight) -> Bool {
    // In what is repeated it did not run. A sample may be at any time of its tick: up to a period more has
    // gone by than its interval says.
    let period = interval.ticks > 0 ? interval.wall / interval.ticks : 0
    let passed = Nanoseconds(interval.wall &+ carried.wall &+ period)
    return new.switches >= counters.switches && new.cpu + Self.rounding >= counters.cpu
      && new.cpu - counters.cpu <= passed + Self.rounding
  }

  /// What the kernel's counters and the moments of their readings may be off by.
  private static let rounding = Nanoseconds.milliseconds(50)

  /// A counter that went backwards (a kernel's rounding) counts as unchanged.
  private func addCPU(to weight: inout Weight, until new: ThreadCounters) {
    weight.cpu = max(0, new.cpu - counters.cpu).rawValue
    weight.delay = max(0, new.delay - counters.delay).rawValue
  }
}
