internal import LinuxProcess
internal import ProfileModel

/// Takes the ticks of a sampling capture at their times, until it is over.
///
/// Belongs to the tracer thread.
final class TickLoop {
  /// How it went.
  struct Outcome {
    var ending = CaptureInfo.Ending.duration
    /// The ticks that were left out to keep the stops within the plan's share of time.
    var ticksSparedForPauses: Int64 = 0
    /// The ticks that were left out to keep sprof's own CPU time within the plan's share of a core.
    var ticksSparedForCPU: Int64 = 0
  }

  private let sampler: Sampler
  private let plan: SamplingPlan
  private let control: CaptureControl
  private let period: Nanoseconds
  /// The number of the last tick; nil where none is.
  private let lastTick: Int64?
  /// Whether a tick is awaited to the microsecond, which takes CPU time.
  ///
  /// Many captures at once are not to take that, and at low rates nobody notices.
  private let isPunctual: Bool
  private static let punctualRate = 500.0
  /// How soon a thread that stopped too late for its tick is looked after, while it is waited for.
  private static let firstHeldPause = Nanoseconds.milliseconds(1)
  private static let longestHeldPause = Nanoseconds.milliseconds(20)
  private var times: TickTimes
  private var pauseBudget: TimeBudget
  private var cpuMeter: CPUBudget.Meter
  private var programEnd: ProcessEnd
  /// Whether the program ended before the tick that was waited for, which is taken at once then: the sooner
  /// its end is known, the less of what came after counts as its.
  private var hasEnded = false
  /// Whether the resolver was called because the ring fills.
  private var hasRung = false
  /// The time between ticks while the capture is quiet; nil for one that never is.
  private let quietPeriod: Nanoseconds?
  /// When the last tick was, since the start of the capture; nil before the first.
  private var lastTime: Nanoseconds?
  private var outcome = Outcome()

  init(_ sampler: Sampler, plan: SamplingPlan, control: CaptureControl) {
    self.sampler = sampler
    self.plan = plan
    self.control = control
    let period = Nanoseconds(Int64(1e9 / plan.rate))
    self.period = period
    quietPeriod = plan.quietRate.map { Nanoseconds(Int64(1e9 / $0)) }
    lastTick = plan.duration.map { max(1, $0.count(of: period)) }
    isPunctual = sampler.membership.mayTakeCPU && plan.rate >= Self.punctualRate
    times = TickTimes(period: period, seed: sampler.membership.seed(plan.seed, of: sampler.pid))
    pauseBudget = TimeBudget(share: plan.maxPause)
    cpuMeter = CPUBudget.Meter(plan.cpuBudget, sinceThreadBegan: true)
    programEnd = ProcessEnd(of: sampler.pid)
  }

  /// Samples until the plan's duration is over, the target ends, or the control says stop.
  ///
  /// `ready` is called when the clock is about to start.
  @available(*, noasync, message: "blocks for the whole capture")
  func run(ready: (@Sendable () -> Void)?) -> Outcome {
    let before = begin(ready: ready)
    var tick = before + 1
    // The first that no sample stands for yet.
    var firstTick = tick
    while lastTick.map({ tick <= $0 }) ?? true {
      tick = quietTick(after: tick, at: sampler.now) ?? tick
      let planned = times.next(tick)
      guard waitForTick(at: planned) else {
        outcome.ending = .interrupted
        break
      }
      waitForResolver()
      let time = sampler.now
      // It is not quiet any more: the next period is not the one that was waited for.
      if time < planned, !hasEnded {
        tick = min(tick, max(firstTick, time.count(of: period) + 1))
        continue
      }
      if !hasEnded, let next = allowedTick(after: tick, at: time) {
        tick = next
        continue
      }
      hasEnded = false
      // Periods that went by unused are not made up for: the tick counts for all of them.
      let due = min(max(tick, time.count(of: period)), lastTick ?? .max)
      sampler.cost.ticksPlanned = due - before
      take(tick, due: due, time: time, planned: planned)
      // What is left of a program that has ended, until its parent collects it, is a zombie.
      guard !sampler.isProgramOver else {
        outcome.ending = .targetEnded
        break
      }
      tick = due + 1
      firstTick = tick
    }
    // The last tick stands for its whole period, too.
    if outcome.ending == .duration, let lastTick, !waitForTick(at: period * lastTick) {
      outcome.ending = .interrupted
    }
    sampler.finish()
    return outcome
  }

  /// Starts the clock; returns how many periods went by before there was a process to sample.
  private func begin(ready: (@Sendable () -> Void)?) -> Int64 {
    sampler.begin(ready: ready)
    // With thousands of threads the preparation takes what is allowed for seconds; that of one among
    // many processes is a part of sampling all.
    if !sampler.membership.goesOn { cpuMeter = CPUBudget.Meter(plan.cpuBudget) }
    // What went by before a new process was found counts for the first sample of it. Of a process that
    // was there, ticks are late that go by before the first sample, where this thread got no CPU.
    return sampler.origin.isBorn ? sampler.now.count(of: period) : 0
  }

  private func take(_ tick: Int64, due: Int64, time: Nanoseconds, planned: Nanoseconds) {
    sampler.isQuiet = control.isQuiet
    sampler.mayStop = !sampler.isQuiet && !sampler.options.stopsNothing
    lastTime = time
    if time - planned > period / 2 { sampler.cost.ticksLate += due - tick + 1 }
    sampler.cost.ticksTaken += 1
    sampler.takeTick(due, time: time, end: period * due)
    pauseBudget.spend(sampler.pauses.heldTime, at: sampler.now)
    cpuMeter.count()
    reportProgress(time: time)
  }

  /// The next tick of a quiet capture, which counts for those before it; nil when this one is to be taken.
  private func quietTick(after tick: Int64, at time: Nanoseconds) -> Int64? {
    guard control.isQuiet, let quietPeriod, let lastTime, tick != lastTick else { return nil }
    let earliest = lastTime + quietPeriod
    guard time + period < earliest else { return nil }
    return min(max(tick, earliest.count(of: period)) + 1, lastTick ?? .max)
  }

  /// The first tick that the budgets allow, which counts for those before it; nil when they allow this
  /// one.
  ///
  /// The first and the last tick are taken in any case.
  private func allowedTick(after tick: Int64, at time: Nanoseconds) -> Int64? {
    let forPauses = pauseBudget.earliestTick
    let forCPU = plan.cpuBudget.earliestTick - sampler.startTime
    let earliest = max(forPauses, forCPU)
    guard time < earliest, sampler.cost.ticksTaken > 0, tick != lastTick else { return nil }
    let next = min(max(tick, earliest.count(of: period)) + 1, lastTick ?? .max)
    if forPauses >= forCPU {
      outcome.ticksSparedForPauses += next - tick
    } else {
      outcome.ticksSparedForCPU += next - tick
    }
    sampler.cost.ticksLate += next - tick
    return next
  }

  /// Waits for a tick, or until the program ends or the capture is not quiet any more; false when it is
  /// to end before.
  private func waitForTick(at time: Nanoseconds) -> Bool {
    let deadline = sampler.startTime + time
    var heldPause = Self.firstHeldPause
    let wasQuiet = control.isQuiet
    while true {
      guard !control.shouldStop else { return false }
      if wasQuiet, !control.isQuiet {
        sampler.channel.resolverWaker.wake()
        return true
      }
      reportProgress(time: sampler.now)
      let left = deadline - MonotonicClock.now()
      if left <= 0 { return true }
      if wasQuiet, sampler.stops.isEmpty {
        control.sleepUntilChange(orUntil: deadline)
        noteAwake(since: deadline)
        continue
      }
      var longest = Nanoseconds.milliseconds(100)
      if !sampler.stops.isEmpty {
        sampler.releaseOverdue()
        longest = heldPause
        heldPause = min(heldPause * 2, Self.longestHeldPause)
      }
      guard isPunctual else {
        sleep(until: min(deadline, MonotonicClock.now() + longest))
        if hasEnded { return true }
        continue
      }
      // Waking up from sleep takes up to 60 µs, which at high rates is most of the period.
      if left < .microseconds(60) {
        while MonotonicClock.now() < deadline {}
        return true
      }
      sleep(until: min(deadline - .microseconds(30), MonotonicClock.now() + longest))
      if hasEnded { return true }
    }
  }

  private func sleep(until deadline: MonotonicClock.Instant) {
    hasEnded = programEnd.sleep(until: deadline)
    noteAwake(since: deadline)
  }

  private func noteAwake(since deadline: MonotonicClock.Instant) {
    // It takes up to 60 µs to wake up. What is longer is a wait for a CPU, which others have.
    let now = MonotonicClock.now()
    sampler.awakeSince = min(now, max(deadline, now - .microseconds(60)))
  }

  /// Waits, before any thread is seized, until the resolver has made room for what the next tick will
  /// copy by all that is known.
  ///
  /// Where the resolver gets no CPU, ticks are late then, and no sample is lost.
  private func waitForResolver() {
    let ring = sampler.ring
    let isFilling = ring.isFilling
    if isFilling, !hasRung { sampler.channel.resolverWaker.wake() }
    hasRung = isFilling
    let (all, largest) = sampler.expectedCopies()
    // Three quarters of it are free, in two pieces.
    guard isFilling || largest > ring.byteCapacity / 4 else { return }
    let size = max(min(all, ring.byteCapacity / 4), min(largest, ring.byteCapacity))
    // The resolver waits for what is not handed over.
    sampler.runtimes?.confirm(from: sampler.memory)
    while !ring.hasRoom(for: size), !control.shouldStop, !isOver {
      MonotonicClock.sleep(for: .milliseconds(1))
      sampler.releaseOverdue()
    }
  }

  private var isOver: Bool { plan.duration.map { sampler.now >= $0 } ?? false }

  private func reportProgress(time: Nanoseconds) {
    guard time - control.progress.elapsed >= .milliseconds(100) else { return }
    // Whoever reads how far it is finds all samples until then.
    sampler.runtimes?.confirm(from: sampler.memory)
    sampler.waitTrace?.publish()
    var progress = CaptureProgress()
    progress.elapsed = time
    progress.ticks = sampler.cost.ticksTaken
    progress.ticksPlanned = sampler.cost.ticksPlanned
    progress.threads = sampler.threads.count
    progress.samplesWithoutStop = sampler.cost.samplesWithoutStop
    progress.stops = sampler.cost.stops
    progress.stoppedTime = sampler.pauses.heldTime
    control.progress = progress
  }
}
