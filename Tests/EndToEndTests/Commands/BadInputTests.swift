import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Bad input` {
    @Test func `a PID that nobody has is named`() throws {
      // Above the largest PID that Linux gives (proc_sys_kernel(5): 2^22).
      expectError(
        try SprofCommand.run(["attach", "4194305", "--duration", "1s"]), code: ExitCode.noTarget,
        naming: ["4194305", "no "])
    }

    @Test(arguments: ["attach", "dump", "run"])
    func `frames cannot be both asked for and hidden`(command: String) throws {
      expectError(
        try SprofCommand.run([command, "--internals", "--no-native", "1"]), code: ExitCode.usage,
        naming: ["--internals", "--no-native"])
    }

    @Test func `a name that matches no process is named`() throws {
      expectError(
        try SprofCommand.run(["dump", "no-such-program"]), code: ExitCode.noTarget,
        naming: ["no-such-program"])
    }

    @Test func `a name that matches several processes lists them`() throws {
      let path = try Self.copyOfSleepers(named: "sprof-twin")
      let programs = [try RunningProgram([path, "1"]), try RunningProgram([path, "1"])]
      expectError(
        try SprofCommand.run(["attach", "sprof-twin", "--duration", "1s"]),
        code: ExitCode.noTarget, naming: programs.map { "\($0.pid)" } + ["sprof-twin"])
      for program in programs { try program.assertUntouched() }
    }

    @Test func `a name that matches one process stands for it`() throws {
      let path = try Self.copyOfSleepers(named: "sprof-single")
      let program = try RunningProgram([path, "1"])
      let report = try SprofCommand.report(["dump", "sprof-single"])
      #expect(report.capture.pid == program.pid)
      try program.assertUntouched()
    }

    @Test(.enabled(if: kthreadd, "needs to see the kernel's threads, PID 2"))
    func `a kernel thread is said to be one`() throws {
      expectError(
        try SprofCommand.run(["attach", "2", "--duration", "1s"]), code: ExitCode.noTarget,
        naming: ["kernel thread"])
    }

    @Test func `a program that has ended is said to have`() throws {
      // Not reaped until it is finished, it stays as a zombie.
      let ended = try StartedCommand(["true"])
      try waitUntil("it is a zombie") { ProcessStatus(pid: ended.pid)?.state == "Z" }
      let outcome = try SprofCommand.run(["attach", "\(ended.pid)", "--duration", "1s"])
      _ = try ended.finish()
      expectError(outcome, code: ExitCode.noTarget, naming: ["\(ended.pid)", "ended"])
    }

    @Test func `it refuses to watch itself`() throws {
      let command = "exec '\(SprofCommand.path)' attach $$ --duration 1s"
      expectError(try run(["/bin/sh", "-c", command]), code: ExitCode.noTarget, naming: ["itself"])
    }

    @Test(arguments: ["0", "-5s", "abc", "", "5", "1e400s", "9999999999999999999s", "5 s"])
    func `a duration that is none is a usage error`(value: String) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      expectError(
        try SprofCommand.run(["attach", "\(program.pid)", "--duration=\(value)"]),
        code: ExitCode.usage, naming: ["duration"])
      try program.assertUntouched()
    }

    @Test(arguments: ["0", "-1", "1e9", "20001", "abc", "nan", "inf"])
    func `a rate that cannot be is a usage error`(value: String) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      expectError(
        try SprofCommand.run(["attach", "\(program.pid)", "--rate=\(value)"]),
        code: ExitCode.usage, naming: ["rate"])
      try program.assertUntouched()
    }

    @Test func `a view that does not exist is a usage error`() throws {
      expectError(
        try SprofCommand.run(["attach", "1", "--view", "pie"]), code: ExitCode.usage,
        naming: ["view"])
    }

    @Test(arguments: ["attach", "dump"])
    func `output that cannot be written is an error`(command: String) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      var arguments = [SprofCommand.path, command, "\(program.pid)"]
      if command == "attach" { arguments += ["--duration", "200ms"] }
      let outcome = try StartedCommand(arguments, stdout: "/dev/full").finish()
      #expect(outcome.status == ExitCode.cannotWrite)
      #expect(outcome.stderr.contains("write"), "\(outcome.stderr)")
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `a reader that goes away does not make it crash`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["8"])
      let command = "'\(SprofCommand.path)' dump \(program.pid) | true; echo ${PIPESTATUS[0]}"
      let outcome = try run(["/bin/bash", "-c", command])
      // Ended by SIGPIPE, as other filters are, or by an error of its own; never by a trap.
      let status = Int(outcome.stdout.split(separator: "\n").last ?? "")
      #expect([0, 73, 141].contains(status), "\(outcome.stdout) \(outcome.stderr)")
    }

    /// A copy under a name that no other test's program has; the kernel keeps 15 bytes of it.
    private static func copyOfSleepers(named name: String) throws -> String {
      let original = try Fixture.compile(source: "sleepers.c")
      let copy = URL(fileURLWithPath: original).deletingLastPathComponent()
        .appendingPathComponent(name)
      if !FileManager.default.fileExists(atPath: copy.path) {
        try FileManager.default.copyItem(atPath: original, toPath: copy.path)
      }
      return copy.path
    }
  }
}

private let kthreadd = ProcessStatus(pid: 2)?.name == "kthreadd"
