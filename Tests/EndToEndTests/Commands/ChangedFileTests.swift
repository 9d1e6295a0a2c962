import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `A program's file that is changed in place` {
    private let folder: TemporaryFolder
    private let program: String

    init() throws {
      folder = try TemporaryFolder()
      program = folder.path + "/brief"
      try FileManager.default.copyItem(
        atPath: try Fixture.compile(source: "brief.c"), toPath: program)
    }

    /// Names are looked up at the end, when the program's children have long ended.
    private func report(after command: String) throws -> Report {
      let file = folder.path + "/report"
      let outcome = try SprofCommand.run([
        "run", "--children", "--json", "--report", file, "--", "sh", "-c",
        // Whoever just reads the memory of a program keeps its file busy for that moment after its end
        // (get_task_mm).
        "\(program) 1000; until (\(command)) 2> /dev/null; do :; done",
      ])
      try #require(outcome.status == 0, "\(outcome.stderr)")
      return try Report(json: String(contentsOfFile: file, encoding: .utf8))
    }

    private func functions(_ report: Report) -> [String] {
      report.frames.filter { $0.module.map { report.modules[$0].path } == program }.map(\.function)
    }

    @Test func `has names when it is not`() throws {
      let report = try report(after: "true")
      #expect(functions(report).contains("work_hard"))
      #expect(report.capture.notes.allSatisfy { !$0.contains(program) })
    }

    @Test(arguments: [": > FILE", "truncate -s 1 FILE", "cat /bin/sh > FILE", "strip FILE"])
    func `costs its names, and not the report`(command: String) throws {
      let report = try report(after: command.replacingOccurrences(of: "FILE", with: program))
      #expect(!functions(report).isEmpty)
      #expect(functions(report).allSatisfy { $0.hasPrefix("0x") }, "\(functions(report))")
      #expect(
        report.capture.notes.contains {
          $0.hasPrefix(
            "Functions of \(program) are shown as addresses: the file was changed in place")
        })
      expectNothingLeftBehind()
    }

    @Test(.enabled(if: Tool.isInstalled("gcc"), "needs gcc"))
    func `while its code sleeps has no names of what is in its place`() throws {
      let red = try Plugin.compile("red", in: folder)
      let blue = try Plugin.compile("blue", in: folder)
      let program = try RunningProgram(fixture: "plugins.c", ["0", red, blue])
      try program.awaitSleep()
      #expect(
        try SprofCommand.report(["dump", "\(program.pid)"]).allFunctions.contains("red_sleep"))
      // In place: the program's own pages change, too, but for those that the loader has written to.
      try #require(try run(["sh", "-c", "cat \(blue) > \(red)"]).status == 0)
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.allFunctions.contains { $0.hasPrefix("0x") })
      #expect(report.allFunctions.allSatisfy { !$0.hasPrefix("red_") && !$0.hasPrefix("blue_") })
      #expect(report.capture.notes.contains { $0.contains("libred.so are shown as addresses") })
      try program.assertUntouched()
    }
  }
}
