import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// The loader puts each where the other was.
  @Suite struct `Plug-ins that are opened and closed in turn` {
    private let folder: TemporaryFolder
    private let red: String
    private let blue: String

    init() throws {
      folder = try TemporaryFolder()
      red = try Plugin.compile("red", in: folder)
      blue = try Plugin.compile("blue", in: folder)
    }

    /// Samples by who called, and whose names are on the stack.
    private func samples(_ report: Report) throws -> [[String]: Int64] {
      var result: [[String]: Int64] = [:]
      for run in report.threads.flatMap(\.runs) {
        let functions = try report.functions(of: run)
        let callers = ["call_first", "call_second"].filter { functions.contains($0) }
        let names = ["red", "blue"].filter { color in
          functions.contains { $0.hasPrefix(color + "_") }
        }
        result[callers + names, default: 0] += run.samples
      }
      return result
    }

    @Test(arguments: [("300", "2s"), ("25", "2s"), ("1", "2s")])
    func `never have each other's names`(ms: String, duration: String) throws {
      let program = try RunningProgram(fixture: "plugins.c", [ms, red, blue])
      let report = try SprofCommand.report([
        "attach", "\(program.pid)", "--duration", duration, "--rate", "200",
      ])
      let samples = try samples(report)
      // At the same address.
      let figures = try program.figures()
      #expect((figures["moves"] ?? 0) * 10 <= figures["swaps"] ?? 0)
      for (first, second) in [("call_first", "blue"), ("call_second", "red")] {
        #expect(samples[[first, second]] == nil, "\(samples)")
      }
      #expect(samples[["call_first", "red"], default: 0] > 0, "\(samples)")
      #expect(samples[["call_second", "blue"], default: 0] > 0, "\(samples)")
      try program.assertUntouched(progress: "swaps")
    }

    @Test func `never have each other's names in a program that is started`() throws {
      let file = folder.path + "/report"
      let path = try Fixture.compile(source: "plugins.c")
      let outcome = try SprofCommand.run([
        "run", "--children", "--json", "--report", file, "--", "timeout", "2", path, "100", red,
        blue,
      ])
      let samples = try samples(
        try Report(json: String(contentsOfFile: file, encoding: .utf8)))
      #expect(samples[["call_first", "blue"]] == nil && samples[["call_second", "red"]] == nil)
      #expect(samples[["call_first", "red"], default: 0] > 0, "\(samples) \(outcome.stderr)")
    }

    /// A plug-in that is built anew has the same path, and mostly the same address.
    @Test func `have the names of the file that was open then`() throws {
      let program = try RunningProgram(fixture: "plugins.c", ["50", red, red])
      let command = try SprofCommand.startAttach(
        to: program, ["--duration", "2s", "--rate", "200", "--json"])
      let swaps = try program.figure("swaps")
      try waitUntil("it was opened again") { try program.figure("swaps") > swaps + 4 }
      try #require(rename(blue, red) == 0)
      let report = try Report(try command.finish())
      let names = report.allFunctions
      #expect(names.contains("red_leaf") && names.contains("blue_leaf"), "\(names)")
      for run in report.threads.flatMap(\.runs) {
        let functions = try report.functions(of: run)
        let hasBoth =
          functions.contains { $0.hasPrefix("red_") }
          && functions.contains { $0.hasPrefix("blue_") }
        #expect(!hasBoth, "\(functions)")
      }
      try program.assertUntouched(progress: "swaps")
    }
  }
}
