import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Compare` {
    @Test(arguments: [
      (["compare"], "two captures"), (["compare", "one"], "two captures"),
      (["compare", "one", "--window", "0s-1s"], "--window twice"),
      (["compare", "one", "--window", "2s-1s", "--window", "0s-1s"], "ends before it begins"),
      (["compare", "one", "--window", "1s-0s", "--window", "0s-1s"], "ends before it begins"),
      (["compare", "one", "--window", "0s-0s", "--window", "0s-1s"], "ends before it begins"),
      (["compare", "one", "--window", "1s", "--window", "0s-1s"], "a form like 0s-10s"),
      (["compare", "--before", "one"], "--after"),
      (["compare", "one", "two", "--before", "three", "--after", "four"], "--before"),
      (["compare", "one", "two", "--fail-if", "+5"], "has no unit"),
      (["compare", "one", "two", "--fail-if", "parse_row"], "not a number"),
      (["compare", "one", "two", "--fail-if", ""], "bound is empty"),
      (["compare", "one", "two", "--json", "--markdown"], "cannot be combined"),
      (["compare", "one", "two", "--top", "0"], "--top"),
    ])
    func `says what is wrong with its arguments`(arguments: [String], words: String) throws {
      expectError(try SprofCommand.run(arguments), code: ExitCode.usage, naming: [words])
    }

    @Test func `names a capture that it cannot read`() throws {
      expectError(
        try SprofCommand.run(["compare", "/no/such/file", "/no/such/other"]),
        code: ExitCode.noTarget, naming: ["/no/such/file"])
    }

    private static let isFull = ProcessInfo.processInfo.environment["SPROF_TRIALS"] == "full"
    private static let pairs = isFull ? 40 : 1

    @Test func `finds no difference between two captures of one program`() throws {
      var reports = 0
      let pairs = max(2, Self.pairs)
      for _ in 0..<pairs {
        let program = try RunningProgram(fixture: "workload.c")
        let captures = Captures()
        for _ in 0..<2 { try captures.add(program) }
        if try Self.compare(captures.files).contains("\"changed\":true") { reports += 1 }
        program.kill()
      }
      // One in twenty may; two of two would be a defect.
      #expect(reports <= max(1, pairs / 20))
    }

    @Test func `fails for a bound on a function that neither side has, with the nearest names`()
      throws
    {
      let program = try RunningProgram(fixture: "sleepers.c", ["2", "1"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a"
      let attach = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "500ms", "-o", file])
      #expect(attach.status == 0, "\(attach.stderr)")
      for (bound, code, words) in [
        ("wait_for_conditoin +5%", 65, "wait_for_condition"), ("+5%", 0, ""),
        ("wait_for_condition +5%", 0, ""), ("qqqqqqqqqq +5%", 65, "neither side"),
      ] as [(String, Int32, String)] {
        let outcome = try SprofCommand.run(["compare", file, file, "--fail-if", bound])
        #expect(outcome.status == code, "\(bound): \(outcome.stderr)")
        #expect(words.isEmpty || outcome.stderr.contains(words), "\(outcome.stderr)")
      }
      try program.assertUntouched()
    }

    @Test func `shows a function that became slower as slower`() throws {
      let change = try Self.change(percent: 100)
      let function = try #require(change.report.functions.first { $0.name == "parse_row" })
      #expect(function.inclusive.time.change > 0)
      #expect(change.truth > 0)
    }

    // A short capture on a machine that does other things may not be surer than chance: the rest
    // belongs to the long trials.
    @Test(
      .enabled(if: isFull, "SPROF_TRIALS=full: 40 pairs of captures"), arguments: [10, 30, 100])
    func `names a function that became slower, and fails a build for it`(percent: Int) throws {
      var (first, inside, failed) = (0, 0, 0)
      for _ in 0..<Self.pairs {
        let change = try Self.change(percent: percent)
        guard let finding = change.report.findings.first else { continue }
        if change.report.functions[finding.function].name == "parse_row" { first += 1 }
        if let low = finding.timing.time.low, let high = finding.timing.time.high,
          low <= change.truth, change.truth <= high
        {
          inside += 1
        }
        let outcome = try SprofCommand.run(
          ["compare"] + change.captures.files + ["--fail-if", "parse_row +1%"])
        if outcome.status == 3 { failed += 1 }
      }
      #expect(first == Self.pairs)
      #expect(inside >= Self.pairs * 9 / 10)
      #expect(failed == Self.pairs)
    }

    /// Captures the workload as it is and with its function slower by `percent`; the truth is what
    /// the two programs themselves counted.
    private static func change(
      percent: Int
    ) throws -> (report: CompareReport, truth: Double, captures: Captures) {
      let captures = Captures()
      var shares: [Double] = []
      for arguments in [[], ["\(percent)"]] {
        let program = try RunningProgram(fixture: "workload.c", arguments)
        try captures.add(program)
        shares.append(try #require(try program.figures()["parse_share"]))
        program.kill()
      }
      let report = try JSONDecoder().decode(
        CompareReport.self, from: Data(try compare(captures.files).utf8))
      return (report, shares[1] - shares[0], captures)
    }

    private static func compare(_ files: [String]) throws -> String {
      let outcome = try SprofCommand.run(["compare", "--json"] + files)
      guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
      return outcome.stdout
    }
  }
}

/// Captures that go away with it.
private final class Captures {
  private(set) var files: [String] = []

  /// Captures `program`, alone on its CPU.
  func add(_ program: RunningProgram) throws {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "sprof-compare-\(UUID().uuidString).pb.gz").path
    files.append(file)
    let outcome = try SprofCommand.run([
      "attach", "\(program.pid)", "--duration", Repository.isTrial ? "10s" : "4s", "--rate", "500",
      "--output", file,
    ])
    guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
  }

  deinit { for file in files { try? FileManager.default.removeItem(atPath: file) } }
}

/// What the tests need of `compare --json`.
private struct CompareReport: Decodable {
  struct Finding: Decodable {
    let function: Int
    let timing: Timing
  }

  struct Timing: Decodable {
    let time: Change
  }

  struct Change: Decodable {
    let change: Double
    let low: Double?
    let high: Double?
  }

  struct Function: Decodable {
    let name: String
    let inclusive: Timing
  }

  let findings: [Finding]
  let functions: [Function]
}
