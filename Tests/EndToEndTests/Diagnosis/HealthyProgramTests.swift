import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
  /// What is at work or at rest must never be said to hang.
  @Suite struct `A healthy program is not said to hang` {
    @Test(
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
    func `a window without work, and its X server`() throws {
      let server = try XServer()
      let window = try hungWindow(server, "idle")
      try Health(isIdle: true).expect(of: [window.pid, server.pid])
      try window.assertUntouched()
    }

    @Test(.enabled(if: Tool.isInstalled("redis-server"), "needs redis-server"))
    func `redis without work`() throws {
      let redis = try RedisServer()
      try Health(isIdle: true).expect(of: [redis.pid])
    }

    @Test(.enabled(if: Tool.isInstalled("redis-benchmark"), "needs redis-server"))
    func `redis under load`() throws {
      let redis = try RedisServer()
      let load = try RunningProgram(
        ["redis-benchmark", "-s", redis.socket, "-l", "-q", "-c", "8"], ready: nil)
      try Health().expect(of: [redis.pid, load.pid])
    }

    @Test(.enabled(if: Tool.isInstalled("pgbench"), "needs PostgreSQL"))
    func `PostgreSQL under load`() throws {
      let server = try PostgresServer()
      try server.startLoad()
      try waitUntil("pgbench's sessions are there") { server.processes.count >= 8 }
      try Health(share: 2).expect(of: server.processes)
    }

    @Test(arguments: ["idle", "busy", "timers"])
    func `a pool of workers`(mode: String) throws {
      let program = try RunningProgram(fixture: "pool.c", [mode])
      try Health(isIdle: mode != "busy").expect(of: [program.pid])
      try program.assertUntouched()
    }

    @Test(
      .enabled(if: Tool.isInstalled("python3"), "needs python3"),
      arguments: ["threads", "asyncio", "server", "load"])
    func `a program in Python`(mode: String) throws {
      let interpreter = try #require(Interpreter.all.last)
      let program = try RunningProgram(
        interpreter.command + [Repository.path("Fixtures/python/healthy.py"), mode],
        environment: interpreter.environment)
      try Health(isIdle: mode != "load").expect(of: [program.pid])
      try program.assertUntouched()
    }

    @Test(arguments: Interpreter.onePerVersion)
    func `an event loop of Python at rest is idle`(interpreter: Interpreter) throws {
      let program = try interpreter.start("healthy.py", ["rest"])
      try waitUntil("the loop waits") {
        try SprofCommand.report(["dump", "\(program.pid)"]).verdict?.kind == "idle"
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Interpreter.perVersion(["accept", "queue", "executor", "barrier"], parts: 4))
    func `a pool of Python's is idle`(interpreter: Interpreter, kind: String) throws {
      let program = try interpreter.start("locked.py", [kind])
      try waitUntil("all wait") {
        try SprofCommand.report(["dump", "\(program.pid)"]).verdict?.kind == "idle"
      }
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1300ms"])
      #expect(report.verdict?.kind == "idle", "\(report.verdict?.words ?? "")")
      try program.assertUntouched()
      program.kill()
    }

    @Test(.enabled(if: Tool.isInstalled("go"), "needs Go"), arguments: [[], ["load"]])
    func `a server in Go`(arguments: [String]) throws {
      let path = try Fixture.build(runtime: "server.go", ["go", "build"])
      let program = try RunningProgram([path] + arguments)
      try Health(isIdle: arguments.isEmpty).expect(of: [program.pid])
      try program.assertUntouched()
    }

    @Test func `a program in Swift with Dispatch`() throws {
      let path = try Fixture.build(runtime: "pool.swift", ["swiftc", "-g", "-O"])
      let program = try RunningProgram([path])
      try Health().expect(of: [program.pid])
      try program.assertUntouched()
    }

    /// It may have its own work to do in between: none of its waits is long.
    @Test(arguments: [20, 200])
    func `one that tries for a lock again and again`(milliseconds: Int) throws {
      let program = try RunningProgram(fixture: "tries.c", ["\(milliseconds)"])
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "2500ms"])
      let verdict = try #require(report.verdict)
      #expect(verdict.words.hasPrefix("Mostly waiting: "), "\(verdict.words)")
      #expect(verdict.words.contains("held up by \"owner\""), "\(verdict.words)")
      try program.assertUntouched()
      program.kill()
    }

    @Test func `a shell that waits for its child`() throws {
      let program = try RunningProgram(["bash", "-c", "echo ready; sleep 900; exit 1"])
      try Health(isIdle: true).expect(of: [program.pid])
      try program.assertUntouched()
      for child in children(of: program.pid) { kill(child, SIGKILL) }
    }

    @Test(.enabled(if: Tool.isInstalled("make"), "needs make"))
    func `make with its jobs`() throws {
      let folder = try TemporaryFolder()
      let rules = """
        all: $(foreach n,$(shell seq 100000),job-$(n))
        job-%:
        \t@printf 'int f(int x) { return x + 1; }\\n' | cc -x c -O2 -c - -o /dev/null
        """
      try rules.write(toFile: folder.path + "/Makefile", atomically: true, encoding: .utf8)
      let program = try RunningProgram(["make", "-s", "-j2", "-C", folder.path], ready: nil)
      try waitUntil("make has jobs") { !children(of: program.pid).isEmpty }
      try Health().expect(of: [program.pid])
      try program.assertUntouched()
    }
  }
}

/// Captures of a program that is well, and what they may say.
private struct Health {
  private static let hangs: Set<String> = [
    "deadlock", "possible_deadlock", "orphaned_lock", "hung_on_lock", "hung_on_io", "hung",
  ]

  /// Captures of all programs, which take the two commands in turn.
  private static let captures = Atomic(0)

  var isIdle = false
  /// How much more often than other programs.
  var share = 1

  /// Captures one process after the other, by one sample and for half a second in turn.
  func expect(of processes: [Int32]) throws {
    let count = share * Repository.trials(short: 1, full: 11) * (processes.count > 1 ? 2 : 1)
    for number in 0..<count {
      let pid = processes[number % processes.count]
      let turn = Self.captures.wrappingAdd(1, ordering: .relaxed).newValue
      let isDump = (turn + number / processes.count) % 2 == 0
      let command =
        isDump ? ["dump", "\(pid)"] : ["attach", "\(pid)", "--duration", "500ms"]
      let report = try SprofCommand.report(command)
      let verdict = try #require(report.verdict)
      #expect(!Self.hangs.contains(verdict.kind), "\(report.capture.commandLine): \(verdict.words)")
      // Without work it loops nowhere; on a loaded machine it may well wait for a CPU.
      if isIdle { #expect(verdict.kind != "busy_loop", "\(verdict.words)") }
      if Repository.isTrial {
        print("healthy \(report.capture.process) \(command[0]) \(verdict.kind): \(verdict.words)")
      }
    }
    expectNothingLeftBehind()
  }
}
