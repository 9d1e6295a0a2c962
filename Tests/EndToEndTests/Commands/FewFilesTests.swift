import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Few open files` {
    private static let limit = 120
    private static let sleepers = 200

    /// Runs sprof where it may have that many files open.
    private func run(_ arguments: [String], limit: String) throws -> CommandOutcome {
      try TestSupport.run(
        ["/bin/sh", "-c", "ulimit \(limit); exec \"$@\"", "sh", SprofCommand.path] + arguments,
        timeout: .seconds(60))
    }

    @Test(arguments: [["attach", "--duration", "1s"], ["dump"]])
    func `leave no thread out, and nothing false about the kernel`(command: [String]) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["\(Self.sleepers)", "1"])
      let arguments = [command[0], "\(program.pid)"] + command.dropFirst()
      let report = try Report(run(arguments + ["--json"], limit: "-n \(Self.limit)"))
      #expect(report.threads.count == Self.sleepers + 2)
      #expect(report.threads.allSatisfy { !$0.runs.isEmpty })
      #expect(report.capture.unsampledThreads == 0)
      let spinner = try report.thread("spinner-0")
      #expect(try report.functions(of: report.heaviestRun(of: spinner)).contains("compute"))
      #expect(report.verdict?.tid == spinner.tid, "\(report.verdict?.words ?? "none")")
      #expect(report.capture.notes.contains { $0.contains("ulimit -n") })
      #expect(!report.capture.notes.contains { $0.contains("This kernel") })
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }

    @Test func `stay those of a program that sprof starts`() throws {
      let outcome = try run(
        ["run", "--", "/bin/sh", "-c", "ulimit -Sn"], limit: "-Sn \(Self.limit)")
      #expect(outcome.status == 0)
      #expect(outcome.stdout == "\(Self.limit)\n", "\(outcome.stderr)")
      expectNothingLeftBehind()
    }
  }
}
