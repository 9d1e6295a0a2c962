import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// A thread that executes a program takes over the number of the main thread, at any moment of a stop.
  @Suite struct `Programs that a thread other than the main one executes` {
    private static let modes = [
      ["--rate", "1000", "--stop-all"], ["--rate", "5000", "--max-pause", "100%"],
      ["--rate", "1000", "--children"], ["--rate", "100"],
    ]

    /// Samples the program until it has executed itself 100 times and goes on; `work` is for how many
    /// milliseconds the executing thread computes before.
    private func check(_ options: [String], work: Int) throws {
      let program = try RunningProgram(fixture: "threadexec.c", ["100", "\(work)"])
      let command = try SprofCommand.startAttach(to: program, ["--json"] + options)
      try program.send(line: "go")
      // One that is left in a stop gets as far as this only when sprof has ended.
      #expect(try program.readLine(deadline: .seconds(60)) == "settled")
      #expect(ProcessStatus(pid: command.pid)?.state != "Z")
      let before = try program.figure("iterations")
      try waitUntil("the last program has run") {
        try program.figure("iterations") > before + 400_000_000
      }
      #expect(ProcessStatus(pid: command.pid)?.state != "Z")
      command.send(SIGINT)
      let report = try Report(try command.finish(timeout: .seconds(60)))
      #expect(report.capture.ending == "interrupted")
      #expect(report.allFunctions.contains("settled"))
      #expect(!report.capture.notes.contains { $0.contains("refused") })
      try program.assertUntouched(progress: "iterations")
    }

    @Test(arguments: Repository.pairs(modes, [0, 1]))
    func `run on, and are sampled to the end`(options: [String], work: Int) throws {
      for _ in 0..<Repository.trials(short: 1, full: 20) { try check(options, work: work) }
    }

    @Test(arguments: [["--rate", "1000"], ["--rate", "5000", "--max-pause", "100%"]])
    func `are sampled to the end by run`(options: [String]) throws {
      let program = try Fixture.compile(source: "threadexec.c", flags: ["-g", "-O1"])
      for _ in 0..<Repository.trials(short: 4, full: 40) {
        let folder = try TemporaryFolder()
        let file = folder.path + "/report"
        let outcome = try SprofCommand.run(
          ["run", "--json", "--report", file] + options + ["--", program, "40", "0", "300"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try Report(json: String(contentsOfFile: file, encoding: .utf8))
        #expect(report.capture.ending == "targetEnded")
        #expect(try cpuTime(in: "settled", of: report) > 150_000_000)
      }
    }

    private func cpuTime(in function: String, of report: Report) throws -> Int64 {
      try report.threads.flatMap(\.runs).reduce(0) { sum, run in
        try report.functions(of: run).contains(function) ? sum + run.cpuNs : sum
      }
    }

    @Test func `are found by each dump`() throws {
      let program = try RunningProgram(fixture: "threadexec.c", ["300", "1"])
      try program.send(line: "go")
      for _ in 0..<Repository.trials(short: 10, full: 200) {
        let outcome = try SprofCommand.run(["dump", "\(program.pid)"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(!outcome.stdout.contains("refused"))
      }
      #expect(try program.readLine(deadline: .seconds(60)) == "settled")
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `do not pass on the CPU time of the thread`() throws {
      let program = try RunningProgram(fixture: "threadexec.c", ["1", "1500"])
      try program.send(line: "go")
      let command = try SprofCommand.startAttach(to: program, ["--json", "--rate", "1000"])
      #expect(try program.readLine() == "settled")
      command.send(SIGINT)
      let report = try Report(try command.finish())
      let used = report.threads.reduce(0) { $0 + $1.cpuNs }
      #expect(Double(used) < Double(report.capture.durationNs) * 1.2 + 1e8)
      try program.assertUntouched(progress: "iterations")
    }
  }
}
