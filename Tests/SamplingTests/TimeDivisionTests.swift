import ProfileModel
import Testing

@testable import Sampling

@Suite struct `The division of CPU time` {
  @Test func `gives a sample that found the thread asleep nothing`() {
    var division = TimeDivision(since: 0)
    #expect(division.divide(40, at: 10, isFound: false) == .init())
    #expect(division.divide(60, at: 20, isFound: true) == .init(former: 0, own: 100))
    #expect(division.divide(30, at: 30, isFound: false) == .init())
    #expect(division.divide(50, at: 40, isFound: true) == .init(former: 40, own: 40))
    #expect(division.finish(9) == 9)
    #expect(division.unplaced == 0)
  }

  @Test func `carries time no further than a second`() {
    var division = TimeDivision(since: 0)
    let second = Nanoseconds.seconds(1)
    _ = division.divide(10, at: 5, isFound: true)
    _ = division.divide(20, at: 10, isFound: false)
    #expect(division.divide(30, at: second * 2, isFound: false) == .init(former: 20, own: 0))
    #expect(division.divide(40, at: second * 4, isFound: false) == .init())
    #expect(division.unplaced == 30)
    #expect(division.divide(50, at: second * 4 + 5, isFound: true) == .init(former: 0, own: 90))
  }

  @Test func `keeps what no sample has`() {
    var division = TimeDivision(since: 0)
    _ = division.divide(10, at: 5, isFound: false)
    #expect(division.finish(7) == 0)
    #expect(division.unplaced == 17)
  }

  /// A program of one thread that runs its functions in turn: each for so many microseconds, and those
  /// before `asleepFrom` on a CPU.
  private struct Program {
    let lengths: [Int64]
    let asleepFrom: Int

    func function(at time: Int64) -> Int {
      var rest = time % lengths.reduce(0, +)
      for (function, length) in lengths.enumerated() {
        if rest < length { return function }
        rest -= length
      }
      return 0
    }

    /// CPU time used until `time`.
    func cpu(until time: Int64) -> Int64 {
      let cycle = lengths.reduce(0, +)
      let running = lengths[..<asleepFrom].reduce(0, +)
      return time / cycle * running + min(time % cycle, running)
    }
  }

  /// The CPU time of each function as 20,000 ticks of 10 ms would have it, in percent.
  private func measuredShares(_ program: Program) -> [Double] {
    var times = TickTimes(period: 10_000, seed: 4)
    var division = TimeDivision(since: 0)
    var amounts = [Int64](repeating: 0, count: program.lengths.count)
    var (last, lastFunction) = (Int64(0), 0)
    for tick in 1...Int64(20_000) {
      let time = times.next(tick).rawValue
      let function = program.function(at: time)
      let used = program.cpu(until: time) - program.cpu(until: last)
      let parts = division.divide(
        Nanoseconds(used), at: Nanoseconds(time), isFound: function < program.asleepFrom)
      amounts[lastFunction] += parts.former.rawValue
      amounts[function] += parts.own.rawValue
      if function < program.asleepFrom { lastFunction = function }
      last = time
    }
    amounts[lastFunction] += division.finish(0).rawValue
    #expect(amounts.reduce(0, +) == program.cpu(until: last), "time is lost")
    return amounts.map { Double($0) / Double(amounts.reduce(0, +)) * 100 }
  }

  @Test(arguments: [
    ([5000, 3000, 2000], 3, [50, 30, 20.0]), ([2500, 1500, 1000], 3, [50, 30, 20]),
    ([50_000, 30_000, 20_000], 3, [50, 30, 20]), ([2000, 1000, 7000], 2, [66.7, 33.3, 0]),
    ([200, 9800], 1, [100, 0]), ([700, 300, 19_000], 2, [70, 30, 0]),
  ])
  func `has each function's CPU time, also where the clock drives the program`(
    lengths: [Int64], asleepFrom: Int, shares: [Double]
  ) {
    let measured = measuredShares(Program(lengths: lengths, asleepFrom: asleepFrom))
    for (share, truth) in zip(measured, shares) {
      #expect(abs(share - truth) < 4, "\(measured), not \(shares)")
    }
  }
}
