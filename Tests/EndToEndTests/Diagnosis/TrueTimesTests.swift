import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Against programs that know how long each of their functions took.
  @Suite struct `Times of functions` {
    private static let native = [
      TimedProgram(mode: "locked 5"), TimedProgram(mode: "locked 10"),
      TimedProgram(mode: "locked 16.7"), TimedProgram(mode: "locked 20", rate: 250),
      TimedProgram(mode: "locked 33.3"), TimedProgram(mode: "locked 100", rate: 99),
      TimedProgram(mode: "bursts 0.2 1", rate: 250), TimedProgram(mode: "bursts 1 4", rate: 250),
      TimedProgram(mode: "bursts 1 20", rate: 250), TimedProgram(mode: "bursts 3 7"),
      TimedProgram(mode: "pinned", rate: 250), TimedProgram(mode: "load 3 bursts 3 7"),
      TimedProgram(mode: "load 3 locked 33.3"), TimedProgram(mode: "calls"),
      TimedProgram(mode: "pool"), TimedProgram(mode: "loop"),
      TimedProgram(mode: "children 2 bursts 3 7"),
    ]

    /// Those of `make test`.
    private static let few = [
      "locked 10", "bursts 1 4", "pinned", "load 3 bursts 3 7", "calls", "loop",
      "children 2 bursts 3 7",
    ]

    private static let pythons = Interpreter.onePerVersion.filter {
      [8, 11, 13, 14].contains($0.minor)
    }

    private static func programs(in interpreter: Interpreter) -> [TimedProgram] {
      ["locked 10", "bursts 3 7", "calls", "pool", "loop", "children 2 bursts 3 7"].map {
        TimedProgram(mode: $0, interpreter: interpreter)
      }
    }

    /// Three intervals, and what a machine adds on which others compute, too.
    private func expectTrue(_ shares: [TimedShare]) {
      #expect(shares.contains { $0.truth > 5 })
      for share in shares {
        let words =
          "\(share.program): \(share.function) took \(share.truth) % of \(share.unit.rawValue), "
          + "not \(share.measured) ±\(share.error)"
        #expect(abs(share.deviation) <= 3 * share.error + 6, "\(words)")
      }
    }

    @Test(arguments: few)
    func `are as the program counts them`(mode: String) throws {
      guard let program = Self.native.first(where: { $0.mode == mode }) else {
        throw TestFailure("no program \(mode)")
      }
      expectTrue(try program.measure(seconds: 3))
      expectNothingLeftBehind()
    }

    @Test(arguments: Repository.pairs(pythons, ["locked 10", "bursts 3 7"]))
    func `are as a Python program counts them`(interpreter: Interpreter, mode: String) throws {
      expectTrue(try TimedProgram(mode: mode, interpreter: interpreter).measure(seconds: 3))
      expectNothingLeftBehind()
    }

    @Test(.enabled(if: Repository.isTrial, "takes an hour: make trials"))
    func `are within their intervals in about 19 of 20 trials`() throws {
      var table = TimesTable()
      for program in Self.native + Self.pythons.flatMap(Self.programs) {
        for _ in 0..<12 { table.add(try program.measure(seconds: 4)) }
      }
      table.write()
      for unit in TimedShare.Unit.allCases {
        let coverage = try #require(table.coverage(unit))
        #expect((90...99).contains(coverage), "\(unit.rawValue)")
      }
      expectNothingLeftBehind()
    }

    // Twenty seconds at 100 Hz have an error of 1.1 points by chance alone.
    @Test(
      .enabled(if: Repository.isTrial, "takes an hour: make trials"), arguments: [5, 10, 20, 100])
    func `of phases that follow the clock are true at each rate`(period: Int) throws {
      var table = TimesTable()
      for rate in [99, 100, 250, 1000] {
        for _ in 0..<10 {
          table.add(try TimedProgram(mode: "locked \(period)", rate: rate).measure(seconds: 20))
        }
      }
      table.write()
      for unit in TimedShare.Unit.allCases {
        #expect(table.largestError(unit) <= 3, "\(unit.rawValue)")
        #expect(table.meanError(unit) < 1, "\(unit.rawValue)")
      }
      expectNothingLeftBehind()
    }
  }
}
