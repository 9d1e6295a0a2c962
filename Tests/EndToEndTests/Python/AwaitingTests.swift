import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: !ReportedTask.interpreters.isEmpty, "no Python from 3.12 on on this machine"))
  struct `Tasks that wait for the running one` {
    @Test(arguments: ReportedTask.interpreters)
    func `are shown with their own children alone`(interpreter: Interpreter) throws {
      let program = try interpreter.start("awaiting.py", ["turns"])
      var samples = 0
      var whole = 0
      for (rate, duration) in [("200", "500ms"), ("1000", Repository.isTrial ? "10s" : "1500ms")] {
        let report = try SprofCommand.report([
          "attach", "\(program.pid)", "--async", "--duration", duration, "--rate", rate,
        ])
        for (names, ticks) in report.namedStacks {
          guard let letter = ["a", "b"].first(where: { names.contains("burn_\($0)") }) else {
            continue
          }
          // What lacks is the outer end, where there was no time for it.
          let chain =
            ["child", "middle", "parent"].map { "<task \($0) \(letter)>" } + ["<task main>"]
          let found = names.filter { $0.hasPrefix("<task") }
          #expect(chain.starts(with: found), "\(interpreter): \(names)")
          let others = names.filter { ["child", "middle", "parent"].contains($0.dropLast(2)) }
          #expect(others.allSatisfy { $0.hasSuffix(letter) }, "\(interpreter): \(names)")
          // Frames may be left out where there was no time for them.
          let isCut = names.contains { $0.hasPrefix("…") }
          #expect(isCut || names.suffix(8).contains("BaseEventLoop.run_forever"))
          samples += ticks
          if found.count == chain.count { whole += ticks }
        }
      }
      // Their tasks are new each time. How many a stop has time for is the machine's and the build's:
      // without optimisation four in ten, else all.
      #expect(whole > 0, "\(interpreter): \(whole) of \(samples)")
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: ReportedTask.interpreters)
    func `are shown only where that is asked for`(interpreter: Interpreter) throws {
      let program = try interpreter.start("awaiting.py", ["group"])
      func stacks(_ options: [String]) throws -> [[String]] {
        let report = try SprofCommand.report(
          ["attach", "\(program.pid)", "--duration", "500ms", "--rate", "100", "--no-native"]
            + options)
        #expect(report.capture.notes.allSatisfy { !$0.contains("--async") })
        return report.namedStacks.map(\.names)
      }
      let plain = try stacks([])
      #expect(!plain.isEmpty && !plain.joined().contains { $0.hasPrefix("<task") })
      let chained = try stacks(["--async"])
      #expect(chained.joined().contains("<task main>"))
      for names in chained {
        let coroutines = ["group", "main", "TaskGroup.__aexit__", "TaskGroup._aexit"]
        let rest = names.filter { !$0.hasPrefix("<task") && !coroutines.contains($0) }
        #expect(rest == names || names.contains("<task computes>"))
        if names.contains("<task main>") { #expect(names.contains("group")) }
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: ReportedTask.interpreters)
    func `are shown by one look where they hang, each behind what awaits it`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("awaiting.py", ["gather", "held"])
      let dump = ["dump", "\(program.pid)", "--no-native"]
      func names(_ options: [String]) throws -> [String] {
        let stacks = try SprofCommand.report(dump + options).namedStacks
        return try #require(stacks.map(\.names).first { $0.contains("computes") })
      }
      // It says that it is ready before it waits.
      try waitUntil("it waits for its lock") { try names([]).starts(with: ["burn", "computes"]) }
      let (plain, chained) = (try names([]), try names(["--async"]))
      let chain = ["<task computes>", "gather", "main", "<task main>"]
      #expect(plain.starts(with: ["burn", "computes", "Handle._run"]))
      #expect(chained == Array(plain.prefix(2)) + chain + plain.dropFirst(2))
      let text = try SprofCommand.run(dump + ["--async", "--all"]).stdout
      let shown = text.split(separator: "\n").filter { $0.contains("  #") }
        .map { $0.split(separator: " ", maxSplits: 1)[1].trimmingPrefix { $0 == " " } }
      let place = try #require(shown.firstIndex { $0.hasPrefix("<task computes> ") })
      for (line, name) in zip(shown[place...], chain) { #expect(line.hasPrefix(name + " ")) }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `have no names of users in a text for strangers`() throws {
      let interpreter = try #require(ReportedTask.interpreters.last)
      let program = try interpreter.start("awaiting.py", ["plain", "held"])
      let folder = try TemporaryFolder()
      let page = folder.path + "/page.html"
      let environment = ["USER": "computes", "HOME": Repository.path("Fixtures/python")]
      for options in [
        ["dump"], ["dump", "--json"], ["attach", "--duration", "200ms", "--html", page],
      ] {
        let command = [SprofCommand.path] + options + ["--async", "\(program.pid)"]
        let plain = try TestSupport.run(command, environment: environment).stdout
        #expect(plain.contains("<task computes>"))
        let masked = try TestSupport.run(command + ["--redact"], environment: environment).stdout
        #expect(masked.contains("<task …>") && masked.contains("<task main>"), "\(masked)")
        #expect(!masked.contains("task computes") && !masked.contains("\"name\":\"computes\""))
        // The function of that name stays, or nothing would be explained.
        #expect(masked.contains("computes") && masked.contains("~/awaiting.py"))
      }
      let text = try String(contentsOfFile: page, encoding: .utf8)
      #expect(text.contains("task …") && !text.contains("task computes"))
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `are shown of a program from its start`() throws {
      let interpreter = try #require(ReportedTask.interpreters.last)
      let folder = try TemporaryFolder()
      let file = folder.path + "/run.pb.gz"
      let fixture = Repository.path("Fixtures/python/awaiting.py")
      let outcome = try TestSupport.run(
        [SprofCommand.path, "run", "--async", "-o", file, "--report", "/dev/null", "--"]
          + interpreter.command + [fixture, "plain", "brief"],
        environment: interpreter.environment)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let report = try SprofCommand.report(["report", file])
      #expect(report.namedStacks.contains { $0.names.contains("<task main>") })
      expectNothingLeftBehind()
    }

    @Test(
      arguments: Interpreter.onePerVersion.filter { $0.minor == 11 || $0.minor == 8 })
    func `are said not to be known of older versions`(interpreter: Interpreter) throws {
      let program = try interpreter.start("flat.py")
      func notes(_ options: [String]) throws -> [String] {
        try SprofCommand.report(
          ["attach", "\(program.pid)", "--duration", "200ms"] + options
        ).capture.notes
      }
      #expect(try notes([]).isEmpty)
      let found = try notes(["--async"])
      let known = "CPython " + Interpreter.words(Interpreter.minors.filter { $0 >= 12 })
      #expect(found.count == 1 && found[0].contains(known), "\(found)")
      try program.assertUntouched()
    }
  }
}
