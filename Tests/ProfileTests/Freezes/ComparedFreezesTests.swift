internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `Freezes before and after` {
  /// Captures of 10 s each with this many freezes of 0.3 s.
  private func captures(_ counts: [Int]) -> [ComparedCapture] {
    counts.map { count in
      var maker = FreezeMaker()
      for _ in 0..<count {
        maker.rest(milliseconds: 200)
        maker.run(
          "nanosleep debugCommand processCommand aeProcessEvents aeMain main",
          .asleep(in: "nanosleep"), milliseconds: 300)
      }
      maker.rest(milliseconds: 10_000 - Int64(count) * 500)
      return ComparedCapture(maker.maker.maker.profile)
    }
  }

  private func compared(_ before: [Int], _ after: [Int]) throws -> ComparedFreezes {
    try #require(Comparison(before: captures(before), after: captures(after)).freezes)
  }

  @Test func `are counted per hour, with the interval of a count`() throws {
    let freezes = try compared([0], [4, 6])
    #expect(freezes.before.count == 0 && freezes.after.count == 10)
    #expect(abs(freezes.after.perHour - 1800) < 1)
    // Tables of the Poisson distribution: 0 to 3.69, and 4.80 to 18.39.
    let none = try #require(freezes.before.perHourInterval)
    #expect(none.lowerBound == 0 && abs(none.upperBound - 3.69 * 360) < 15)
    let ten = try #require(freezes.after.perHourInterval)
    #expect(abs(ten.lowerBound - 4.80 * 180) < 15 && abs(ten.upperBound - 18.39 * 180) < 30)
    #expect(freezes.after.longest == 300_000_000)
    #expect(freezes.after.medianInterval == 300_000_000...300_000_000)
  }

  @Test func `differ by chance or not`() throws {
    // All ten of ten in one of two equal halves: 2 of 1024.
    let p = try #require(try compared([0], [10]).p)
    #expect(abs(p - 2.0 / 1024) < 1e-9)
    #expect(try compared([3], [4]).p == 1)
    #expect(try compared([0], [0]).p == nil)
  }

  @Test func `fail a comparison beyond a bound`() throws {
    let comparison = Comparison(before: captures([5]), after: captures([2]))
    func outcome(_ text: String) throws -> LimitVerdict {
      let limit = try ComparisonLimit(text)
      return LimitVerdict(limit, limit.verdict(on: comparison))
    }
    #expect(try outcome("freezes > 0").isExceeded)
    #expect(try outcome("freezes > 2").isKept)
    #expect(try outcome("longest freeze > 200ms").isExceeded)
    #expect(try outcome("longest freeze > 0.3s").isKept)
    #expect(throws: ComparisonLimit.Problem.noUnit("200")) {
      try ComparisonLimit("longest freeze > 200")
    }
    #expect(throws: ComparisonLimit.Problem.noNumber("x")) { try ComparisonLimit("freezes > x") }
  }

  @Test func `are not known of captures that do not tell`() throws {
    var before = captures([1])[0].profile
    before.capture.knowsUnseenSleeps = false
    let comparison = Comparison(before: [ComparedCapture(before)], after: captures([1]))
    #expect(comparison.freezes == nil)
    let limit = try ComparisonLimit("freezes > 0")
    #expect(LimitVerdict(limit, limit.verdict(on: comparison)).isUnknown)
  }
}
