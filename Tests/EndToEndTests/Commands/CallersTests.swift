import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Without callers` {
    /// The deepest that stacks of runs are, in frames that are not inlined into others.
    private func depth(_ report: Report, _ thread: Report.Thread) throws -> Int {
      try thread.runs.map { try report.frames(of: $0).count { !$0.inlined } }.max() ?? 0
    }

    /// By function: its part of the ticks at which the thread ran, or would have, in percent.
    private func ownShares(_ report: Report, _ thread: Report.Thread) throws -> [String: Double] {
      let runs = thread.runs.filter { ["running", "waiting_for_cpu"].contains($0.activity) }
      let all = max(runs.reduce(0) { $0 + $1.ticks }, 1)
      var shares: [String: Double] = [:]
      for run in runs {
        let name = try report.functions(of: run).first ?? "none"
        shares[name, default: 0] += Double(run.ticks) / Double(all) * 100
      }
      return shares
    }

    private func attach(
      _ program: RunningProgram, _ options: [String]
    ) throws -> Report {
      try SprofCommand.report(
        ["attach", "\(program.pid)", "--rate", "200", "--duration", "1s"] + options)
    }

    @Test func `a deep thread shows the same functions as with callers`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "20000"])
      let report = try attach(program, ["--no-callers"])
      #expect(report.capture.maxDepth == 1)
      #expect(report.capture.notes.contains { $0.contains("--no-callers") })
      let thread = try report.thread("spinner-0")
      #expect(thread.runs.allSatisfy { $0.activity != "running" || $0.end == "depthLimit" })
      #expect(try depth(report, thread) == 1)
      let shares = try ownShares(report, thread)
      let shallow = try RunningProgram(fixture: "spin.c", ["1", "3"])
      let whole = try attach(shallow, [])
      let others = try ownShares(whole, try whole.thread("spinner-0"))
      for (name, share) in others where share > 20 {
        #expect(abs(share - (shares[name] ?? 0)) < 30, "\(shares), with callers \(others)")
      }
      #expect(!shares.isEmpty && !others.isEmpty)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: Interpreter.onePerLayout)
    func `a deep thread of Python shows its function`(interpreter: Interpreter) throws {
      let depth = interpreter.minor >= 11 ? 20_000 : 8_000
      let program = try interpreter.start("deep.py", ["\(depth)", "spin"])
      let report = try attach(program, ["--no-callers"])
      let thread = try #require(report.threads.first { !$0.main })
      #expect(try self.depth(report, thread) == 1)
      let shares = try ownShares(report, thread)
      #expect(!shares.keys.contains { $0.hasPrefix("<code at") }, "\(interpreter): \(shares)")
      let shallow = try interpreter.start("deep.py", ["20", "spin"])
      let whole = try attach(shallow, [])
      let others = try ownShares(whole, try #require(whole.threads.first { !$0.main }))
      let (share, other) = (shares["turn"] ?? 0, others["turn"] ?? 0)
      #expect(share > 5 && abs(share - other) < 30, "\(interpreter): \(shares), else \(others)")
      shallow.kill()
      try program.assertUntouched()
      program.kill()
    }

    // What calls a built-in function is the interpreter's own; it is not what the thread does.
    @Test(arguments: Interpreter.onePerLayout.filter(\.hasSymbols))
    func `a thread of Python in a built-in function shows that`(interpreter: Interpreter) throws {
      let program = try RunningProgram(
        interpreter.command + [
          "-c", "print('ready', flush=True)\nwhile True: sorted(range(20000, 0, -1))",
        ], environment: interpreter.environment)
      let report = try attach(program, ["--no-callers"])
      let whole = try attach(program, [])
      let shares = try ownShares(report, try report.thread())
      let others = try ownShares(whole, try whole.thread())
      for (name, share) in others where share > 20 {
        #expect(
          abs(share - (shares[name] ?? 0)) < 30, "\(interpreter): \(shares), else \(others)")
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: [2, 16, 300])
    func `a limit leaves the innermost frames`(limit: Int) throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "1000"])
      let report = try attach(program, ["--max-depth", "\(limit)"])
      #expect(report.capture.maxDepth == limit)
      let thread = try report.thread("spinner-0")
      #expect(try depth(report, thread) == limit)
      let run = try report.heaviestRun(of: thread)
      #expect(run.end == "depthLimit")
      if limit > 2 { #expect(try report.functions(of: run).contains("descend")) }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: Interpreter.onePerLayout)
    func `a limit leaves the innermost frames of Python`(interpreter: Interpreter) throws {
      let program = try interpreter.start("deep.py", ["500", "spin"])
      let report = try attach(program, ["--max-depth", "12"])
      let thread = try #require(report.threads.first { !$0.main })
      #expect(try depth(report, thread) == 12)
      let names = try report.functions(of: try report.heaviestRun(of: thread))
      #expect(names.contains("spin"), "\(interpreter): \(names)")
      #expect(names.last == "recursion", "\(interpreter): \(names)")
      try program.assertUntouched()
      program.kill()
    }

    @Test func `a short stack is whole below a limit`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "3"])
      let report = try attach(program, ["--max-depth", "100"])
      let run = try report.heaviestRun(of: try report.thread("spinner-0"))
      #expect(run.end == "complete")
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `a dump of sleeping threads has their system calls`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3", "1"])
      let report = try SprofCommand.report(["dump", "\(program.pid)", "--no-callers"])
      #expect(report.threads.count == 5)
      for thread in report.threads {
        #expect(thread.runs.count == 1 && thread.runs[0].stack >= 0)
        #expect(try depth(report, thread) == 1)
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `a file keeps that callers are missing`() throws {
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture.pb.gz"
      let program = try RunningProgram(fixture: "spin.c")
      let outcome = try SprofCommand.run([
        "attach", "\(program.pid)", "--no-callers", "--duration", "500ms", "-o", file,
      ])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let text = try SprofCommand.run(["report", file, "--view", "all"]).stdout
      #expect(text.contains("Callers were not captured"), "\(text)")
      #expect(text.contains("None: callers were not captured"), "\(text)")
      #expect(text.contains("(callers left out: --no-callers or --max-depth)"), "\(text)")
      #expect(try SprofCommand.report(["report", file]).capture.maxDepth == 1)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }
  }
}
