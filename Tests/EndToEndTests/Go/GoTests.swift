import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: !GoToolchain.all.isEmpty, "needs Go")) struct `Programs in Go` {
    private func start(
      _ mode: String, _ toolchain: GoToolchain, _ form: GoToolchain.Form = .plain
    ) throws -> RunningProgram {
      try RunningProgram([toolchain.build("goroutines.go", form), mode])
    }

    /// The verdict of `sprof dump` once the goroutines have waited for more than a second.
    private func verdict(of program: RunningProgram) throws -> String {
      Thread.sleep(forTimeInterval: 1.3)
      return try #require(try SprofCommand.report(["dump", "\(program.pid)"]).verdict).words
    }

    @Test(arguments: GoToolchain.all, GoToolchain.Form.allCases)
    func `that wait for a mutex are hung`(
      toolchain: GoToolchain, form: GoToolchain.Form
    ) throws {
      let program = try start("mutex", toolchain, form)
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Hung: 1000 goroutines have been waiting at least "), "\(words)")
      #expect(words.contains("for a mutex (0x"))
      #expect(words.contains("in main.lockIt (goroutines.go:23)"))
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all)
    func `whose goroutines all wait for each other are in a deadlock`(
      toolchain: GoToolchain
    ) throws {
      let program = try start("all", toolchain)
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Deadlock: all 6 goroutines are asleep, for "), "\(words)")
      let dump = try SprofCommand.run(["dump", "\(program.pid)"]).stdout
      #expect(dump.contains("\n  Goroutines ×3: waiting for a mutex (0x"), "\(dump)")
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1200ms"])
      #expect(report.verdict?.kind == "deadlock")
      #expect(report.verdict?.rule == "goroutines_asleep")
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all)
    func `that all wait for ever are in a deadlock`(toolchain: GoToolchain) throws {
      let program = try start("forever", toolchain)
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Deadlock: all 3 goroutines are asleep, for "), "\(words)")
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all, GoToolchain.Form.allCases)
    func `whose readers and writers wait for one lock are said to wait for one`(
      toolchain: GoToolchain, form: GoToolchain.Form
    ) throws {
      let program = try start("readwrite", toolchain, form)
      // As the program itself prints it.
      let address = try program.readLine()
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Hung: 102 goroutines have been waiting at least "), "\(words)")
      #expect(words.contains("for a read-write lock (\(address)) in main.readIt"), "\(words)")
      #expect(words.contains("and 2 other places.") && !words.contains("other locks"), "\(words)")
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all)
    func `that wait for each other's locks are shown with both`(toolchain: GoToolchain) throws {
      let program = try start("deadlock", toolchain)
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Hung: 1 goroutine has been waiting at least "), "\(words)")
      #expect(words.hasSuffix("1 more goroutine is waiting for another lock."), "\(words)")
      let lines = try SprofCommand.run(["dump", "\(program.pid)"]).stdout.split(separator: "\n")
        .filter { $0.hasPrefix("  Goroutine ") && $0.contains(": waiting for a mutex (0x") }
      #expect(lines.count == 2 && lines.allSatisfy { $0.contains("in main.lockBoth") }, "\(lines)")
      let locks = lines.map { $0.drop { $0 != "(" } }
      #expect(Set(locks).count == 2, "\(lines)")
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all)
    func `that send to each other are all counted, also beside one that goes on`(
      toolchain: GoToolchain
    ) throws {
      let program = try start("crossed", toolchain)
      let now = try verdict(of: program)
      #expect(now.hasPrefix("Waiting: 2 goroutines "), "\(now)")
      #expect(now.contains("to send to a channel in main.sendAndReceive"), "\(now)")
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1500ms"])
      let words = report.verdict?.words ?? ""
      #expect(words.hasPrefix("Waiting: 2 goroutines have been waiting at least 1."), "\(words)")
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all)
    func `that nobody receives from are waiting, and not hung`(toolchain: GoToolchain) throws {
      let program = try start("send", toolchain)
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Waiting: 100 goroutines have been waiting at least "), "\(words)")
      #expect(words.contains("to send to a channel"))
    }

    @Test(arguments: GoToolchain.all, ["receive", "select", "timer", "signal"])
    func `that wait for what may come are idle`(toolchain: GoToolchain, mode: String) throws {
      let program = try start(mode, toolchain)
      let words = try verdict(of: program)
      #expect(words.hasPrefix("Idle: "), "\(words)")
      #expect(words.contains(" goroutine"))
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.all)
    func `that serve requests are never hung`(toolchain: GoToolchain) throws {
      let program = try RunningProgram([toolchain.build("handlers.go")])
      for round in 0..<8 {
        let arguments =
          round % 2 == 0
          ? ["dump", "\(program.pid)"] : ["attach", "\(program.pid)", "--duration", "1200ms"]
        let verdict = try #require(try SprofCommand.report(arguments).verdict)
        #expect(
          !["deadlock", "possible_deadlock", "hung", "hung_on_lock"].contains(verdict.kind),
          "\(arguments[0]): \(verdict.words)")
        #expect(verdict.kind != "hung_on_io", "\(verdict)")
      }
      try program.assertUntouched()
    }

    @Test(arguments: GoToolchain.Form.allCases)
    func `show the callers of functions without a frame`(form: GoToolchain.Form) throws {
      let toolchain = try #require(GoToolchain.all.first)
      let program = try RunningProgram([toolchain.build("leaf.go", form)])
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1s"])
      let stacks = report.threads.flatMap(\.runs).map { run in
        report.stacks[run.stack].map { report.frames[$0].function }
      }.filter { $0.first == "main.leaf" }
      #expect(!stacks.isEmpty)
      // Go's own tables have them, also where debug data was left out.
      #expect(!report.capture.notes.contains { $0.contains("has no lines") })
      for stack in stacks {
        let callers = Array(stack.dropFirst())
        #expect(
          callers.starts(with: ["main.mid", "main.main"])
            || callers.starts(with: ["main.tail1", "main.mid", "main.main"]), "\(stack)")
      }
      try program.assertUntouched()
    }

    @Test(
      .enabled(if: Tool.isInstalled("gcc"), "cgo needs gcc"),
      arguments: [
        ("spin", ["runtime.asmcgocall", "runtime.cgocall"], "main.spinInC"),
        ("sleep", ["runtime.asmcgocall", "runtime.cgocall"], "main.sleepInC"),
        ("callers", ["runtime.systemstack", "runtime.callers"], "main.callersLoop"),
        ("back", ["main.goBusy"], "main.callsBack"),
      ])
    func `go on with the goroutine's stack below C and the runtime`(
      mode: String, callers: [String], outermost: String
    ) throws {
      for toolchain in GoToolchain.all {
        let program = try RunningProgram([toolchain.build("cgo.go"), mode])
        let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1s"])
        let main = try #require(report.threads.first { $0.tid == program.pid })
        let stacks = main.runs.map { run in
          (run.end, report.stacks[run.stack].map { report.frames[$0].function })
        }
        let meant = stacks.filter { stack in callers.allSatisfy(stack.1.contains) }
        #expect(meant.count >= 1)
        for (end, stack) in meant {
          #expect(end == "complete", "\(stack)")
          let end = [outermost, "main.main", "runtime.main", "runtime.goexit"]
          #expect(Array(stack.suffix(4)) == end, "\(toolchain) \(stack)")
        }
        try program.assertUntouched()
      }
    }
  }
}
