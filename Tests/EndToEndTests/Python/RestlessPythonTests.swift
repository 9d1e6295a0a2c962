import Foundation
import TestSupport
import Testing

/// Python programs that change under the reader's hands.
extension EndToEnd {
  @Suite struct `Restless Python` {
    private static let fixture = "restless.py"

    private static func arguments(_ kind: String, _ interpreter: Interpreter) -> [String] {
      // Up to 3.10 each call takes a piece of the C stack, of which there are 8 MB.
      kind == "recursion" ? [kind, interpreter.minor >= 12 ? "20000" : "900"] : [kind]
    }

    /// What the samples must have got as far as: the outer end of a deep recursion is not always read.
    private static func outermost(_ kind: String) -> String? { kind == "recursion" ? nil : "loop" }

    @Test(
      arguments: Interpreter.perVersion(
        ["recursion", "threads", "generated", "imports", "forks", "coroutines"], parts: 6))
    func `is shown as it is, and computes what it computes without sprof`(
      interpreter: Interpreter, kind: String
    ) throws {
      let program = try interpreter.start(
        Self.fixture, Self.arguments(kind, interpreter))
      let truth = try CallTruth(program)
      let captures =
        Repository.isTrial
        ? [("100", "1s"), ("200", "1s"), ("1000", "1s")] : [("200", "300ms"), ("1000", "700ms")]
      for (rate, duration) in captures {
        let report = try SprofCommand.report([
          "attach", "\(program.pid)", "--duration", duration, "--rate", rate,
        ])
        let (samples, mistake) = report.check(
          truth, fixture: Self.fixture, function: Self.outermost(kind))
        #expect(mistake == nil, "\(mistake ?? ""), \(interpreter), \(kind)")
        #expect(report.cost.looksDropped == 0)
        #expect(samples > 0, "\(interpreter), \(kind)")
        expectModulesMatch(report, "\(interpreter), \(kind)")
      }
      let before = try program.figure("turns")
      try waitUntil("it goes on") { try program.figure("turns") > before }
      #expect(try program.figure("wrong") == 0)
      try program.assertUntouched()
      program.kill()
    }

    /// `f_7` is made in `made_7` alone, and `<module>` is beside it.
    private func expectModulesMatch(_ report: Report, _ words: String) {
      for stack in report.stacks {
        let made = stack.map { report.frames[$0] }.filter { $0.file?.hasPrefix("made_") ?? false }
        let numbers = Set(made.compactMap { $0.file?.dropFirst(5) })
        #expect(numbers.count <= 1, "\(words): \(made.map(\.function))")
        for frame in made where frame.function != "<module>" {
          #expect(frame.function == "f_" + (frame.file?.dropFirst(5) ?? ""), "\(words)")
          #expect((1...5).contains(frame.line ?? 0), "\(words)")
        }
      }
    }

    // Without random addresses both programs have the same, of everything.
    @Test(
      .enabled(
        if: FileManager.default.isExecutableFile(atPath: "/usr/bin/setarch"), "no setarch"),
      arguments: Interpreter.few)
    func `gives no program the names of the one that it was before`(
      interpreter: Interpreter
    ) throws {
      let folder = try TemporaryFolder()
      let text = try String(
        contentsOfFile: Repository.path("Fixtures/python/becoming.py"), encoding: .utf8)
      for name in ["first", "other"] {
        try text.write(toFile: "\(folder.path)/\(name).py", atomically: true, encoding: .utf8)
      }
      let program = try RunningProgram(
        ["/usr/bin/setarch", "-R"] + interpreter.command + ["\(folder.path)/first.py"]
          + interpreter.command, environment: interpreter.environment)
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "4s"])
      var ticks: [String: Int64] = [:]
      for run in try report.thread().runs {
        for name in ["first", "other"] {
          let frames = report.pythonFrames(run.stack, of: "/\(name).py")
          if frames.contains(where: { $0.function == "work" }) {
            ticks[name, default: 0] += run.ticks
          }
        }
      }
      // Each takes half of the time, without its start.
      for name in ["first", "other"] {
        #expect(ticks[name, default: 0] > 50, "\(interpreter) \(ticks)")
      }
      try program.assertUntouched()
    }

    @Test(arguments: Interpreter.few)
    func `is read to the end though its main thread has ended`(interpreter: Interpreter) throws {
      let program = try interpreter.start("leaving.py")
      let command = try SprofCommand.startAttach(to: program, ["--duration", "3s", "--json"])
      try program.send(line: "go")
      let report = try Report(try command.finish(timeout: .seconds(20)))
      let thread = try report.thread("stays")
      let ticks = thread.runs.filter { run in
        report.pythonFrames(run.stack, of: "/leaving.py").contains { $0.function == "work" }
      }.reduce(0) { $0 + $1.ticks }
      // The interpreter is looked for once more meanwhile, which takes long without optimisation.
      #expect(ticks > 150, "\(interpreter)")
      try program.assertUntouched()
    }

    // Each job's code lies where the last one's lay, and stays long enough to be taken for granted.
    @Test(arguments: Interpreter.onePerLayout)
    func `gives no code the name of what lay in its place before`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start(Self.fixture, ["jobs"])
      let truth = try CallTruth(program)
      var jobs: Set<Int> = []
      for _ in 0..<Repository.trials(short: 1, full: 10) {
        let report = try SprofCommand.report([
          "attach", "\(program.pid)", "--duration", "800ms", "--rate", "1000",
        ])
        let (samples, mistake) = report.check(truth, fixture: Self.fixture)
        #expect(mistake == nil && samples > 0, "\(said(samples, mistake)), \(interpreter)")
        expectModulesMatch(report, "\(interpreter)")
        for stack in report.stacks {
          let frames = stack.map { report.frames[$0] }
          let made = frames.lazy.compactMap(\.file).first { $0.hasPrefix("made_") }
          guard let job = made.flatMap({ Int($0.dropFirst(5)) }) else { continue }
          jobs.insert(job)
          let levels = frames.count { $0.function == "level_a" }
          #expect(levels == job % 7 + 1, "\(interpreter): \(frames.map(\.function))")
        }
      }
      #expect(jobs.count > 2, "\(interpreter): \(jobs)")
      #expect(try program.figure("wrong") == 0)
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Interpreter.perVersion(["threads", "generated", "recursion"], parts: 3))
    func `is shown by one look as well`(interpreter: Interpreter, kind: String) throws {
      let program = try interpreter.start(Self.fixture, Self.arguments(kind, interpreter))
      let truth = try CallTruth(program)
      for _ in 0..<Repository.trials(short: 3, full: 20) {
        let report = try SprofCommand.report(["dump", "\(program.pid)"])
        let (samples, mistake) = report.check(
          truth, fixture: Self.fixture, function: Self.outermost(kind))
        #expect(mistake == nil && samples > 0, "\(said(samples, mistake)), \(interpreter), \(kind)")
      }
      #expect(try program.figure("wrong") == 0)
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Interpreter.onePerLayout)
    func `is sampled from its first instruction to its end`(interpreter: Interpreter) throws {
      let folder = try TemporaryFolder()
      let report = folder.path + "/report"
      let outcome = try TestSupport.run(
        [SprofCommand.path, "run", "--json", "--report", report, "--rate", "1000", "--"]
          + interpreter.command
          + [Repository.path("Fixtures/python/\(Self.fixture)"), "brief", "2000"],
        environment: interpreter.environment)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let lines = outcome.stdout.split(separator: "\n").map(String.init)
      #expect(lines.last == "2000 turns, 0 wrong")
      let truth = try CallTruth(json: try #require(lines.first))
      let (samples, mistake) = try Report(
        json: String(contentsOfFile: report, encoding: .utf8)
      ).check(truth, fixture: Self.fixture)
      #expect(mistake == nil && samples > 0, "\(said(samples, mistake)), \(interpreter)")
      #expect(hasNoChildren())
    }

    @Test(arguments: Interpreter.few)
    func `may be killed at any moment`(interpreter: Interpreter) throws {
      for kind in ["threads", "recursion", "plain"] {
        let program = try interpreter.start(Self.fixture, Self.arguments(kind, interpreter))
        let truth = try CallTruth(program)
        let command = try SprofCommand.startAttach(to: program, ["--rate", "1000", "--json"])
        let before = try program.figure("turns")
        try waitUntil("it has turned") { try program.figure("turns") > before }
        program.kill()
        let outcome = try command.finish()
        // Gone before the first sample it is an error of its own.
        guard outcome.status != ExitCode.noTarget else { continue }
        let report = try Report(outcome)
        #expect(report.check(truth, fixture: Self.fixture).mistake == nil, "\(interpreter)")
      }
      #expect(hasNoChildren())
    }

    /// Those that need no environment of their own, which exec hands on.
    private static let plain = Interpreter.onePerVersion.filter(\.environment.isEmpty)

    @Test(
      .enabled(if: plain.count > 1, "needs two versions of Python"),
      arguments: Interpreter.few(of: plain))
    func `may become another Python, or another program`(interpreter: Interpreter) throws {
      let other = try #require(Self.plain.last { $0.name != interpreter.name })
      let program = try interpreter.start(
        Self.fixture, ["become"] + other.command + [Repository.path("Fixtures/python/flat.py")])
      let truth = try CallTruth(program)
      let command = try SprofCommand.startAttach(
        to: program, ["--rate", "500", "--duration", "3s", "--json"])
      try program.send(line: "go")
      let second = try CallTruth(json: try program.readLine())
      let report = try Report(try command.finish())
      let (_, mistake) = report.check(truth, fixture: Self.fixture)
      #expect(mistake == nil, "\(mistake ?? ""), \(interpreter)")
      let (samples, mistakeAfter) = report.check(second, fixture: "flat.py")
      #expect(
        mistakeAfter == nil && samples > 0,
        "\(said(samples, mistakeAfter)), \(interpreter) to \(other)"
      )
      try program.assertUntouched()
      program.kill()
    }

    @Test(
      arguments: Interpreter.perVersion(
        [
          "--no-native generated", "--no-native coroutines", "--internals generated",
          "--internals coroutines",
        ], parts: 4))
    func `is shown right with any choice of frames`(
      interpreter: Interpreter, choice: String
    ) throws {
      let words = choice.split(separator: " ").map(String.init)
      let (option, kind) = (words[0], words[1])
      let program = try interpreter.start(Self.fixture, [kind])
      let truth = try CallTruth(program)
      let report = try SprofCommand.report(
        ["attach", "\(program.pid)", "--rate", "500", "--duration", "500ms", option])
      let (samples, mistake) = report.check(truth, fixture: Self.fixture)
      #expect(
        mistake == nil && samples > 0, "\(said(samples, mistake)), \(interpreter), \(choice)")
      let hasLoop = report.frames.contains { $0.function.hasPrefix("_PyEval_EvalFrame") }
      if interpreter.hasSymbols { #expect(hasLoop == (option == "--internals")) }
      try program.assertUntouched()
      program.kill()
    }
  }
}

private func said(_ samples: Int, _ mistake: String?) -> String {
  mistake ?? "\(samples) looks"
}
