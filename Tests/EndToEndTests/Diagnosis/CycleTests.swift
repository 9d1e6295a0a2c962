import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Threads that wait for each other` {
    @Test(
      arguments: ["mutex", "five", "robust", "pi", "rwlock", "join", "self"], ["dump", "attach"])
    func `are called a deadlock, and named`(kind: String, command: String) throws {
      let program = try RunningProgram(fixture: "cycles.c", [kind])
      let arguments = command == "dump" ? [] : ["--duration", "800ms"]
      let outcome = try SprofCommand.run([command, "\(program.pid)"] + arguments)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let text = outcome.stdout.replacingOccurrences(of: "\n", with: " ")
      #expect(text.hasPrefix("Deadlock: "), "\(kind): \(text.prefix(600))")
      #expect(text.contains("\"worker-0\""))
      for name in Self.locks(of: kind) { #expect(text.contains(name), "\(kind): \(name)") }
      let report = try SprofCommand.report([command, "\(program.pid)"] + arguments)
      #expect(report.cost.stops == 0)
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: ["mutex", "five", "join"])
    func `are called a deadlock by a capture of 100 milliseconds, too`(kind: String) throws {
      let program = try RunningProgram(fixture: "cycles.c", [kind])
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "100ms"])
      #expect(report.verdict?.kind == "deadlock", "\(report.verdict?.words ?? "")")
      try program.assertUntouched()
      program.kill()
    }

    private static func locks(of kind: String) -> [String] {
      switch kind {
      case "mutex", "robust", "pi": ["orders_lock", "audit_lock", "cycles.c"]
      case "five": ["ring[0]", "ring[4]", "\"worker-4\""]
      case "rwlock": ["orders_lock", "table_lock"]
      default: ["orders_lock"]
      }
    }

    @Test func `behind an owner that has ended are told so`() throws {
      let program = try RunningProgram(fixture: "cycles.c", ["orphan"])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1500ms"])
      let text = outcome.stdout.replacingOccurrences(of: "\n", with: " ")
      #expect(text.contains("orders_lock"), "\(text.prefix(600))")
      #expect(!text.hasPrefix("Deadlock"))
      #expect(text.contains("exited thread"), "\(text.prefix(600))")
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: ["pipe", "unix"])
    func `in two processes are called a deadlock`(kind: String) throws {
      let program = try RunningProgram(fixture: "peers.c", [kind])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)"])
      let text = outcome.stdout.replacingOccurrences(of: "\n", with: " ")
      #expect(text.hasPrefix("Deadlock: "), "\(kind): \(text.prefix(600))")
      #expect(text.contains("\"second\""))
      program.kill()
    }

    @Test(arguments: ["beat", "timer"], ["dump", "attach"])
    func `in two processes are not called a deadlock where a timer's handler may write`(
      kind: String, command: String
    ) throws {
      let program = try RunningProgram(fixture: "peers.c", [kind])
      let arguments = command == "dump" ? [] : ["--duration", "1s"]
      let outcome = try SprofCommand.run([command, "\(program.pid)"] + arguments)
      let text = outcome.stdout.replacingOccurrences(of: "\n", with: " ")
        .replacingOccurrences(of: "   ", with: " ")
      #expect(text.hasPrefix("Possible deadlock: "), "\(kind): \(text.prefix(600))")
      let signal = kind == "beat" ? "SIGALRM" : "signal 37"
      #expect(text.contains("handles \(signal): "), "\(text.prefix(600))")
      program.kill()
    }
  }
}
