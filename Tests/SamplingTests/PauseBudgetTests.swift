import Testing

@testable import Sampling

@Suite struct `A budget of pauses` {
  /// Takes ticks for ten seconds at 1,000 Hz, of which each holds the program for `pause`; returns how
  /// many were taken, and the share of time in which the program was held.
  private func simulate(share: Double, pause: Int64) -> (ticks: Int, share: Double) {
    var budget = PauseBudget(share: share)
    var ticks = 0
    var held: Int64 = 0
    let end: Int64 = 10_000_000_000
    var time: Int64 = 0
    while time < end {
      if time >= budget.earliestTick {
        ticks += 1
        held += pause
        time += pause
        budget.spend(heldTime: held, at: time)
      }
      time = (time / 1_000_000 + 1) * 1_000_000
    }
    return (ticks, Double(held) / Double(end))
  }

  @Test(arguments: [0.001, 0.01, 0.1, 0.25])
  func `is kept by leaving out ticks`(share: Double) {
    let outcome = simulate(share: share, pause: 900_000)
    #expect(outcome.ticks > 5)
    #expect(outcome.share <= share * 1.03 + 0.0001)
    #expect(outcome.share >= share * 0.8)
  }

  @Test func `leaves out nothing where the stops are short, or all is allowed`() {
    #expect(simulate(share: 0.25, pause: 100_000).ticks == 10_000)
    #expect(simulate(share: 1, pause: 999_999).ticks == 10_000)
  }

  @Test func `forgives a long stop now and then`() {
    var budget = PauseBudget(share: 0.25)
    budget.spend(heldTime: 50_000_000, at: 1_000_000_000)
    #expect(budget.earliestTick <= 1_000_000_000)
    budget.spend(heldTime: 150_000_000, at: 1_100_000_000)
    #expect(budget.earliestTick == 1_200_000_000)
  }

  @Test func `waits no longer than a second, whatever a stop has taken`() {
    var budget = PauseBudget(share: 0.001)
    budget.spend(heldTime: .max, at: 5_000_000_000)
    #expect(budget.earliestTick == 6_000_000_000)
    budget.spend(heldTime: 0, at: 6_000_000_000)
    #expect(budget.earliestTick <= 7_000_000_000)
  }

  @Test(arguments: [(0.25, "25 %"), (0.001, "0.1 %"), (1, "100 %"), (0.125, "12.5 %")])
  func `is told as it was asked for`(share: Double, words: String) {
    #expect(PauseBudget.words(share) == words)
  }
}
