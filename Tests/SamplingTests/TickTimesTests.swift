import ProfileModel
import Testing

@testable import Sampling

@Suite struct `The times of ticks` {
  private let period = Nanoseconds.milliseconds(10)

  private func offsets(seed: UInt64?, count: Int64 = 20_000) -> [Int64] {
    var times = TickTimes(period: period, seed: seed)
    return (1...count).map { (times.next($0) - period * ($0 - 1)).rawValue }
  }

  @Test func `fall in each tenth of a period alike`() {
    var tenths = [Int](repeating: 0, count: 10)
    for offset in offsets(seed: 1) {
      guard (0..<period.rawValue).contains(offset) else {
        Issue.record("a tick outside its period: \(offset)")
        return
      }
      tenths[Int(offset * 10 / period.rawValue)] += 1
    }
    // 2,000 each; a standard deviation is 42.
    #expect(tenths.allSatisfy { abs($0 - 2000) < 250 }, "\(tenths)")
  }

  @Test func `follow from their seed`() {
    #expect(offsets(seed: 7, count: 50) == offsets(seed: 7, count: 50))
    #expect(offsets(seed: 7, count: 50) != offsets(seed: 8, count: 50))
  }

  @Test func `are even without a seed`() {
    #expect(Set(offsets(seed: nil, count: 50)) == [period.rawValue / 2])
  }

  @Test func `end where the clock does`() {
    var times = TickTimes(period: 0, seed: 3)
    #expect(times.next(5) == 0)
  }
}
