import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Watch` {
    /// The freezes of the fixture: when, how, for how long, in milliseconds.
    private static let planned = [
      (at: 3000, kind: "sleep", length: 1500), (at: 6500, kind: "lock", length: 1500),
      (at: 10_000, kind: "compute", length: 1500), (at: 13_500, kind: "sleep", length: 300),
    ]

    @Test func `captures each freeze of a program with fifty threads, and stops none outside`()
      throws
    {
      let program = try RunningProgram(
        fixture: "freezes.c",
        ["50", "0"] + Self.planned.map { "\($0.at):\($0.kind):\($0.length)" })
      let folder = try TemporaryFolder()
      let watch = try Watching(program, in: folder, ["--json"])
      try waitUntil("all freezes are over", deadline: .seconds(40)) {
        usleep(100_000)
        return try program.figure("frozen") == 4
      }
      let events = try watch.end()
      let freezes = events.filter { $0["event"] as? String == "freeze" }
      // The last is shorter than the threshold.
      #expect(freezes.count == 3, "\(events)")
      let causes = [("waiting", "save_settings"), ("waiting", "update_orders"), ("computing", "")]
      for (freeze, (cause, function)) in zip(freezes, causes) {
        #expect(freeze["tid"] as? Int == Int(program.pid))
        // A busy machine may keep the loop from a CPU in its computation.
        let causes = cause == "waiting" ? [cause] : [cause, "waiting_for_cpu"]
        #expect(causes.contains(freeze["cause"] as? String ?? ""), "\(freeze)")
        if !function.isEmpty { #expect(freeze["function"] as? String == function, "\(freeze)") }
        let path = try #require(freeze["capture"] as? String)
        let report = try SprofCommand.report(["report", path])
        #expect(report.capture.pid == program.pid)
        // As the log has it.
        let length = freeze["length_ns"] as? Int ?? 0
        let told = report.freezes?.list.first { $0.lengthNs == Int64(length) }
        #expect(told != nil, "\(freeze) \(report.verdict?.words ?? "")")
        #expect((told?.cause == "computed" || told?.cause == "cpu") == (cause == "computing"))
      }
      for frozen in events where frozen["event"] as? String == "frozen" {
        let soFar = try #require(frozen["length_ns"] as? Int)
        #expect(freezes.contains { soFar <= $0["length_ns"] as? Int ?? 0 })
      }
      #expect(events.count { $0["event"] as? String == "thawed" } == 3, "\(events)")
      let announced = events.filter { $0["event"] as? String == "frozen" }
      #expect(announced.count == 3, "\(events)")
      #expect(try program.figure("interrupted") == 0)
      #expect(try folder.names.count == 3)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(.enabled(if: Interpreter.all.contains { $0.minor >= 11 }, "needs Python 3.11 or newer"))
    func `names the handlers of Python's event loop`() throws {
      let python = try #require(Interpreter.all.last { $0.minor >= 11 })
      let program = try RunningProgram(
        python.command + [Repository.path("Fixtures/python/watched.py")],
        environment: python.environment)
      let folder = try TemporaryFolder()
      let watch = try Watching(program, in: folder, ["--json"])
      while try program.readLine(deadline: .seconds(40)) != "over" {}
      let freezes = try watch.end().filter { $0["event"] as? String == "freeze" }
      let handlers = freezes.compactMap { $0["handler_function"] as? String }
      let causes = freezes.compactMap { $0["cause"] as? String }
      #expect(handlers == ["main", "main"], "\(freezes)")
      #expect(causes.first == "waiting")
      #expect(["computing", "waiting_for_cpu"].contains(causes.last ?? ""))
      #expect(freezes.first?["function"] as? String == "save_settings")
      #expect(freezes.last?["function"] as? String == "reindex")
      try program.assertUntouched()
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
    func `names the handler of a window that freezes`() throws {
      let server = try XServer()
      let flags = try Fixture.flags(forLibrary: "gtk+-3.0")
      let program = try RunningProgram(
        fixture: "freezes.c", ["50", "0", "3000:read:1500", "6000:sleep:300"],
        flags: ["-g", "-O1", "-DWITH_GTK"] + flags, environment: ["DISPLAY": server.display])
      let folder = try TemporaryFolder()
      let watch = try Watching(program, in: folder, ["--json"])
      try waitUntil("all freezes are over", deadline: .seconds(40)) {
        usleep(100_000)
        return try program.figure("frozen") == 2
      }
      let freezes = try watch.end().filter { $0["event"] as? String == "freeze" }
      let freeze = try #require(freezes.first)
      #expect(freezes.count == 1, "\(freezes)")
      #expect(freeze["function"] as? String == "fetch_answer")
      #expect(freeze["handler_of"] as? String == "GLib's main loop")
      #expect(try program.figure("interrupted") == 0)
      try program.assertUntouched()
    }

    @Test func `finds no freeze in an animation that is busy most of the time`() throws {
      let program = try RunningProgram(fixture: "freezes.c", ["0", "10"])
      let folder = try TemporaryFolder()
      let watch = try Watching(program, in: folder, ["--json", "--for", "6s"])
      let events = try watch.finish()
      let names = events.compactMap { $0["event"] as? String }
      #expect(names == ["watching", "end"], "\(events)")
      #expect(try folder.names.isEmpty)
      try program.assertUntouched()
    }

    @Test func `leaves a file that opens and a program that runs, when it is killed`() throws {
      for moment in 0..<Repository.trials(short: 3, full: 50) {
        let program = try RunningProgram(
          fixture: "freezes.c", ["4", "0", "1500:sleep:3000", "5500:compute:1500"])
        let folder = try TemporaryFolder()
        let watch = try Watching(program, in: folder, [])
        // The first kills come at the start, in a freeze, and after it.
        let pause = Repository.isTrial ? Int.random(in: 0..<8_000) : moment * 2_700
        usleep(UInt32(pause) * 1_000)
        watch.kill()
        for name in try folder.names {
          let file = folder.path + "/" + name
          #expect(name.hasSuffix(".pb.gz") || name.hasSuffix(".partial"), "\(name)")
          let report = try SprofCommand.report(["report", file])
          #expect(report.capture.pid == program.pid)
        }
        try program.assertUntouched()
      }
      expectNothingLeftBehind()
    }

    @Test func `runs the command of --exec with the freeze and the capture`() throws {
      let program = try RunningProgram(fixture: "freezes.c", ["0", "0", "2500:sleep:1500"])
      let folder = try TemporaryFolder()
      let out = try TemporaryFolder()
      let script = "cat > '\(out.path)/json'; printf %s \"$SPROF_CAPTURE\" > '\(out.path)/path'"
      let file = out.path + "/hook.sh"
      try script.write(toFile: file, atomically: true, encoding: .utf8)
      let watch = try Watching(program, in: folder, ["--exec", "sh '\(file)'"])
      try waitUntil("the command has run", deadline: .seconds(30)) {
        usleep(100_000)
        return FileManager.default.fileExists(atPath: out.path + "/path")
      }
      _ = try watch.stop()
      let path = try String(contentsOfFile: out.path + "/path", encoding: .utf8)
      #expect(FileManager.default.fileExists(atPath: path))
      let text = try Data(contentsOf: URL(fileURLWithPath: out.path + "/json"))
      let event = try JSONSerialization.jsonObject(with: text) as? [String: Any]
      #expect(event?["event"] as? String == "freeze")
      #expect(event?["capture"] as? String == path)
      try program.assertUntouched()
    }

    @Test(arguments: [
      (["watch"], "Name the process to watch"), (["watch", "1", "--wait"], "--wait needs"),
      (["watch", "1", "--", "true"], "not both"), (["watch", "1", "--keep", "0"], "--keep"),
      (["watch", "1", "--max-size", "500"], "did you mean 500M"),
      (["watch", "1", "--exec", "'open"], "left open"), (["watch", "1", "--hang", "1ms"], "50ms"),
    ])
    func `refuses options that make no sense`(arguments: [String], words: String) throws {
      expectError(
        try SprofCommand.run(arguments), code: ExitCode.usage, naming: [words])
    }
  }
}

/// `sprof watch` under way.
private final class Watching {
  private let command: StartedCommand

  init(_ program: RunningProgram, in folder: TemporaryFolder, _ arguments: [String]) throws {
    command = try StartedCommand(
      [SprofCommand.path, "watch", "\(program.pid)", "--dir", folder.path] + arguments)
  }

  /// Ends it as Ctrl-C does, and gives the events of its log.
  func end() throws -> [[String: Any]] {
    command.send(SIGINT)
    return try finish()
  }

  /// Waits for its end, and gives the events of its log.
  func finish() throws -> [[String: Any]] {
    let outcome = try command.finish()
    #expect(outcome.status == 0, "\(outcome.stderr)")
    return try outcome.stdout.split(separator: "\n").map { line in
      let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(value)
    }
  }

  func stop() throws -> CommandOutcome {
    command.send(SIGTERM)
    return try command.finish()
  }

  func kill() {
    command.send(SIGKILL)
    _ = try? command.finish()
  }
}
