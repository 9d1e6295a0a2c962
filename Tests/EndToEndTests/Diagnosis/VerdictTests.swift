import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Verdict of a program` {
    @Test func `comes first, and again from the file, byte for byte`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["7"])
      let folder = try TemporaryFolder()
      let commands = [["dump"], ["attach", "--duration", "1500ms"]]
      for (number, command) in commands.enumerated() {
        let file = folder.path + "/\(number)"
        let live = try SprofCommand.run(
          [command[0], "\(program.pid)", "-o", file] + command.dropFirst())
        #expect(live.status == 0, "\(live.stderr)")
        // Main reads from a pipe, which may be what it is there for.
        #expect(live.stdout.hasPrefix("Waiting: the main thread (\(program.pid))"))
        #expect(try SprofCommand.run(["report", file]).stdout == live.stdout)
        let json = try SprofCommand.run(["report", file, "--json"]).stdout
        #expect(json.contains(#""verdict":{"kind":"waiting""#))
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(
      .enabled(if: !ControlGroup.mounts.isEmpty, "needs to make control groups"),
      arguments: ControlGroup.mounts)
    func `is frozen where the freezer keeps it from running, and says how to thaw it`(
      mount: String
    ) throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let group = try ControlGroup(in: mount, of: program.pid)
      defer { group.remove() }
      try group.freeze()
      for command in [["dump"], ["attach", "--duration", "1s"]] {
        let report = try SprofCommand.report(
          [command[0], "\(program.pid)"] + command.dropFirst())
        let verdict = try #require(report.verdict)
        #expect(verdict.kind == "frozen" && verdict.words.hasPrefix("Frozen: "), "\(verdict)")
        #expect(verdict.chainWords.count == 1)
        #expect(verdict.chainWords.first?.hasSuffix(" > " + group.control) == true, "\(verdict)")
        #expect(Set(report.waits?.seen.map(\.kind) ?? []) == ["frozen"])
      }
      try group.thaw()
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }

    @Test func `is a busy loop when a thread stays in one function`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1s"])
      let first = outcome.stdout.prefix { $0 != "\n" }
      let isKnown = ["Busy loop", "Starved", "Busy: "].contains { first.hasPrefix($0) }
      #expect(isKnown, "\(first)")
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `does not name who and where, redacted`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3"])
      let plain = try SprofCommand.run(["dump", "\(program.pid)", "--json"]).stdout
      let masked = try SprofCommand.run(["dump", "\(program.pid)", "--json", "--redact"]).stdout
      let host = try String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(plain.contains("\"host\":\"\(host)\""))
      #expect(!masked.contains("\"host\":\"\(host)\""))
      #expect(masked.contains("sleepers.c"))
      #expect(masked.contains("wait_for_condition"))
    }

    /// Starts `sprof dump --watch`, which writes to a file.
    private func watch(
      _ program: RunningProgram, to file: String, _ options: [String] = []
    ) throws -> StartedCommand {
      try StartedCommand(
        ["/bin/sh", "-c", "exec \"$0\" \"$@\" > '\(file)'", SprofCommand.path]
          + ["dump", "\(program.pid)", "--watch", "100ms"] + options)
    }

    private func lines(_ file: String) -> [Substring] {
      ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    @Test func `is told again and again until Ctrl-C`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/text"
      let command = try watch(program, to: file)
      try waitUntil("two further looks") {
        lines(file).count { $0.contains("threads unchanged, did not run") } >= 2
      }
      command.send(SIGINT)
      let outcome = try command.finish()
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(lines(file).first?.contains("first sample") == true)
      #expect(lines(file).contains { $0.contains("sleeper-0") })
      #expect(!lines(file).contains { $0.contains("moved") })
      #expect(try program.figure("wakeups") == 0)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `is told as one JSON document a line`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/json"
      let command = try watch(program, to: file, ["--json"])
      try waitUntil("three looks") { lines(file).count >= 3 }
      command.send(SIGTERM)
      #expect(try command.finish().status == 0)
      for line in lines(file) {
        let document = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect((document?["verdict"] as? [String: Any])?["kind"] as? String == "waiting")
      }
    }

    @Test func `watched to the program's end tells that it ended`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/text"
      let command = try watch(program, to: file)
      try waitUntil("a further look") {
        lines(file).contains { $0.contains("threads unchanged, did not run") }
      }
      program.kill()
      let outcome = try command.finish()
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(lines(file).last?.contains("the program has ended") == true)
    }

    /// The documents of two samples, at least, of `dump --watch --json` with further options.
    private func watchedReports(
      _ program: RunningProgram, _ options: [String]
    ) throws -> [Report] {
      let folder = try TemporaryFolder()
      let file = folder.path + "/json"
      let command = try watch(program, to: file, ["--json"] + options)
      try waitUntil("two looks") { lines(file).count >= 3 }
      command.send(SIGINT)
      _ = try command.finish()
      return try lines(file).prefix(2).map { try Report(json: String($0)) }
    }

    @Test(
      .enabled(
        if: Interpreter.onePerVersion.contains { $0.hasSymbols }, "needs a Python with symbols"))
    func `is watched with the frames that were asked for`() throws {
      let interpreter = try #require(Interpreter.onePerVersion.first { $0.hasSymbols })
      let program = try interpreter.start("mixed.py")
      func frames(_ options: [String]) throws -> [Report.Frame] {
        let reports = try watchedReports(program, options)
        #expect(reports.allSatisfy { !$0.frames.isEmpty })
        return reports.flatMap(\.frames)
      }
      #expect(
        try frames(["--no-native"])
          .allSatisfy { $0.file?.hasSuffix(".py") == true || $0.elided })
      func showsLoop(_ options: [String]) throws -> Bool {
        try frames(options).contains { $0.function == "_PyEval_EvalFrameDefault" }
      }
      #expect(try showsLoop(["--internals"]))
      #expect(try !showsLoop([]))
      try program.assertUntouched()
      program.kill()
    }

    @Test(
      .enabled(if: !ReportedTask.interpreters.isEmpty, "no Python from 3.12 on on this machine"))
    func `is watched with the tasks that were asked for`() throws {
      let program = try ReportedTask.interpreters[0].start("awaiting.py", ["group"])
      func showsTask(_ options: [String]) throws -> Bool {
        try watchedReports(program, options).flatMap(\.frames)
          .contains { $0.function == "<task main>" }
      }
      try waitUntil("a look at the task that runs") { try showsTask(["--async"]) }
      #expect(try !showsTask([]))
      try program.assertUntouched()
      program.kill()
    }

    @Test(.enabled(if: Tool.isInstalled("redis-server"), "needs redis-server"))
    func `of a client of redis ends at the server while that computes`() throws {
      // It would answer others after 5 s that it is busy.
      let redis = try RedisServer(["--lua-time-limit", "0"])
      let client = ["redis-cli", "-s", redis.socket]
      let script = "local x = 0; while true do x = x + 1 end"
      let first = try RunningProgram(client + ["eval", script, "0"], ready: nil)
      try waitUntil("the server computes") {
        let verdict = try SprofCommand.report(["dump", "\(redis.pid)"]).verdict
        return verdict?.kind == "running"
      }
      let second = try RunningProgram(client + ["get", "x"], ready: nil)
      try waitUntil("the client waits") {
        let verdict = try SprofCommand.report(["dump", "\(second.pid)"]).verdict
        return verdict?.kind == "waiting"
          && verdict?.chainWords.last?.contains("\"redis-server\"") ?? false
          && verdict?.chainWords.last?.contains("is at work: 1 of its") ?? false
      }
      for program in [first, second] { program.kill() }
    }

    @Test(.enabled(if: Tool.isInstalled("postgres"), "needs PostgreSQL"))
    func `of a session that waits for another's row is a lock in the database`() throws {
      let server = try PostgresServer()
      let holder = try server.session()
      try holder.send(
        line: "create table t (i int); insert into t values (1); begin; update t set i = 2;")
      try holder.send(line: "select 'held';")
      #expect(try holder.readLine() == "held")
      let waiter = try server.session()
      try waiter.send(line: "update t set i = 3;")
      let words = "for a lock in the database that another session holds"
      // It asks for the lock some time after it was sent.
      try waitUntil("the client's chain ends at the lock") {
        let verdict = try SprofCommand.report(["dump", "\(waiter.pid)"]).verdict
        return verdict?.kind == "waiting" && verdict?.chainWords.last?.contains(words) ?? false
      }
      let backend = try #require(
        server.processes.last { pid in
          let title = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
          return title?.contains("UPDATE waiting") ?? false
        })
      try waitUntil("its own process hangs") {
        let verdict = try SprofCommand.report(["dump", "\(backend)"]).verdict
        return verdict?.kind == "hung_on_lock" && verdict?.words.contains(words) ?? false
      }
      try waiter.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `is not watched into a file`() throws {
      expectError(
        try SprofCommand.run(["dump", "1", "--watch", "-o", "/tmp/x"]), code: ExitCode.usage,
        naming: ["--watch", "--output"])
      expectError(
        try SprofCommand.run(["dump", "1", "--watch", "soon"]), code: ExitCode.usage,
        naming: ["soon"])
    }
  }
}
