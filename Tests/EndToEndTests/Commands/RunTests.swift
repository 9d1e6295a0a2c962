import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Run` {
    private let brief: String

    init() throws { brief = try Fixture.compile(source: "brief.c") }

    /// The report of `sprof run`, which goes to a file.
    private func report(_ options: [String], _ command: [String], status: Int32 = 0) throws
      -> Report
    {
      let folder = try TemporaryFolder()
      let file = folder.path + "/report"
      let outcome = try SprofCommand.run(
        ["run", "--json", "--report", file] + options + ["--"] + command)
      #expect(outcome.status == status, "\(outcome.stderr)")
      return try Report(json: String(contentsOfFile: file, encoding: .utf8))
    }

    @Test(arguments: [0, 1, 42, 255])
    func `ends with the program's exit code`(code: Int32) throws {
      #expect(try SprofCommand.run(["run", "--", brief, "1", "\(code)"]).status == code)
    }

    @Test func `has planned each tick that it took of a program that ends at once`() throws {
      let report = try report(["--children"], [brief, "1", "0"])
      #expect(report.cost.ticksTaken > 0 && report.cost.ticksTaken <= report.cost.ticksPlanned)
      let note = "Only the program itself was sampled."
      #expect(report.capture.notes.contains { $0.hasPrefix(note) })
    }

    @Test(arguments: [SIGTERM, SIGKILL, SIGSEGV])
    func `ends with 128 and the number of the signal that killed the program`(
      signal: Int32
    ) throws {
      #expect(
        try SprofCommand.run(["run", "--", brief, "kill", "\(signal)"]).status == 128 + signal)
    }

    @Test(arguments: [("kill", SIGSEGV, "was killed by SIGSEGV"), ("1", 3, "exited with code 3")])
    func `says how the program ended, and so does its file`(
      mode: String, number: Int32, words: String
    ) throws {
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture.pb.gz"
      let told = try SprofCommand.run(["run", "-o", file, "--", brief, mode, "\(number)"]).stderr
      #expect(told.contains(", the program \(words)\n"))
      #expect(try SprofCommand.run(["report", file]).stdout.contains("the program \(words)\n"))
      let capture = try SprofCommand.report(["report", file]).capture
      #expect(capture.exitCode == (mode == "kill" ? nil : number))
      #expect(capture.exitSignal == (mode == "kill" ? "SIGSEGV" : nil))
    }

    @Test func `helps, as long as no program is named`() throws {
      let help = try SprofCommand.run(["help", "run"])
      for options in [["-h"], ["--help"], ["--rate", "100", "--help"]] {
        let outcome = try SprofCommand.run(["run"] + options)
        #expect(outcome.status == 0 && outcome.stdout == help.stdout, "\(options)")
      }
      let version = try SprofCommand.run(["run", "--version"])
      #expect(version.status == 0)
      #expect(try version.stdout == SprofCommand.run(["--version"]).stdout)
      let script = ["sh", "-c", "echo $0 $1"]
      for command in [["--"] + script, script] {
        let outcome = try SprofCommand.run(["run"] + command + ["--help", "--version"])
        #expect(outcome.stdout == "--help --version\n")
      }
    }

    @Test func `refuses before the start what it could not write at the end`() throws {
      let folder = try TemporaryFolder()
      let trace = folder.path + "/ran"
      for option in ["--report", "-o"] {
        let outcome = try SprofCommand.run(
          ["run", option, folder.path + "/no/file", "--", "touch", trace])
        expectError(outcome, code: ExitCode.cannotWrite, naming: ["No such file or directory"])
      }
      #expect(try folder.names == [])
    }

    @Test func `passes input and output through byte for byte`() throws {
      let folder = try TemporaryFolder()
      let script = """
        cd '\(folder.path)' && head -c 3000000 /dev/urandom > in
        '\(SprofCommand.path)' run --report report -- cat < in > out && cmp in out
        '\(SprofCommand.path)' run --report report -- sh -c 'cat >&2' < in 2> err && cmp in err
        """
      let outcome = try run(["/bin/sh", "-e", "-c", script])
      #expect(outcome.status == 0, "\(outcome.stdout)\(outcome.stderr)")
      #expect(
        try String(contentsOfFile: folder.path + "/report", encoding: .utf8).contains(
          "sprof run: sh"))
    }

    @Test func `starts the program as a shell would`() throws {
      let plain = try run([brief, "tell"], environment: ["EXTRA": "a b"])
      let sampled = try run(
        [SprofCommand.path, "run", "--report", "/dev/null", "--", brief, "tell"],
        environment: ["EXTRA": "a b"])
      #expect(plain.stdout.contains("SigBlk:") && plain.stdout.contains("env EXTRA=a b\n"))
      #expect(plain.stdout.contains("file 0\nfile 1\nfile 2\n"))
      // The order of the environment's variables is the test's own, by chance.
      let lines = [plain, sampled].map { outcome in
        // How many signals are queued counts those of all the user's processes (proc(5), SigQ).
        outcome.stdout.split(separator: "\n").filter { !$0.hasPrefix("SigQ:") }
          .map(withoutLibrarySignals).sorted()
      }
      #expect(lines[1].difference(from: lines[0]).isEmpty)
    }

    /// A line without the signals 32 and 33, which the C library keeps for itself: its posix_spawn,
    /// by which the test starts programs, has a child ignore them, its threads catch them.
    private func withoutLibrarySignals(_ line: Substring) -> String {
      guard line.hasPrefix("SigIgn:"), let set = UInt64(line.suffix(16), radix: 16) else {
        return String(line)
      }
      return "SigIgn: \(set & ~0x1_8000_0000)"
    }

    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- 2>&-", "7<&0"])
    func `hands on which files are open`(redirection: String) throws {
      let folder = try TemporaryFolder()
      let names = ["plain", "sampled"]
      // The program tells on the first of 1, 2 that is open.
      let target = redirection.contains(">&-") && !redirection.contains("2>") ? 2 : 1
      for (name, prefix) in zip(names, ["", "'\(SprofCommand.path)' run --report /dev/null -- "]) {
        let script = "\(prefix)sh -c 'ls /proc/$$/fd >&\(target)' \(redirection)"
        let outcome = try run(["/bin/sh", "-c", "cd /; \(script)"])
        let text = target == 1 ? outcome.stdout : outcome.stderr
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
      }
      let texts = try names.map {
        try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8)
      }
      #expect(!texts[0].isEmpty)
      #expect(texts[1] == texts[0])
    }

    @Test func `names what a program of 30 milliseconds did, from its first instructions on`()
      throws
    {
      let report = try report(["--rate", "5000"], [brief, "30"])
      #expect(report.capture.kind == "run")
      #expect(report.capture.ending == "targetEnded")
      #expect(report.capture.process == "brief")
      let thread = try report.thread()
      #expect(thread.name == "brief")
      let first = try #require(thread.runs.first)
      // The dynamic loader, the C library's start or the program itself; never sprof.
      let modules = Set(
        try report.frames(of: first).map { $0.module.map { report.modules[$0].path } })
      #expect(modules.allSatisfy { $0?.hasSuffix("/sprof") != true }, "\(modules)")
      #expect(first.startNs < 5_000_000)
      let working = try thread.runs.filter {
        try Set(report.functions(of: $0)).isSuperset(of: ["work_hard", "main"])
      }
      #expect(working.reduce(0) { $0 + $1.cpuNs } * 2 > thread.cpuNs)
      let unnamed = report.frames.filter { $0.function.hasPrefix("0x") && $0.module == nil }
      // A library that the loader is just mapping is in no reading of the maps yet.
      #expect(unnamed.count <= 4, "\(unnamed)")
      expectNothingLeftBehind()
    }

    @Test(arguments: [[], ["--children"]])
    func `counts the CPU time of a program to its end, and calls none of it sleep`(
      options: [String]
    ) throws {
      var asleep: [Double] = []
      for _ in 0..<Repository.trials(short: 10, full: 100) {
        let folder = try TemporaryFolder()
        let file = folder.path + "/report"
        let outcome = try SprofCommand.run(
          ["run", "--json", "--report", file] + options + ["--", brief, "cpu", "40"])
        let figures = outcome.stdout.dropLast().split(separator: " ").compactMap { Int64($0) }
        let (own, all) = try (#require(figures.first, "\(outcome.stderr)"), #require(figures.last))
        let report = try Report(json: String(contentsOfFile: file, encoding: .utf8))
        let thread = try report.thread()
        #expect(own > 0 && thread.cpuNs >= own, "\(thread.cpuNs) of \(own)")
        #expect(thread.cpuSinceStartNs >= all, "\(thread.cpuSinceStartNs) of \(all)")
        #expect(thread.runs.reduce(0) { $0 + $1.cpuNs } == thread.cpuNs)
        asleep.append(try #require(thread.blockedPercent))
      }
      // It has never slept; but stops, which are long on a busy machine, count neither as running nor as
      // waiting for a CPU.
      asleep.sort()
      #expect(asleep[asleep.count / 2] < 10, "\(asleep)")
    }

    @Test func `names a program of 10 milliseconds, time after time`() throws {
      var samples: Int64 = 0
      for _ in 0..<Repository.trials(short: 10, full: 100) {
        let report = try report(["--rate", "1000"], [brief, "10"])
        for run in try report.thread().runs where run.end == "complete" {
          // Inner functions of the kernel's own page have no symbols.
          let unnamed = try report.frames(of: run).filter { frame in
            frame.function.hasPrefix("0x")
              && frame.module.map { report.modules[$0].path } != "[vdso]"
          }
          #expect(unnamed.isEmpty, "\(unnamed)")
          samples += run.samples
        }
      }
      #expect(samples > 10)
    }

    // It may be seen as a zombie, or not at all any more.
    @Test(arguments: [[], ["--children"]])
    func `judges a program by what it did, however its end was seen`(options: [String]) throws {
      for _ in 0..<Repository.trials(short: 20, full: 200) {
        let report = try report(options, [brief, "150"])
        // With few CPUs it has not been seen often enough for a loop, or got none.
        #expect(["busy_loop", "slow", "starved"].contains(report.verdict?.kind))
        #expect(!report.threads.contains { $0.ended })
      }
    }

    @Test func `samples scripts, static programs, and programs that become others`() throws {
      let folder = try TemporaryFolder()
      let script = folder.path + "/script"
      try Data("#!/bin/sh\nexec '\(brief)' 250\n".utf8).write(to: URL(fileURLWithPath: script))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
      let statically = try Fixture.compile(
        source: "brief.c", flags: ["-g", "-O1", "-static", "-no-pie"])
      let commands = [
        [script], [statically, "250"], [brief, "exec", statically, "250"],
        [statically, "exec", brief, "250"],
      ]
      for command in commands {
        let report = try report(["--rate", "1000"], command)
        let thread = try report.thread()
        let working = try thread.runs.filter { try report.functions(of: $0).contains("work_hard") }
        #expect(working.reduce(0) { $0 + $1.cpuNs } * 2 > thread.cpuNs, "\(command)")
        #expect(thread.name == "brief", "\(command)")
      }
    }

    @Test func `passes signals on once, and ends with the program`() throws {
      let program = try RunningProgram([
        SprofCommand.path, "run", "--report", "/dev/null", "--", brief, "signals", "6",
      ])
      for signal in [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM] {
        program.send(signal: signal)
      }
      #expect(try program.readLine() == "1 1 1 1 1 1 0 0")
      #expect(try program.waitForEnd() == .exit(5))
    }

    @Test(.enabled(if: Tool.isInstalled("python3"), "needs python3, for a terminal"))
    func `leaves to the terminal what its keys do`() throws {
      // Ctrl-C goes to the whole foreground group, and is not to arrive twice; Ctrl-Z stops both.
      let script = """
        import os, pty, re, signal, sys, time
        leader, master = pty.fork()
        if leader == 0:
            # A shell's part: the job has a process group of its own, which is not an orphaned one.
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                os.tcsetpgrp(0, os.getpid())
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.execv(sys.argv[1], sys.argv[1:])
            assert os.WIFSTOPPED(os.waitpid(job, os.WUNTRACED)[1])
            program = open(f"/proc/{job}/task/{job}/children").read().split()[0]
            # Or held: sprof itself may have been stopped while it looked at the program.
            while open(f"/proc/{program}/stat").read().rsplit(")")[1].split()[0] not in "Tt":
                time.sleep(0.01)
            os.tcsetpgrp(0, job)
            os.killpg(job, signal.SIGCONT)
            os._exit(os.WEXITSTATUS(os.waitpid(job, 0)[1]))
        text = b""
        def until(pattern):
            global text
            while not re.search(pattern, text):
                text += os.read(master, 4096)
        until(rb"ready")
        os.write(master, b"\\x03")
        time.sleep(0.1)
        os.write(master, b"\\x1a")
        until(rb"0 1 0 0 0 0 0 1")
        print(os.WEXITSTATUS(os.waitpid(leader, 0)[1]))
        """
      let outcome = try run(
        [
          "python3", "-c", script, SprofCommand.path, "run", "--report", "/dev/null", "--", brief,
          "signals", "2",
        ], timeout: .seconds(30))
      #expect(outcome.stdout == "5\n", "\(outcome.stderr)")
    }

    @Test func `keeps the capture in a file`() throws {
      let folder = try TemporaryFolder()
      let file = folder.path + "/a.pb.gz"
      let outcome = try SprofCommand.run(
        ["run", "--rate", "500", "-o", file, "--", brief, "700", "3"])
      #expect(outcome.status == 3)
      let report = try SprofCommand.run(["report", file])
      #expect(report.stdout == outcome.stderr)
      #expect(report.stdout.contains("\nsprof run: brief (pid "))
      #expect(try folder.names == ["a.pb.gz"])
    }

    @Test func `ends when the program does, though a child of it goes on`() throws {
      let outcome = try SprofCommand.run(
        ["run", "--report", "/dev/null", "--", "sh", "-c", "sleep 5 & echo $!"])
      #expect(outcome.status == 0)
      #expect(outcome.seconds < 5)
      let child = try #require(Int32(outcome.stdout.dropLast()))
      let status = try #require(ProcessStatus(pid: child))
      #expect(status.tracer == 0 && status.name == "sleep")
      kill(child, SIGKILL)
    }

    @Test(.enabled(if: Repository.isRoot && Tool.isInstalled("setpriv"), "needs root and setpriv"))
    func `does not take its rights from a set-user-ID program, which it cannot watch`() throws {
      let folder = try TemporaryFolder()
      chmod(folder.path, 0o755)
      let program = folder.path + "/setuid"
      try FileManager.default.copyItem(atPath: try #require(Tool.path("id")), toPath: program)
      let sprof = folder.path + "/sprof"
      try FileManager.default.copyItem(atPath: SprofCommand.path, toPath: sprof)
      chmod(program, 0o4755)
      let user = ["setpriv", "--reuid", "65534", "--clear-groups"]
      let plain = try run(user + [program, "-u"])
      let outcome = try run(user + [sprof, "run", "--", program, "-u"])
      #expect(plain.stdout == "0\n")
      #expect(outcome.stdout == plain.stdout, "\(outcome.stderr)")
    }
  }
}

extension EndToEnd {
  @Suite struct `A program that sprof runs` {
    private static let lines = 40

    /// Starts `sprof run` with a program that prints lines to a file for some 50 ms.
    private func start(output: String) throws -> StartedCommand {
      let brief = try Fixture.compile(source: "brief.c")
      let script = """
        exec '\(SprofCommand.path)' run --rate 2000 --report /dev/null -- '\(brief)' 5 0 \
        \(Self.lines) > '\(output)'
        """
      return try StartedCommand(["/bin/sh", "-c", script])
    }

    private func expectWhole(_ output: String) throws {
      let whole = (0..<Self.lines).map { "line \($0)\n" }.joined()
      try waitUntil("the program has printed all") {
        try String(contentsOfFile: output, encoding: .utf8) == whole
      }
    }

    @Test func `runs on when sprof is killed, also while it is held`() throws {
      let folder = try TemporaryFolder()
      for trial in 0..<Repository.trials(short: 20, full: 300) {
        let output = folder.path + "/\(trial)"
        let command = try start(output: output)
        // On a busy machine all may be over before the test gets a sample.
        try waitUntil("sprof has a child, or has ended") {
          try !children(startedBy: command.pid).isEmpty
            || ProcessStatus(pid: command.pid)?.state == "Z"
        }
        // Held before and at exec, let go, sampled.
        usleep(UInt32.random(in: 0..<(trial % 2 == 0 ? 3_000 : 40_000)))
        command.send(SIGKILL)
        _ = try command.finish()
        try expectWhole(output)
      }
      expectNothingLeftBehind()
    }

    @Test func `is whole when sprof is killed at any moment, or was never started`() throws {
      let folder = try TemporaryFolder()
      for trial in 0..<Repository.trials(short: 10, full: 200) {
        let output = folder.path + "/\(trial)"
        let command = try start(output: output)
        usleep(UInt32.random(in: 0..<150_000))
        let begun = (try? children(startedBy: command.pid)) ?? []
        command.send(SIGKILL)
        _ = try command.finish()
        if !begun.isEmpty { try expectWhole(output) }
      }
      expectNothingLeftBehind()
    }

    /// The children of a process by the kernel's own list, which is faster than a sample of all.
    private func children(startedBy pid: Int32) throws -> [Int32] {
      let threads =
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
      return threads.flatMap { thread in
        let path = "/proc/\(pid)/task/\(thread)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
      }
    }
  }
}
