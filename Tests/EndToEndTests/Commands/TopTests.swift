import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Top` {
    @Test func `prints one block, and ends`() throws {
      let program = try RunningProgram(fixture: "waits.c", ["locks"])
      for pane in ["functions", "threads", "blockers", "tree", "stack"] {
        let outcome = try SprofCommand.run(["top", "\(program.pid)", "--once", "--pane", pane])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout.contains("sprof top"))
        #expect(outcome.stdout.contains("threads:"), "\(outcome.stdout)")
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `names the lock and its owner while a program hangs`() throws {
      let path = try Fixture.compile(source: "demo/hung.c")
      let program = try RunningProgram([path], ready: "locked")
      let outcome = try SprofCommand.run(["top", "\(program.pid)", "--once", "--pane", "blockers"])
      #expect(outcome.stdout.contains("Hung"), "\(outcome.stdout)")
      #expect(outcome.stdout.contains("orders_lock"), "\(outcome.stdout)")
      #expect(outcome.stdout.contains("network"), "\(outcome.stdout)")
      try program.assertUntouched()
    }

    @Test(.enabled(if: !Interpreter.onePerVersion.isEmpty, "needs CPython"))
    func `names who holds a lock of Python`() throws {
      let script = """
        import threading, time
        lock = threading.Lock()
        started = threading.Event()
        def holder():
            with lock:
                started.set()
                time.sleep(100000)
        def waiter():
            with lock: pass
        threading.Thread(target=holder, name="holder").start()
        started.wait()
        for number in range(3):
            threading.Thread(target=waiter).start()
        print("ready", flush=True)
        """
      let interpreter = try #require(Interpreter.onePerVersion.last)
      let program = try RunningProgram(
        interpreter.command + ["-c", script], environment: interpreter.environment)
      // In one of the first blocks: who holds it is said when two looks have found it.
      let outcome = try run([
        "timeout", "20", "bash", "-c",
        "\(SprofCommand.path) top \(program.pid) --pane blockers | grep -m 1 'lock · '",
      ])
      #expect(outcome.stdout.contains("3  waiting for a Python lock · \"holder\""), "\(outcome)")
      try program.assertUntouched()
    }

    @Test func `ends in silence when its reader has gone`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let outcome = try run([
        "bash", "-c", "\(SprofCommand.path) top \(program.pid) | head -n 1; echo ${PIPESTATUS[0]}",
      ])
      #expect(outcome.stdout.hasPrefix("sprof top · "), "\(outcome.stdout)")
      #expect(outcome.stdout.hasSuffix("\n0\n"), "\(outcome.stdout)")
      #expect(outcome.stderr.isEmpty, "\(outcome.stderr)")
      // The first block is of what was sampled, however long the start took.
      #expect(!outcome.stdout.contains("0 ns"), "\(outcome.stdout)")
      try program.assertUntouched()
    }

    @Test func `shows a capture as it showed the program`() throws {
      let folder = try TemporaryFolder()
      let path = folder.path + "/hung.pb.gz"
      let program = try RunningProgram(
        [try Fixture.compile(source: "demo/hung.c")], ready: "locked")
      _ = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "2s", "-o", path])
      let outcome = try SprofCommand.run(["top", path, "--pane", "threads"])
      #expect(outcome.status == 0)
      #expect(outcome.stdout.contains("replay"))
      #expect(outcome.stdout.contains("orders_lock"), "\(outcome.stdout)")
      let wrong = try SprofCommand.run(["top", Repository.path("Package.swift")])
      expectError(wrong, code: ExitCode.badData, naming: ["Package.swift"])
    }

    @Test func `shows nothing of the program before where another was executed`() throws {
      let script = "e=$((SECONDS+4)); while [ $SECONDS -lt $e ]; do :; done; exec sleep 3"
      let outcome = try SprofCommand.run(["top", "--", "bash", "-c", script])
      let blocks = outcome.stdout.components(separatedBy: "sprof top ")
      #expect(blocks.contains { $0.contains("bash (pid") && $0.contains("execute_") })
      let last = try #require(blocks.last)
      #expect(last.contains("sleep (pid"), "\(outcome.stdout)")
      #expect(!last.contains("execute_"), "\(outcome.stdout)")
      #expect(last.contains("1 thread at the end:"), "\(outcome.stdout)")
    }

    @Test func `prints ASCII where the locale has no more, and words for stacks without times`()
      throws
    {
      let folder = try TemporaryFolder()
      let path = folder.path + "/other.folded"
      try "main;work;crunch 120\nmain;idle 50\n".write(
        toFile: path, atomically: true, encoding: .utf8)
      for pane in ["functions", "threads", "blockers", "tree", "stack"] {
        let outcome = try run([
          "env", "LC_ALL=C", SprofCommand.path, "top", path, "--once", "--pane", pane,
        ])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout.utf8.allSatisfy { $0 < 0x80 }, "\(outcome.stdout)")
        #expect(outcome.stdout.contains("stacks of another tool"), "\(outcome.stdout)")
      }
    }

    @Test func `prints blocks until the program ends`() throws {
      let outcome = try SprofCommand.run(["top", "--", "sleep", "3"])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("the program has ended"), "\(outcome.stdout)")
      #expect(outcome.stdout.split(separator: "\n").count { $0.hasPrefix("sprof top") } >= 2)
      expectNothingLeftBehind()
    }

    @Test(arguments: [
      (["top"], ["Name the process"]), (["top", "1", "--", "ls"], ["not both"]),
      (["top", "1", "--window", "1ms"], ["--window"]), (["top", "1", "--pane", "x"], ["pane"]),
    ])
    func `refuses what makes no sense`(arguments: [String], words: [String]) throws {
      expectError(
        try SprofCommand.run(arguments), code: ExitCode.usage, naming: words)
    }

    @Test func `says that there is no such process`() throws {
      expectError(
        try SprofCommand.run(["top", "4194303"]), code: ExitCode.noTarget, naming: ["no process"])
    }
  }

  @Suite(.enabled(if: TerminalProgram.isAvailable, "needs tmux"))
  struct `Top in a terminal` {
    private func top(
      _ arguments: String, in folder: TemporaryFolder, locale: String = "C.UTF-8"
    ) throws -> TerminalProgram {
      let terminal = try TerminalProgram(folder: folder.path, locale: locale)
      try terminal.start("\(SprofCommand.path) top \(arguments)")
      try terminal.wait("the view is there") {
        $0.contains("sprof top · ") || $0.contains("sprof top | ")
      }
      return terminal
    }

    @Test func `takes keys, sizes, and gives the terminal back`() throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(
        [try Fixture.compile(source: "demo/hung.c")], ready: "locked")
      let terminal = try top("\(program.pid)", in: folder)
      try terminal.wait("the verdict is there") { $0.contains("Hung") }
      try terminal.type("2")
      try terminal.wait("threads are shown") { $0.contains("since  thread") }
      try terminal.type("/network")
      try terminal.press("Enter")
      try terminal.wait("only some are shown") {
        $0.contains("/network") && $0.contains("pipe") && !$0.contains("worker pool")
      }
      try terminal.press("Escape")
      try terminal.resize(width: 40, height: 10)
      try terminal.wait("it fits") { text in
        text.split(separator: "\n").allSatisfy { $0.count <= 40 } && text.contains("tid")
      }
      try terminal.resize(width: 120, height: 40)
      try terminal.type("3")
      try terminal.wait("blockers are shown") { $0.contains("orders_lock") }
      try terminal.type("h")
      try terminal.wait("help is shown") { $0.contains("Any key goes back") }
      try terminal.type("xp")
      try terminal.wait("it is paused") { $0.contains("PAUSED") }
      try terminal.type("q")
      try terminal.wait("the shell is back") {
        !$0.contains("sprof top ·") && $0.contains("READY>")
      }
      #expect(try terminal.isClean())
      try program.assertUntouched()
    }

    @Test func `writes a capture and a dump while it samples`() throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(
        [try Fixture.compile(source: "demo/hung.c")], ready: "locked")
      let terminal = try top("\(program.pid)", in: folder)
      try terminal.wait("the verdict is there") { $0.contains("Hung") }
      try terminal.type("w")
      try terminal.wait("a capture is written") { $0.contains("Wrote the last") }
      try terminal.type("d")
      try terminal.wait("a dump is written") { $0.contains(".dump.txt") }
      try terminal.type("q")
      let names = try folder.names
      let capture = try #require(names.first { $0.hasSuffix(".pb.gz") })
      let report = try SprofCommand.run(["report", folder.path + "/" + capture])
      #expect(report.stdout.hasPrefix("Hung"), "\(report.stdout)")
      let dump = try #require(names.first { $0.hasSuffix(".dump.txt") })
      let text = try String(contentsOfFile: folder.path + "/" + dump, encoding: .utf8)
      #expect(text.contains("count_orders"))
      try program.assertUntouched()
    }

    @Test(arguments: ["TERM", "INT", "HUP"])
    func `gives the terminal back when a signal ends it`(signal: String) throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let terminal = try top("\(program.pid)", in: folder)
      let pids = try pids(of: program)
      #expect(!pids.isEmpty)
      for pid in pids { _ = try run(["kill", "-\(signal)", pid]) }
      try terminal.wait("the shell is back") {
        !$0.contains("sprof top ·") && $0.contains("READY>")
      }
      try terminal.start("echo CODE=$?")
      let code = signal == "INT" ? 0 : signal == "TERM" ? 143 : 129
      try terminal.wait("the code is \(code)") { $0.contains("CODE=\(code)\n") }
      #expect(try terminal.isClean())
      try program.assertUntouched()
    }

    private func pids(of program: RunningProgram) throws -> [String] {
      try run(["pgrep", "-f", "^\(SprofCommand.path) top \(program.pid)$"]).stdout
        .split(separator: "\n").map(String.init)
    }

    @Test func `leaves the terminal clean even when it is killed`() throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let terminal = try top("\(program.pid)", in: folder)
      let pids = try pids(of: program)
      #expect(!pids.isEmpty)
      for pid in pids { _ = try run(["kill", "-KILL", pid]) }
      try terminal.wait("the shell is back") {
        !$0.contains("sprof top ·") && $0.contains("READY>")
      }
      #expect(try terminal.isClean())
      try program.assertUntouched()
    }

    @Test func `gives lines back to the next program where no shell does when it is killed`() throws
    {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let terminal = try TerminalProgram(folder: folder.path)
      try terminal.start(
        "sh -c '\(SprofCommand.path) top \(program.pid); while read x; do echo GOT=$x.; done'")
      try terminal.wait("the view is there") { $0.contains("sprof top · ") }
      let pids = try pids(of: program)
      #expect(!pids.isEmpty)
      for pid in pids { _ = try run(["kill", "-KILL", pid]) }
      // Enter ends a line only once the terminal's modes are those of before.
      try terminal.wait("lines are read") { text in
        if text.contains("GOT=word.") { return true }
        _ = try? terminal.start("word")
        return false
      }
      try terminal.press("C-d")
      try terminal.wait("the shell is back") { $0.contains("GOT=word.") && $0.contains("READY>") }
      #expect(try terminal.isClean())
      try program.assertUntouched()
    }

    @Test(arguments: ["TSTP", "STOP"])
    func `is suspended from outside, resized meanwhile, and goes on`(signal: String) throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let terminal = try top("\(program.pid)", in: folder)
      for pid in try pids(of: program) { _ = try run(["kill", "-\(signal)", pid]) }
      try terminal.wait("it is stopped") { $0.contains("Stopped") }
      try program.assertUntouched()
      try terminal.resize(width: 70, height: 20)
      try terminal.start("fg")
      try terminal.wait("it is back, in the new size") { text in
        text.hasPrefix("sprof top · ") && text.contains("h help")
          && text.split(separator: "\n").allSatisfy { $0.count <= 70 }
      }
      try terminal.type("q")
      try terminal.wait("the shell is back") {
        !$0.contains("sprof top ·") && $0.contains("READY>")
      }
      #expect(try terminal.isClean())
    }

    @Test(arguments: ["redis", "python", "hung-gtk", "thousand", "ends", "execs"])
    func `draws a capture as its screens in the tests`(program: String) throws {
      let folder = try TemporaryFolder()
      let path = Repository.path("Tests/Corpus/top/\(program)")
      let golden = try String(contentsOfFile: path + ".80x24.txt", encoding: .utf8)
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let terminal = try TerminalProgram(width: 80, height: 24, folder: folder.path)
      try terminal.resize(width: 80, height: 24)
      try terminal.start("\(SprofCommand.path) top \(path).sprof")
      for (number, pane) in ["functions", "threads", "blockers", "tree", "stack"].enumerated() {
        try terminal.type("\(number + 1)")
        let start = try #require(golden.firstIndex(of: "== \(pane)")) + 1
        let expected = Array(golden[start..<start + 24])
        try terminal.wait("\(pane) is drawn:\n\(expected.joined(separator: "\n"))") { text in
          let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String(String($0).reversed().drop { $0 == " " }.reversed()) }
          return Array(lines.prefix(24)) == expected
        }
      }
      try terminal.type("q")
      try terminal.wait("the shell is back") {
        !$0.contains("sprof top ·") && $0.contains("READY>")
      }
      #expect(try terminal.isClean())
    }

    @Test func `is suspended, and goes on`() throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let terminal = try top("\(program.pid)", in: folder)
      try terminal.press("C-z")
      try terminal.wait("it is stopped") { $0.contains("Stopped") }
      #expect(try terminal.isClean())
      try program.assertUntouched()
      try terminal.start("fg")
      try terminal.wait("it is back") { $0.contains("sprof top · ") }
      try terminal.type("q")
      try terminal.wait("the shell is back") { $0.contains("READY>") }
      #expect(try terminal.isClean())
    }

    @Test func `prints blocks where a terminal cannot be told where to draw`() throws {
      let folder = try TemporaryFolder()
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let terminal = try TerminalProgram(height: 60, folder: folder.path)
      try terminal.start("TERM=dumb \(SprofCommand.path) top \(program.pid)")
      let text = try terminal.wait("two blocks are there") {
        $0.split(separator: "\n").count { $0.hasPrefix("sprof top · ") } >= 2
      }
      #expect(!text.contains("1 Functions"), "\(text)")
      try terminal.press("C-c")
      // Its command line, and after the ^C.
      try terminal.wait("the shell is back") { $0.ranges(of: "READY>").count > 1 }
      #expect(try terminal.isClean())
      try program.assertUntouched()
    }

    @Test func `shows that the program has ended, or executes another`() throws {
      let folder = try TemporaryFolder()
      let terminal = try TerminalProgram(folder: folder.path, locale: "C")
      try terminal.start("\(SprofCommand.path) top -- sh -c 'sleep 1; exec sleep 4'")
      try terminal.wait("the program that it has executed is named") {
        $0.hasPrefix("sprof top | sleep (pid ")
      }
      let end = try terminal.wait("the end is shown") { $0.contains("the program has ended") }
      // In a locale of ASCII nothing else is drawn.
      #expect(end.utf8.allSatisfy { $0 < 0x80 }, "\(end)")
      try terminal.type("2")
      try terminal.wait("keys work still") { $0.contains("since  thread") }
      try terminal.type("q")
      try terminal.wait("the shell is back") {
        $0.contains("READY>") && !$0.contains("sprof top |")
      }
      #expect(try terminal.isClean())
      expectNothingLeftBehind()
    }
  }
}
