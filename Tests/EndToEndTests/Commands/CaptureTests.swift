import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Capture in a file` {
    @Test func `gives a window of time to the nanosecond`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a"
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "300ms", "-o", file])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      // 133.778 times a million is a little less than it should be.
      let report = try SprofCommand.report(
        ["report", file, "--from", "133.778ms", "--to", "187.501ms"])
      #expect(report.capture.durationNs == 53_723_000)
    }

    @Test func `is reported as attach reported it, byte for byte`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["2", "20"])
      let folder = try TemporaryFolder()
      let commands = [[], ["--view", "stacks"], ["--thread", "spin*", "--top", "3"], ["--json"]]
      for (number, options) in commands.enumerated() {
        let file = folder.path + "/\(number).pb.gz"
        let attach = try SprofCommand.run(
          ["attach", "\(program.pid)", "--duration", "500ms", "-o", file] + options)
        #expect(attach.status == 0, "\(attach.stderr)")
        #expect(attach.stdout.contains("spin"))
        let report = try SprofCommand.run(["report", file] + options)
        #expect(report.status == 0, "\(report.stderr)")
        #expect(report.stdout == attach.stdout)
      }
      #expect(try folder.names == (0..<4).map { "\($0).pb.gz" })
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }

    @Test func `is reported as dump reported it, byte for byte`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["7", "1"])
      let folder = try TemporaryFolder()
      for options in [[], ["--json"]] {
        let file = folder.path + "/dump\(options.count)"
        let dump = try SprofCommand.run(["dump", "\(program.pid)", "--output", file] + options)
        #expect(dump.status == 0, "\(dump.stderr)")
        #expect(dump.stdout.contains("sleeper"))
        let report = try SprofCommand.run(["report", file] + options)
        #expect(report.stdout == dump.stdout)
      }
      try program.assertUntouched()
    }

    @Test func `is all there when the program has ended and its file is gone`() throws {
      let folder = try TemporaryFolder()
      let original = try Fixture.compile(source: "spin.c")
      let copy = folder.path + "/spin-copy"
      try FileManager.default.copyItem(atPath: original, toPath: copy)
      let program = try RunningProgram([copy, "1", "20"])
      let file = folder.path + "/a"
      let attach = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "300ms", "-o", file])
      program.kill()
      try FileManager.default.removeItem(atPath: copy)
      let report = try SprofCommand.run(["report", file])
      #expect(report.stdout == attach.stdout)
      #expect(report.stdout.contains("spin.c:"))
    }

    @Test func `is refused before anything is watched when it cannot be written`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let folder = try TemporaryFolder()
      let there = folder.path + "/there"
      try Data("mine".utf8).write(to: URL(fileURLWithPath: there))
      for command in ["attach", "dump"] {
        let base = [command, "\(program.pid)", "-o"]
        expectError(
          try SprofCommand.run(base + [there]), code: ExitCode.cannotWrite,
          naming: [there, "exists", "--force"])
        expectError(
          try SprofCommand.run(base + [folder.path + "/no/a"]), code: ExitCode.cannotWrite,
          naming: ["no/a", "No such file or directory"])
        expectError(
          try SprofCommand.run(base + ["/proc/a"]), code: ExitCode.cannotWrite, naming: ["/proc/a"])
        expectError(
          try SprofCommand.run(base + [folder.path]), code: ExitCode.cannotWrite,
          naming: ["not a regular file"])
        expectError(
          try SprofCommand.run([command, "\(program.pid)", "--force"]), code: ExitCode.usage,
          naming: ["--output"])
      }
      #expect(try String(contentsOfFile: there, encoding: .utf8) == "mine")
      #expect(try folder.names == ["there"])
      let forced = try SprofCommand.run(["dump", "\(program.pid)", "-o", there, "--force"])
      #expect(forced.status == 0, "\(forced.stderr)")
      #expect(try SprofCommand.run(["report", there]).stdout == forced.stdout)
    }

    @Test func `leaves no file when the program may not be watched`() throws {
      let folder = try TemporaryFolder()
      let outcome = try SprofCommand.run(["attach", "2", "-o", folder.path + "/a"])
      #expect(outcome.status != 0)
      #expect(try folder.names == [])
    }

    @Test(.enabled(if: canMount, "needs root and unshare, to mount a small file system"))
    func `that fills the disk is an error, and the report is printed all the same`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["2", "200"])
      let folder = try TemporaryFolder()
      // Room for the first seconds of the growing file, not for the whole beside it.
      let script = """
        mount -t tmpfs -o size=8k none '\(folder.path)' && '\(SprofCommand.path)' attach \
        \(program.pid) --duration 2s --rate 500 -o '\(folder.path)/a'; status=$?; \
        '\(SprofCommand.path)' report '\(folder.path)/a.partial' >&2; ls '\(folder.path)' >&2; \
        exit $status
        """
      let outcome = try run(["unshare", "-m", "/bin/sh", "-c", script])
      #expect(outcome.status == ExitCode.cannotWrite, "\(outcome.stderr)")
      #expect(outcome.stderr.contains("No space left on device"), "\(outcome.stderr)")
      #expect(outcome.stderr.contains("a.partial"))
      #expect(outcome.stdout.contains("Threads:"))
      #expect(outcome.stderr.contains("cut off before it finished"), "\(outcome.stderr)")
      #expect(!outcome.stderr.contains(".tmp\n"))
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `has all but the last second when sprof is killed`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["6", "2"])
      let folder = try TemporaryFolder()
      let clock = ContinuousClock()
      for trial in 0..<Repository.trials(short: 8, full: 100) {
        let file = folder.path + "/\(trial)"
        let command = try SprofCommand.startAttach(to: program, ["-o", file])
        let begin = clock.now
        usleep(UInt32.random(in: 0..<3_000_000))
        // What sprof waited for a CPU it could not write in.
        let starved = runDelay(of: command.pid)
        command.send(SIGKILL)
        let lived = (clock.now - begin - starved) / .seconds(1)
        #expect(try command.finish().signal == SIGKILL)
        #expect(!FileManager.default.fileExists(atPath: file))
        let report = try SprofCommand.report(["report", file + ".partial"])
        #expect(report.capture.ending == "unfinished")
        #expect(Double(report.capture.durationNs) / 1e9 > lived - 1, "trial \(trial)")
        guard lived > 1.1 else { continue }
        #expect(report.threads.count == 9)
        for thread in report.threads {
          let seen = thread.runs.map { $0.startNs + $0.wallNs }.max() ?? 0
          #expect(Double(seen) / 1e9 > lived - 1, "trial \(trial), \(thread.name)")
          let ticks = thread.runs.reduce(0) { $0 + $1.ticks }
          #expect(Double(ticks) > (lived - 1) * 95, "trial \(trial), \(thread.name)")
        }
        #expect(report.allFunctions.contains("poll_for_ever"))
      }
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }

    @Test func `that grows can be looked at meanwhile`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["4", "1"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a"
      let command = try SprofCommand.startAttach(to: program, ["-o", file])
      try waitUntil("a thread is in the growing file") {
        let report = try? SprofCommand.report(["report", file + ".partial"])
        return report?.allFunctions.contains("wait_for_condition") ?? false
      }
      expectError(
        try SprofCommand.run(["attach", "\(program.pid)", "-o", file]), code: ExitCode.cannotWrite,
        naming: ["a.partial", "still being written"])
      command.send(SIGINT)
      let outcome = try command.finish()
      #expect(try SprofCommand.run(["report", file]).stdout == outcome.stdout)
      #expect(try folder.names == ["a"])
    }

    @Test func `that cannot be read is named with the reason`() throws {
      let folder = try TemporaryFolder()
      let file = folder.path + "/a"
      expectError(
        try SprofCommand.run(["report", file]), code: ExitCode.noTarget,
        naming: [file, "No such file or directory"])
      expectError(
        try SprofCommand.run(["report", folder.path]), code: ExitCode.noTarget,
        naming: ["directory"])
      for (text, words) in [("", "empty"), ("hello\n", "not a capture")] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        expectError(
          try SprofCommand.run(["report", file]), code: ExitCode.badData, naming: [file, words])
      }
    }
  }

  @Suite(.enabled(if: Tool.isInstalled("go"), "needs go tool pprof")) struct `Other pprof tools` {
    @Test func `agree with the report to the last digit`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["2", "20"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a.pb.gz"
      _ = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1s", "-o", file])
      let report = try SprofCommand.report(["report", file])
      for unit in Pprof.units {
        let expected = try Pprof.expected(report, unit)
        #expect(expected.count > 5)
        #expect(try Pprof.top(file, unit) == expected, "\(unit.index)")
      }
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `show a line about the capture, not all that sprof keeps`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["40", "1"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a.pb.gz"
      _ = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "300ms", "-o", file])
      #expect(try SprofCommand.report(["report", file]).threads.count > 40)
      for view in ["-top", "-traces"] {
        let text = try run(["go", "tool", "pprof", "-symbolize=none", view, file]).stdout
        let header = text.split(separator: "\n").prefix {
          !$0.hasPrefix("Showing") && !$0.hasPrefix("-----")
        }
        #expect((4...8).contains(header.count) && header.allSatisfy { $0.count < 100 }, "\(header)")
        #expect(header.count { $0.hasPrefix("sprof ") } == 1 && !text.contains("sprof:v1"))
      }
    }

    @Test func `see the threads and the stacks`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["4", "1"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a.pb.gz"
      _ = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1s", "-o", file])
      let report = try SprofCommand.report(["report", file])
      let base = ["go", "tool", "pprof", "-symbolize=none", "-sample_index=ticks"]
      let tags = try run(base + ["-tags", file]).stdout
      for thread in report.threads {
        // `    101.0 (20.00%): sleeper-0`
        let ticks = thread.runs.reduce(0) { $0 + $1.ticks }
        let line = tags.split(separator: "\n").first { $0.hasSuffix(": \(thread.name)") }
        #expect(
          line?.split(separator: " ").first.flatMap { Double($0) } == Double(ticks), "\(tags)")
      }
      #expect(tags.contains("state:") && tags.contains("blocked") && tags.contains("futex"))

      let traces = try run(base + ["-traces", file]).stdout
      // Each trace stands between two lines of dashes.
      let blocks = traces.split(separator: "\n").split { $0.hasPrefix("-----------") }
      #expect(blocks.count - 1 == report.threads.flatMap(\.runs).filter { $0.ticks > 0 }.count)
      for function in ["wait_for_condition", "read_from_pipe", "sleeper"] {
        #expect(traces.contains(function))
      }
      #expect(try run(["go", "tool", "pprof", "-raw", file]).status == 0)
    }

    @Test func `read the growing file, which pprof takes for one profile`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a"
      let command = try SprofCommand.startAttach(to: program, ["-o", file])
      try waitUntil("two members are there") {
        let report = try? SprofCommand.report(["report", file + ".partial"])
        return (report?.capture.durationNs ?? 0) > 1_000_000_000
      }
      command.send(SIGKILL)
      _ = try command.finish()
      let report = try SprofCommand.report(["report", file + ".partial"])
      let ticks = report.threads.flatMap(\.runs).reduce(0) { $0 + $1.ticks }
      // A kill within the last write would leave a torn member, which pprof refuses as a whole.
      let outcome = try run([
        "go", "tool", "pprof", "-top", "-symbolize=none", "-sample_index=ticks", file + ".partial",
      ])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("of \(ticks) total"), "\(outcome.stdout)")
    }

    @Test func `write profiles that sprof reads`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/a"
      _ = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "500ms", "-o", file])
      let before = try SprofCommand.report(["report", file])
      let other = folder.path + "/b"
      let outcome = try run(
        ["go", "tool", "pprof", "-proto", "-symbolize=none", "-output=\(other)", file])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      // pprof writes only what it knows: the samples with their labels.
      let after = try SprofCommand.report(["report", other])
      #expect(after.capture.kind == "imported")
      #expect(after.threads.map(\.name) == before.threads.map(\.name))
      let sums = [before, after].map { report in
        report.threads.map { thread in thread.runs.reduce(0) { $0 + $1.cpuNs } }
      }
      #expect(sums[0] == sums[1])
      #expect(after.allFunctions == before.allFunctions)
    }
  }
}

private let canMount = Repository.isRoot && Tool.isInstalled("unshare")
