import LinuxProcess
import ProfileModel
import Testing

@testable import Sampling

@Suite struct `A budget of time` {
  /// Takes ticks for ten seconds at 1,000 Hz, of which each holds the program for `pause`; returns how
  /// many were taken, and the share of time in which the program was held.
  private func simulate(share: Double, pause: Nanoseconds) -> (ticks: Int, share: Double) {
    var budget = TimeBudget(share: share)
    var ticks = 0
    var held: Nanoseconds = 0
    let end = Nanoseconds.seconds(10)
    var time: Nanoseconds = 0
    while time < end {
      if time >= budget.earliestTick {
        ticks += 1
        held += pause
        time += pause
        budget.spend(held, at: time)
      }
      time = .milliseconds(time.count(of: .milliseconds(1)) + 1)
    }
    return (ticks, held.inSeconds / end.inSeconds)
  }

  @Test(arguments: [0.001, 0.01, 0.1, 0.25])
  func `is kept by leaving out ticks`(share: Double) {
    let outcome = simulate(share: share, pause: .microseconds(900))
    #expect(outcome.ticks > 5)
    #expect(outcome.share <= share * 1.03 + 0.0001)
    #expect(outcome.share >= share * 0.8)
  }

  @Test func `leaves out nothing where the stops are short, or all is allowed`() {
    #expect(simulate(share: 0.25, pause: .microseconds(100)).ticks == 10_000)
    #expect(simulate(share: 1, pause: 999_999).ticks == 10_000)
  }

  @Test func `is one for all captures that share a plan`() {
    let plan = SamplingPlan(rate: 100, maxCPU: 0.1)
    let other = plan
    let (begin, used) = (MonotonicClock.now(), OwnUsage.threadCPU())
    var meter = CPUBudget.Meter(plan.cpuBudget)
    while OwnUsage.threadCPU() - used < .milliseconds(60) {}
    meter.count()
    // 60 ms are worth 600, of which 400 may have been saved up and be overdrawn.
    #expect(other.cpuBudget.earliestTick >= begin + .milliseconds(200))
  }

  @Test func `forgives a long stop now and then`() {
    var budget = TimeBudget(share: 0.25)
    budget.spend(.milliseconds(50), at: .seconds(1))
    #expect(budget.earliestTick <= .seconds(1))
    budget.spend(.milliseconds(150), at: .milliseconds(1100))
    #expect(budget.earliestTick == .milliseconds(1200))
  }

  @Test func `waits no longer than a second, whatever a stop has taken`() {
    var budget = TimeBudget(share: 0.001)
    budget.spend(.max, at: .seconds(5))
    #expect(budget.earliestTick == .seconds(6))
    budget.spend(0, at: .seconds(6))
    #expect(budget.earliestTick <= .seconds(7))
  }

  @Test(arguments: [(0.25, "25 %"), (0.001, "0.1 %"), (1, "100 %"), (0.125, "12.5 %")])
  func `is told as it was asked for`(share: Double, words: String) {
    #expect(TimeBudget.words(share) == words)
  }
}
