import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What the other tests rely on has to be able to fail.
  @Suite struct `Test support` {
    @Test func `gives status, output and errors of a command`() throws {
      let outcome = try run(
        ["/bin/sh", "-c", "read x; echo out $x; echo err >&2; exit 3"], stdin: "a")
      #expect(outcome.status == 3)
      #expect(outcome.signal == nil)
      #expect(outcome.stdout == "out a\n")
      #expect(outcome.stderr == "err\n")
      #expect(try run(["/bin/sh", "-c", "kill -9 $$"]).signal == SIGKILL)
    }

    @Test func `takes more output than a pipe holds`() throws {
      let outcome = try run(["/bin/sh", "-c", "head -c 3000000 /dev/zero; echo x >&2"])
      #expect(outcome.stdout.utf8.count == 3_000_000)
    }

    @Test func `kills a command that takes too long`() {
      #expect(throws: TestFailure.self) {
        try run(["/bin/sleep", "600"], timeout: .milliseconds(50))
      }
      expectNothingLeftBehind()
    }

    @Test func `does not wait for a grandchild that keeps the pipe`() throws {
      let outcome = try run(["/bin/sh", "-c", "sleep 2 & echo done"], timeout: .seconds(60))
      #expect(outcome.stdout == "done\n")
      #expect(outcome.seconds < 2)
    }

    @Test func `clears the signals that a child would inherit`() throws {
      let outcome = try run(["/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"])
      for line in outcome.stdout.split(separator: "\n") {
        let set = try #require(UInt64(line.suffix(16), radix: 16))
        // The C library keeps 32 and 33 for itself and ignores them in children.
        #expect(set & ~0x1_8000_0000 == 0, "\(line)")
      }
    }

    @Test func `ends a program with its value`() throws {
      var program: RunningProgram? = try RunningProgram(fixture: "sleepers.c", ["2"])
      let pid = try #require(program?.pid)
      try program?.assertUntouched()
      try waitUntil("main reads") { ProcessStatus(pid: pid)?.state == "S" }
      #expect(ProcessStatus.threads(of: pid).count == 3)
      program = nil
      #expect(ProcessStatus(pid: pid) == nil)
      expectNothingLeftBehind()
    }

    @Test func `notices a program that is stopped, or has ended`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1"])
      try program.assertUntouched(progress: "iterations")
      program.send(signal: SIGSTOP)
      try waitUntil("it is stopped") { ProcessStatus(pid: program.pid)?.state == "T" }
      #expect(throws: TestFailure.self) { try program.assertUntouched() }
      program.send(signal: SIGKILL)
      #expect(try program.waitForEnd() == .signal(SIGKILL))
      #expect(throws: TestFailure.self) { try program.assertUntouched() }
    }

    @Test func `waits for a line no longer than the deadline`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      #expect(throws: TestFailure.self) {
        try program.readLine(deadline: .milliseconds(20))
      }
    }

    @Test func `tells what is wrong with a fixture that does not compile`() {
      #expect(throws: TestFailure.self) { try Fixture.compile(source: "no-such.c") }
      #expect(throws: TestFailure.self) {
        try Fixture.compile(source: "spin.c", flags: ["-no-such-flag"])
      }
    }

    @Test(arguments: [
      "spin.c", "sleepers.c", "eintr.c", "handler.c", "exec.c", "churn.c", "leaderexit.c", "deep.c",
      "forkchild.c", "vforkparent.c", "undumpable.c", "reexec.c", "oneends.c",
    ])
    func `every fixture compiles without a warning, and gets ready`(source: String) throws {
      for optimisation in ["-O0", "-O2"] {
        let program = try RunningProgram(
          fixture: source, flags: ["-g", optimisation, "-Wall", "-Wextra", "-Werror"])
        #expect(ProcessStatus(pid: program.pid) != nil)
      }
    }

    @Test(.enabled(if: Debugger.isInstalled, "needs gdb"))
    func `turns gdb's addresses into places in files`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let frames = try #require(try Debugger.frames(of: program.pid)[program.pid])
      let main = try #require(frames.first { $0.function == "main" })
      let place = try AddressSpace(pid: program.pid).place(of: main.pc)
      #expect(place?.path.hasSuffix("/sleepers") == true)
      let symbols = try run(["nm", try #require(place?.path)]).stdout.split(separator: "\n")
      let line = try #require(symbols.first { $0.hasSuffix(" T main") })
      let start = try #require(UInt64(line.prefix(16), radix: 16))
      let address = try #require(place?.address)
      #expect(address > start && address < start + 4_096)
    }

    @Test(.enabled(if: XServer.isInstalled, "needs Xvfb"))
    func `starts an X server on a free display`() throws {
      let servers = [try XServer(), try XServer()]
      #expect(servers[0].display != servers[1].display)
    }

    @Test(.enabled(if: Tool.isInstalled("postgres"), "needs PostgreSQL"))
    func `starts a PostgreSQL server with its workers`() throws {
      let server = try PostgresServer()
      #expect(server.processes.count > 2)
    }
  }
}
