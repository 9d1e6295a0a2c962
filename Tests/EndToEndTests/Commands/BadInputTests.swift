import Foundation
import Glibc
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

    @Test(arguments: [["run"], ["run", "--"], ["run", "--rate", "50"]])
    func `without a program to start, sprof asks for one`(arguments: [String]) throws {
      expectError(
        try SprofCommand.run(arguments), code: ExitCode.usage, naming: ["Name the program to start"]
      )
    }

    @Test(arguments: [
      ["--no-callers", "--max-depth", "4"], ["--no-callers", "--async"],
      ["--max-depth", "4", "--async"], ["--max-depth", "0"],
    ])
    func `callers cannot be left out in two ways, nor where tasks are to be callers`(
      options: [String]
    ) throws {
      for command in ["attach", "dump", "run"] {
        expectError(
          try SprofCommand.run([command] + options + ["1"]), code: ExitCode.usage,
          naming: options.filter { $0.hasPrefix("--") })
      }
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

    @Test func `a name stands for the process that started the others of that name`() throws {
      let path = try Self.copy(of: "family.c", named: "sprof-tribe")
      let program = try RunningProgram([path])
      // Its workers have other thread names, but the name of its program.
      let outcome = try SprofCommand.run(["dump", "sprof-tribe", "--json"])
      #expect(try Report(outcome).capture.pid == program.pid)
      #expect(outcome.stderr.contains("4 processes are named"), "\(outcome.stderr)")
      #expect(outcome.stderr.contains("\(program.pid), from which the others descend"))
      try program.assertUntouched()
    }

    @Test func `names and files with control characters do not control the terminal`() throws {
      let path = try Self.copy(of: "sleepers.c", named: "sprof-escape")
      let marks = ["\u{1B}]0;x\u{7}", "\u{202E}", "\u{9B}31m", "\n#"]
      let programs = try (0..<2).map { _ in try RunningProgram([path, "1", "0"] + marks) }
      let folder = try TemporaryFolder()
      let file = folder.path + "/" + marks.joined()
      try Data("text".utf8).write(to: URL(fileURLWithPath: file))
      for arguments in [
        ["attach", "sprof-escape"], ["dump", "\(programs[0].pid)", "--thread", marks.joined()],
        ["report", file], ["report", file, marks.joined()], ["run", "--", file], ["dump", file],
        ["compare", file, file],
      ] {
        let outcome = try SprofCommand.run(arguments)
        #expect(outcome.status != 0)
        #expect(outcome.stderr.contains("sprof: "))
        let found = outcome.stderr.unicodeScalars.filter {
          $0 != "\n" && [.control, .format].contains($0.properties.generalCategory)
        }
        #expect(found.isEmpty, "\(arguments): \(outcome.stderr.debugDescription)")
      }
      for program in programs { try program.assertUntouched() }
    }

    @Test(arguments: ["abc", "0s", "", "-1s", "2"])
    func `an interval of repeated samples that is none is a usage error`(value: String) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      expectError(
        try SprofCommand.run(["dump", "\(program.pid)", "--watch=\(value)"]),
        code: ExitCode.usage, naming: ["--watch"])
      try program.assertUntouched()
    }

    @Test(arguments: ["attach", "run", "report"], ["--view tree", "--by line", "--sort cpu"])
    func `JSON, which has everything, and a choice of views are a usage error`(
      command: String, option: String
    ) throws {
      let options = option.split(separator: " ").map(String.init)
      expectError(
        try SprofCommand.run([command, "--json"] + options + ["1"]), code: ExitCode.usage,
        naming: ["--json", options[0]])
    }

    @Test func `a name that matches one process stands for it`() throws {
      let path = try Self.copyOfSleepers(named: "sprof-single")
      let program = try RunningProgram([path, "1"])
      let report = try SprofCommand.report(["dump", "sprof-single"])
      #expect(report.capture.pid == program.pid)
      try program.assertUntouched()
    }

    /// A 32-bit program; nil where it cannot be compiled or executed.
    private static let program32: String? = {
      let flags = ["-m32", "-nostdlib", "-static", "-ffreestanding", "-fno-pie", "-no-pie"]
      let path = try? Fixture.compile(
        source: "program32.c", flags: flags + ["-fno-stack-protector"])
      return path.flatMap { path in (try? RunningProgram([path])) == nil ? nil : path }
    }()

    @Test(.enabled(if: program32 != nil, "needs to compile and execute 32-bit programs"))
    func `a 32-bit program is said to be one, before it is sampled`() throws {
      let path = try #require(Self.program32)
      let program = try RunningProgram([path])
      for command in ["attach", "dump"] {
        expectError(
          try SprofCommand.run([command, "\(program.pid)"]), code: ExitCode.noTarget,
          naming: ["\(program.pid)", "32-bit"])
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(.enabled(if: program32 != nil, "needs to compile and execute 32-bit programs"))
    func `a 32-bit child is left out, and the verdict says so`() throws {
      let path = try #require(Self.program32)
      // It is the child that is ready.
      let program = try RunningProgram(["/bin/sh", "-c", "'\(path)' & wait"])
      let child = try #require(TestSupport.children(of: program.pid).first)
      defer { kill(child, SIGKILL) }
      for command in [["attach", "--duration", "500ms"], ["dump"]] {
        let report = try SprofCommand.report(
          [command[0], "\(program.pid)", "--children"] + command.dropFirst())
        #expect(report.capture.unsampledProcesses == 1)
        #expect(report.capture.notes.contains { $0.contains("32-bit") })
        #expect(report.verdict?.words.hasSuffix("1 process was not sampled.") == true)
      }
      try program.assertUntouched()
    }

    @Test(.enabled(if: program32 != nil, "needs to compile and execute 32-bit programs"))
    func `a program that becomes a 32-bit one has no false system calls from then on`() throws {
      let path = try #require(Self.program32)
      let program = try RunningProgram(["/bin/sh", "-c", "echo ready; read line; exec '\(path)'"])
      let command = try SprofCommand.startAttach(
        to: program, ["--duration", "2500ms", "--json"])
      try program.send(line: "")
      #expect(try program.readLine() == "ready")
      let outcome = try command.finish()
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("32-bit"))
      // Number 240 is futex in a 32-bit program.
      #expect(!outcome.stdout.contains("mq_open"))
      #expect(outcome.stdout.contains("unsupportedProgram"))
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    private static func name(of pid: Int32) -> String? {
      (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(.enabled(if: program32 != nil, "needs to compile and execute 32-bit programs"))
    func `a 32-bit program that others wait for is given no false system call`() throws {
      let path = try #require(Self.program32)
      let program = try RunningProgram(["/bin/sh", "-c", "'\(path)' | cat"])
      let both = TestSupport.children(of: program.pid)
      defer { for child in both { kill(child, SIGKILL) } }
      let reader = try #require(both.first { Self.name(of: $0) == "cat" })
      let writer = try #require(both.first { $0 != reader })
      let outcome = try SprofCommand.run(["dump", "\(reader)", "--json"])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(try Report(outcome).waits?.seen.contains { $0.pid == writer } == true)
      // Number 240 is futex in a 32-bit program.
      #expect(!outcome.stdout.contains("mq_open"))
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

    @Test(arguments: ["--max-pause", "--max-cpu"])
    func `a share that is none is a usage error, and one without a unit names it`(
      option: String
    ) throws {
      for (value, words) in [
        ("25", "did you mean 25%?"), ("0.5", "did you mean 0.5%?"), ("0%", "from 0.1% to 100%"),
        ("101%", "from 0.1% to 100%"), ("nan%", "percentage"), ("abc", "percentage"),
      ] {
        expectError(
          try SprofCommand.run(["attach", "1", "\(option)=\(value)"]), code: ExitCode.usage,
          naming: [option, words])
      }
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

    @Test func `a stdout that is closed is one that cannot be written`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      for command in ["dump \(program.pid)", "dump \(program.pid) --json", "doctor"] {
        let outcome = try run(["/bin/sh", "-c", "'\(SprofCommand.path)' \(command) >&-"])
        #expect(outcome.status == ExitCode.cannotWrite, "\(command)")
        #expect(outcome.stderr.hasPrefix("sprof: Cannot write the output: "), "\(outcome.stderr)")
      }
      try program.assertUntouched()
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
      try copy(of: "sleepers.c", named: name)
    }

    private static func copy(of source: String, named name: String) throws -> String {
      let original = try Fixture.compile(source: source)
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
