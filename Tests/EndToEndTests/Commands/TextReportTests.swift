import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Text report` {
    @Test(arguments: [
      ("tree", "compute"), ("lines", "spin.c"), ("threads", "spinner-0"), ("stacks", "compute"),
    ])
    func `in a pipe is plain text of at most 100 columns`(view: String, word: String) throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "500ms", "--view", view])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains(word), "\(outcome.stdout)")
      #expect(!outcome.stdout.contains("\u{1b}"))
      #expect(!outcome.stderr.contains("\u{1b}"))
      for line in outcome.stdout.split(separator: "\n") {
        #expect(line.count <= 100, "\(line)")
      }
    }

    @Test func `says what the capture cost, and where main spends its time`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "500ms"])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      for word in ["ticks", "stops", "main", "compute", "spinner-0", "\(program.pid)"] {
        #expect(outcome.stdout.contains(word), "\(word) in \(outcome.stdout)")
      }
    }

    @Test func `has Landschoff's columns in the table of lines`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "500ms", "--view", "lines"])
      let columns = ["cpu_time", "(cum)", "ticks", "(cum)", "samples", "(cum)", "filename:lineno"]
      let header = outcome.stdout.split(separator: "\n").first { $0.contains("cpu_time") } ?? ""
      #expect(header.split(separator: " ").map(String.init).starts(with: columns))
    }

    @Test func `is the same JSON object for every reader`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "--json"])
      let value = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8))
      let keys = try #require(value as? [String: Any]).keys.sorted()
      let expected = [
        "blame", "capture", "cost", "frames", "freezes", "goroutines", "modules", "sprof", "stacks",
        "tasks", "threads", "tree", "verdict", "virtual_threads", "waits",
      ]
      #expect(keys == expected)
    }
  }
}
