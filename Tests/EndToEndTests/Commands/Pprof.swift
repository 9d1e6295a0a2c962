import Foundation
import TestSupport
import Testing

/// What `go tool pprof` tells of a file, and what it should tell.
enum Pprof {
  struct Unit: Sendable {
    let index: String
    let unit: String
    let value: @Sendable (Report.Run) -> Int64
  }

  static let units = [
    Unit(index: "cpu", unit: "ns") { $0.cpuNs }, Unit(index: "wall", unit: "ns") { $0.wallNs },
    Unit(index: "ticks", unit: "count") { $0.ticks },
    Unit(index: "samples", unit: "count") { $0.samples },
  ]

  private static func pprof(_ arguments: [String], _ file: String) throws -> String {
    let outcome = try run(["go", "tool", "pprof", "-symbolize=none"] + arguments + [file])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    return outcome.stdout
  }

  /// The flat and cumulative figures of each function, as `-top` tells them.
  static func top(_ file: String, _ unit: Unit) throws -> [String: [Int64]] {
    let text = try pprof(
      [
        "-top", "-sample_index=\(unit.index)", "-nodecount=100000", "-nodefraction=0",
        "-unit=\(unit.unit)",
      ], file)
    let lines = text.split(separator: "\n")
    let header = try #require(lines.firstIndex { $0.contains("flat%") })
    var figures: [String: [Int64]] = [:]
    for line in lines[(header + 1)...] {
      let words = line.split(separator: " ").map(String.init)
      let name = words[5...].joined(separator: " ").replacing(" (inline)", with: "")
        .replacing(" (partial-inline)", with: "")
      let values = [words[0], words[3]].map { word in
        Int64(word.hasSuffix("ns") ? String(word.dropLast(2)) : word)
      }
      figures[name] = try values.map { try #require($0, "\(line)") }
    }
    return figures
  }

  /// The figures that the report gives for each function.
  static func expected(_ report: Report, _ unit: Unit) throws -> [String: [Int64]] {
    var expected: [String: [Int64]] = [:]
    for run in report.threads.flatMap(\.runs) {
      let functions = try report.functions(of: run)
      let value = unit.value(run)
      if let own = functions.first { expected[own, default: [0, 0]][0] += value }
      for function in Set(functions) { expected[function, default: [0, 0]][1] += value }
    }
    return expected.filter { $0.value != [0, 0] }
  }

  /// The ticks of each value of a label.
  static func tags(_ file: String) throws -> [String: Double] {
    var tags: [String: Double] = [:]
    for line in try pprof(["-tags", "-sample_index=ticks"], file).split(separator: "\n") {
      // `    101.0 (20.00%): sleeper-0`
      guard let parts = line.wholeMatch(of: /\s*([\d.]+) \([^)]*\): (.*)/) else { continue }
      tags[String(parts.2)] = Double(parts.1)
    }
    return tags
  }

  /// The number of stacks that `-traces` lists.
  static func traceCount(_ file: String) throws -> Int {
    let text = try pprof(["-traces", "-sample_index=ticks"], file)
    // Each trace stands between two lines of dashes.
    return text.split(separator: "\n").split { $0.hasPrefix("-----------") }.count - 1
  }
}
