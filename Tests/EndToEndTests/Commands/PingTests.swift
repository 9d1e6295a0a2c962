import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: XServer.isInstalled, "needs Xvfb"))
  struct `A ping of the program's windows` {
    private static let ofSystem = Interpreter(
      name: "of the system", command: ["/usr/bin/python3"])

    private let server: XServer

    init() throws { server = try XServer() }

    private func sprof(_ arguments: [String]) throws -> CommandOutcome {
      try run([SprofCommand.path] + arguments, environment: ["DISPLAY": server.display])
    }

    @Test(
      .enabled(if: Tool.hasLibrary("gtk+-3.0"), "needs GTK 3's headers"),
      arguments: [["dump"], ["attach", "--duration", "1200ms"]])
    func `is not answered while a handler hangs`(command: [String]) throws {
      let program = try hungWindow(server, "sleep")
      let folder = try TemporaryFolder()
      let file = folder.path + "/hang.pb.gz"
      let outcome = try sprof(command + ["\(program.pid)", "--ping", "-o", file])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let report = try SprofCommand.report(["report", file])
      let window = try #require(report.capture.windows.first)
      #expect(window.pings == 1)
      #expect(window.answered == 0)
      #expect(try #require(window.unansweredNs) >= 1_000_000_000)
      let words = try #require(report.verdict).words
      #expect(
        words.contains(#/The window ".*" has not answered a ping for 1\.\d\d s\./#), "\(words)")
      #expect(try program.figure("interrupted") == 0)
      try program.assertUntouched()
      let redacted = try sprof(["report", file, "--redact", "--json"])
      #expect(try Report(json: redacted.stdout).capture.windows.map(\.title) == ["…"])
    }

    @Test(.enabled(if: Tool.hasLibrary("gtk+-3.0"), "needs GTK 3's headers"))
    func `is answered by a program of GTK that takes events`() throws {
      try expectAnswers(from: try hungWindow(server, "idle"))
    }

    // Qt sends its answers otherwise than GTK does.
    @Test(.enabled(if: ofSystem.has(module: "PyQt5"), "needs PyQt5"))
    func `is answered by a program of Qt that takes events`() throws {
      try expectAnswers(
        from: try RunningProgram(
          Self.ofSystem.command + [Repository.path("Fixtures/python/freezing.py"), "qt", "2"],
          environment: ["DISPLAY": server.display, "XDG_RUNTIME_DIR": "/tmp"]))
    }

    private func expectAnswers(from program: RunningProgram) throws {
      let outcome = try sprof(
        ["attach", "\(program.pid)", "--duration", "1300ms", "--ping", "--json"])
      let report = try Report(json: outcome.stdout)
      let window = try #require(report.capture.windows.first)
      #expect(window.pings >= 2)
      #expect(window.answered == window.pings)
      #expect(window.slowestNs > 0)
      #expect(window.unansweredNs == nil)
      #expect(report.verdict?.words.contains("answered all of \(window.pings) pings") == true)
      try program.assertUntouched()
    }

    @Test(.enabled(if: Tool.hasLibrary("x11"), "needs libX11's headers"))
    func `is not sent to windows that take no part`() throws {
      let path = try Fixture.compile(
        source: "window.c", compiler: "cc", flags: ["-g"] + Fixture.flags(forLibrary: "x11"))
      let program = try RunningProgram(
        [path, "Mail"], environment: ["DISPLAY": server.display])
      let outcome = try sprof(["dump", "\(program.pid)", "--ping", "--brief", "--json"])
      #expect(outcome.stdout.contains(#"The window \"Mail\" does not take part in pings."#))
      try program.assertUntouched()
    }

    @Test func `needs a window, and an X server`() throws {
      let path = try Fixture.compile(source: "sleepers.c")
      let program = try RunningProgram([path, "1"])
      let pid = "\(program.pid)"
      expectError(
        try sprof(["dump", pid, "--ping"]), code: ExitCode.noTarget,
        naming: ["no window", "Leave --ping out"])
      for (environment, words) in [
        (["DISPLAY": "", "WAYLAND_DISPLAY": ""], "DISPLAY is not set"),
        (["DISPLAY": "/nowhere" + server.display], "Cannot connect"),
      ] {
        let outcome = try run(
          [SprofCommand.path, "attach", pid, "--ping", "-d", "1s"], environment: environment)
        expectError(outcome, code: ExitCode.noTarget, naming: [words])
      }
      try program.assertUntouched()
    }

    @Test func `names the X server that does not answer`() throws {
      let program = try RunningProgram([try Fixture.compile(source: "sleepers.c"), "1"])
      kill(server.pid, SIGSTOP)
      defer { kill(server.pid, SIGCONT) }
      expectError(
        try sprof(["dump", "\(program.pid)", "--ping"]), code: ExitCode.noTarget,
        naming: ["has not answered for 3 s", "sprof dump \(server.pid)"])
      try program.assertUntouched()
    }
  }
}
