internal import Foundation
internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

/// Trials with programs whose true change is known, counted; docs/compare.md has one run of all.
@Suite struct `Comparison of made-up programs` {
  static let isFull = ProcessInfo.processInfo.environment["SPROF_TRIALS"] == "full"
  /// Debug builds are slow, so that a short run has fewer trials.
  static let trials = isFull ? 40 : 3
  /// One in twenty, and one in a short run, where that can be chance.
  static let misses = max(1, trials / 20)

  static func compare(
    _ before: SyntheticProgram, _ after: SyntheticProgram, _ plan: SyntheticCapture,
    captures: Int = 1, trial: Int
  ) -> Comparison {
    func side(_ program: SyntheticProgram, seed: UInt64) -> [ComparedCapture] {
      (0..<captures).map { number in
        var one = plan
        one.seed = plan.seed &+ UInt64(2 * (captures * trial + number)) &+ seed
        return ComparedCapture(one.profile(of: program))
      }
    }
    return Comparison(before: side(before, seed: 0), after: side(after, seed: 1))
  }

  struct Same: Sendable, CustomTestStringConvertible {
    let name: String
    let plan: SyntheticCapture
    var testDescription: String { name }

    static let all = [
      Same(name: "10 s at 250 Hz, idle machine", plan: SyntheticCapture(seed: 10_000)),
      Same(
        name: "10 s at 250 Hz, loaded machine", plan: SyntheticCapture(load: 0.6, seed: 20_000)),
      Same(name: "5 s at 100 Hz", plan: SyntheticCapture(seconds: 5, rate: 100, seed: 30_000)),
    ]
  }

  @Test(arguments: Same.all)
  func `of a program with itself finds no difference`(same: Same) throws {
    var reports = 0
    var failures = 0
    for trial in 0..<Self.trials {
      let program = SyntheticProgram(seed: UInt64(trial))
      let comparison = Self.compare(program, program, same.plan, trial: trial)
      if comparison.hasChanges { reports += 1 }
      let verdict = try ComparisonLimit("+5%").verdict(on: comparison)
      if LimitOutcome(verdict) == .exceeded { failures += 1 }
    }
    Self.row("A/A, " + same.name, "\(reports) report a change, --fail-if +5% fails \(failures)")
    #expect(reports <= Self.misses)
    #expect(failures == 0)
  }

  @Test func `tells load of the machine from a change of the program`() {
    var (named, reports) = (0, 0)
    for trial in 0..<Self.trials {
      let program = SyntheticProgram(seed: UInt64(trial))
      let quiet = SyntheticCapture(seed: UInt64(40_000 + 2 * trial)).profile(of: program)
      let loud = SyntheticCapture(load: 0.8, seed: UInt64(40_001 + 2 * trial)).profile(of: program)
      let comparison = Comparison(
        before: [ComparedCapture(quiet)], after: [ComparedCapture(loud)])
      if comparison.hasChanges { reports += 1 }
      let isLoad = comparison.warnings.contains { warning in
        if case .otherLoad(let before, let after) = warning { return before < after }
        return false
      }
      if isLoad { named += 1 }
    }
    Self.row(
      "A/A, idle before and loaded after", "\(named) name the load, \(reports) report a change")
    #expect(named >= Self.trials - Self.misses)
    #expect(reports <= Self.misses)
  }

  @Test func `says nothing of threads that hardly ran`() {
    for trial in 0..<Self.trials {
      let program = SyntheticProgram(seed: UInt64(trial))
      let seed = UInt64(95_000 + 2 * trial)
      let quiet = SyntheticCapture(rate: 100, seed: seed).profile(of: program)
      let starved = SyntheticCapture(rate: 100, load: 200, seed: seed + 1).profile(of: program)
      let comparison = Comparison(
        before: [ComparedCapture(quiet)], after: [ComparedCapture(starved)])
      #expect(!comparison.hasChanges)
    }
  }

  struct Slower: Sendable, CustomTestStringConvertible {
    let name: String
    /// Of each side, and of how many seconds each.
    var captures = 1
    let seconds: Double
    /// The part of the trials that must name it first; nil for all but `misses`.
    var leastPart: Double?
    /// Makes the other variant and returns the function that changed.
    let change: @Sendable (inout SyntheticProgram) -> Int
    var testDescription: String { name }

    static let all = [
      // Two runs of one program may differ by 1 %, so one capture a side cannot be sure of 10 %.
      Slower(name: "+10 %, 240 s", seconds: 240, leastPart: 0.7) { program in
        program.slow(program.crunchTarget, by: 1.1)
        return program.crunchTarget
      },
      Slower(name: "+10 %, 8 captures of 30 s", captures: 8, seconds: 30) { program in
        program.slow(program.crunchTarget, by: 1.1)
        return program.crunchTarget
      },
      Slower(name: "+30 %, 60 s", seconds: 60) { program in
        program.slow(program.crunchTarget, by: 1.3)
        return program.crunchTarget
      },
      Slower(name: "+100 %, 20 s", seconds: 20) { program in
        program.slow(program.target, by: 2)
        return program.target
      },
      Slower(name: "a new lock wait, 20 s", seconds: 20) { program in
        program.wait = SyntheticProgram.Wait(
          request: 1, function: program.lock, chance: 0.5, mean: 0.006)
        return program.lock
      },
      Slower(name: "renamed and +60 %, 60 s", seconds: 60) { program in
        program.slow(program.target, by: 1.6)
        program.names[program.target] = "parse_line"
        return program.target
      },
      Slower(name: "inlined and +60 %, 60 s", seconds: 60) { program in
        program.slow(program.target, by: 1.6)
        program.inlined = [program.target]
        return program.target
      },
    ]
  }

  @Test(arguments: Slower.all)
  func `names the function that changed first, with an interval that holds the truth`(
    slower: Slower
  ) throws {
    var (first, inside, failed) = (0, 0, 0)
    for trial in 0..<Self.trials {
      let before = SyntheticProgram(seed: UInt64(trial))
      var after = before
      let target = slower.change(&after)
      let plan = SyntheticCapture(
        seconds: slower.seconds, rate: 200, drift: 0.1, seed: 50_000)
      let comparison = Self.compare(
        before, after, plan, captures: slower.captures, trial: trial)
      let name = after.names[target]
      let finding = comparison.findings.first.map { comparison.functions[$0.function] }
      if finding?.name == name { first += 1 }
      let function = try #require(comparison.functions.first { $0.name == name })
      let truth = after.trueRate(target) - before.trueRate(target)
      if function.inclusive.change.interval?.contains(truth) ?? false { inside += 1 }
      let verdict = try ComparisonLimit("\(name) +2%").verdict(on: comparison)
      if LimitOutcome(verdict) == .exceeded { failed += 1 }
      if before.names[target] != name {
        #expect(function.match == .renamed)
        #expect(function.oldName == before.names[target])
      }
      #expect(after.inlined.contains(target) == (function.isInlined && !function.wasInlined))
    }
    Self.row(
      "A/B, " + slower.name,
      "\(first) name it first, \(inside) hold the truth, --fail-if fails \(failed)")
    let least = slower.leastPart.map { Int($0 * Double(Self.trials)) }
    #expect(first >= least ?? Self.trials - Self.misses)
    #expect(inside >= Self.trials * 9 / 10)
    #expect(failed >= Self.trials - Self.misses)
  }

  @Test func `finds nothing in a function that was only renamed or inlined`() throws {
    for trial in 0..<Self.trials {
      let before = SyntheticProgram(seed: UInt64(trial))
      var after = before
      after.names[before.target] = "parse_line"
      after.inlined = [before.crunchTarget]
      let comparison = Self.compare(
        before, after, SyntheticCapture(drift: 0.1, seed: 60_000), trial: trial)
      let renamed = try #require(comparison.functions.first { $0.name == "parse_line" })
      #expect(renamed.match == .renamed)
      #expect(!renamed.inclusive.change.isSignificant)
      let inlined = try #require(comparison.functions.first { $0.name == "hash_block" })
      #expect(inlined.match == .same)
      #expect(!inlined.inclusive.change.isSignificant)
    }
  }

  /// A row of the table in docs/compare.md, for whoever runs all trials.
  private static func row(_ name: String, _ outcome: String) {
    if isFull { print("| \(name) | of \(trials): \(outcome) |") }
  }
}

/// A verdict without its figures.
enum LimitOutcome: Equatable {
  case exceeded, kept, noSuchFunction, cannotTell

  init(_ verdict: ComparisonLimit.Verdict) {
    switch verdict {
    case .exceeded, .froze(_, isExceeded: true): self = .exceeded
    case .kept, .froze: self = .kept
    case .noFreezesKnown, .noSuchFunction: self = .noSuchFunction
    case .cannotTell: self = .cannotTell
    }
  }
}
