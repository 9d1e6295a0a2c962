import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Compare` {
    @Test(arguments: [
      (["compare"], "two captures"), (["compare", "one"], "two captures"),
      (["compare", "one", "--window", "0s-1s"], "--window twice"),
      (["compare", "one", "--window", "2s-1s", "--window", "0s-1s"], "ends before it begins"),
      (["compare", "one", "--window", "1s", "--window", "0s-1s"], "no part of a capture"),
      (["compare", "--before", "one"], "--after"),
      (["compare", "one", "two", "--before", "three", "--after", "four"], "--before"),
      (["compare", "one", "two", "--fail-if", "+5"], "lacks its unit"),
      (["compare", "one", "two", "--fail-if", "parse_row"], "not a number"),
      (["compare", "one", "two", "--fail-if", ""], "empty bound"),
      (["compare", "one", "two", "--json", "--markdown"], "exclude each other"),
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
        let files = [try Self.capture(program), try Self.capture(program)]
        if try Self.compare(files).contains("\"changed\":true") { reports += 1 }
        program.kill()
      }
      // One in twenty may; two of two would be a defect.
      #expect(reports <= max(1, pairs / 20))
    }

    // In ten seconds on a machine that does other things, less than a doubling may not be told
    // from chance: the smaller ones belong to the long trials.
    @Test(arguments: isFull ? [10, 30, 100] : [100])
    func `names a function that became slower, and fails a build for it`(percent: Int) throws {
      var (first, inside) = (0, 0)
      for _ in 0..<Self.pairs {
        let before = try RunningProgram(fixture: "workload.c")
        let after = try RunningProgram(fixture: "workload.c", ["\(percent)"])
        let files = [try Self.capture(before), try Self.capture(after)]
        let shares = try [before, after].map { try #require(try $0.figures()["parse_share"]) }
        let report = try JSONDecoder().decode(
          CompareReport.self, from: Data(try Self.compare(files).utf8))
        let finding = try #require(report.findings.first)
        if report.functions[finding.function].name == "parse_row" { first += 1 }
        let change = finding.timing.time
        let truth = shares[1] - shares[0]
        if let low = change.low, let high = change.high, low <= truth, truth <= high {
          inside += 1
        }
        let failed = try SprofCommand.run(["compare"] + files + ["--fail-if", "parse_row +1%"])
        #expect(failed.status == 3)
        before.kill()
        after.kill()
      }
      #expect(first == Self.pairs)
      #expect(inside >= Self.pairs * 9 / 10)
    }

    /// Captures `program`, alone on its CPU, and gives the file.
    private static func capture(_ program: RunningProgram) throws -> String {
      let file = FileManager.default.temporaryDirectory
        .appending(path: "sprof-compare-\(UUID().uuidString).pb.gz").path
      let outcome = try SprofCommand.run([
        "attach", "\(program.pid)", "--duration", "10s", "--rate", "500", "--output", file,
      ])
      guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
      return file
    }

    private static func compare(_ files: [String]) throws -> String {
      let outcome = try SprofCommand.run(["compare", "--json"] + files)
      guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
      return outcome.stdout
    }
  }
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
    let low: Double?
    let high: Double?
  }

  struct Function: Decodable {
    let name: String
  }

  let findings: [Finding]
  let functions: [Function]
}
