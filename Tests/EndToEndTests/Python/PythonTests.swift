import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Python` {
    private static let isFull = ProcessInfo.processInfo.environment["SPROF_TRIALS"] == "full"

    @Test(
      arguments: Interpreter.perVersion(["flat.py", "gens.py", "entries.py", "keywords.py"]))
    func `shows no stack that the program cannot have`(
      interpreter: Interpreter, fixture: String
    ) throws {
      let program = try interpreter.start(fixture)
      let truth = try CallTruth(program)
      var all = 0
      var whole = 0
      var wrong = 0
      // What could go wrong in 3.11 and 3.12 happens in one of some hundred looks.
      let isSeldom =
        ["entries.py", "keywords.py"].contains(fixture) && [11, 12].contains(interpreter.minor)
      let duration = Self.isFull ? "55s" : isSeldom ? "3s" : "700ms"
      // Ticks that come late are looks that are missing.
      for _ in 0..<(Self.isFull ? 10 : 1) where all < 50_000 {
        let report = try SprofCommand.report(
          [
            "attach", "\(program.pid)", "--rate", "1000", "--duration", duration,
          ], timeout: .seconds(120))
        for run in try report.thread().runs {
          let frames = report.pythonFrames(run.stack)
          let mistake = truth.mistake(in: frames)
          let reachesLoop = frames.contains { $0.function == "loop" }
          all += Int(run.samples)
          if reachesLoop { whole += Int(run.samples) }
          // What has not got as far as the function that everything runs in says so.
          guard mistake != nil || !reachesLoop && run.end == "complete" else { continue }
          wrong += Int(run.samples)
          let names = try report.functions(of: run)
          #expect(Bool(false), "\(interpreter), \(fixture): \(mistake ?? "not whole"), \(names)")
        }
      }
      // Where a machine is so busy that a thread gets no CPU to link its frames, a few are not.
      #expect(whole > 0 && all - whole <= max(3, all / 100), "\(whole) of \(all)")
      if Self.isFull {
        #expect(all >= 50_000)
        print("\(fixture) of \(interpreter): \(all) looks, \(wrong) wrong, \(whole) whole")
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Interpreter.onePerVersion)
    func `puts Python frames between the C functions that they call and are called by`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("mixed.py")
      var seen: [String: Int] = [:]
      var samples = SampleCount(wanted: Self.isFull ? 20_000 : 0)
      // On a busy machine one capture may meet too few of its places.
      for _ in 0..<12 where seen.count < 4 || samples.areTooFew {
        let report = try SprofCommand.report([
          "attach", "\(program.pid)", "--rate", "500", "--duration", Self.isFull ? "20s" : "1s",
        ])
        try check(report, of: interpreter, &seen)
        samples.add(report, reaching: "work", ofThreads: { $0.main || $0.name == "of work" })
      }
      samples.expectWhole("mixed.py of \(interpreter)")
      #expect(seen.count == 4, "\(interpreter): \(seen)")
      try program.assertUntouched()
      program.kill()
    }

    /// Adds to `seen` the calls that the stacks of a report show, and expects them to be right.
    private func check(
      _ report: Report, of interpreter: Interpreter, _ seen: inout [String: Int]
    ) throws {
      // Stacks of samples before the interpreter was found, which has them all native.
      var bare = 0
      for stack in report.stacks {
        let frames = stack.map { report.frames[$0] }
        let names = frames.map {
          $0.file?.hasSuffix(".py") ?? false ? "py:" + $0.function : $0.function
        }
        for (inner, outer, between) in [
          ("py:compare", "py:sort_with_libc", ["qsort", "qsort_r", "__qsort_r", "msort_with_tmp"]),
          ("py:by_key", "py:sort_with_key", ["list_sort", "builtin_sorted", "list_sort_impl"]),
          ("py:add", "py:reduce_all", []), ("py:substitute", "py:replace_all", []),
        ] {
          guard let position = names.firstIndex(of: inner) else { continue }
          let caller = names[position...].firstIndex(of: outer)
          // Only the path between the two: the callee is never anywhere else.
          let found = try #require(caller, "\(interpreter): \(names)")
          let native = names[position..<found].filter { !$0.hasPrefix("py:") }
          if !between.isEmpty, interpreter.hasSymbols {
            #expect(native.contains { between.contains($0) }, "\(interpreter): \(names)")
          }
          seen[inner, default: 0] += 1
        }
        // What runs the interpreter is not part of the program.
        if names.contains(where: { $0.hasPrefix("_PyEval_EvalFrame") }) { bare += 1 }
      }
      #expect(bare <= max(2, report.stacks.count / 50), "\(interpreter): \(bare)")
      #expect(report.threads.contains { $0.name == "of work" })
      #expect(report.threads.contains { $0.name == "of sleep_long" })
    }

    // They wake up every 5 ms to ask again, so that a sample seldom knows the stack of such a wait.
    @Test(arguments: Interpreter.onePerVersion)
    func `tells of threads that take turns that they wait for the interpreter's lock`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("../bench/counting.py", ["6", "5"])
      var count = 0
      for _ in 0..<3 {
        let report = try SprofCommand.report(["dump", "\(program.pid)"])
        // All but the main thread, which waits for input.
        let waits = try #require(report.waits)
        for wait in waits.seen where wait.tid != program.pid && wait.pid == program.pid {
          #expect(wait.kind == "gil", "\(wait)")
          count += 1
        }
        // On a busy machine one that woke up to ask waits for a CPU to do so.
        count += report.threads.count { thread in
          thread.runs.contains { $0.activity == "waiting_for_cpu" }
        }
      }
      #expect(count > 3)
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Interpreter.onePerVersion)
    func `calls the main thread what the program calls it`(interpreter: Interpreter) throws {
      let code = """
        import sys, threading
        threading.%@().name = "Boss"
        print("ready", flush=True)
        sys.stdin.read()
        """
      func names(_ function: String) throws -> [String] {
        let program = try RunningProgram(
          interpreter.command + ["-c", code.replacingOccurrences(of: "%@", with: function)],
          environment: interpreter.environment)
        defer { program.kill() }
        return try SprofCommand.report(["dump", "\(program.pid)"]).threads.map(\.name)
      }
      #expect(try names("main_thread") == ["Boss"])
      // A thread that does not run: the main one has the name that Python gives it.
      let plain = try names("Thread")
      #expect(plain.count == 1 && !["Boss", "MainThread"].contains(plain[0]))
    }

    @Test func `says of an older version that it is not read`() throws {
      let banner = "3.6.15 (default, May  9 2026, 07:31:02) [GCC 12.2.0]"
      let path = try Fixture.compile(
        source: "oldpython.c", flags: ["-O1", "-rdynamic", "-DBANNER=\"\(banner)\""])
      let program = try RunningProgram([path])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)"])
      let words =
        "Native frames only: this is Python 3.6.15, and sprof reads \(Interpreter.versions)."
      #expect((outcome.stdout + outcome.stderr).contains(words))
      try program.assertUntouched()
    }

    @Test(
      .enabled(
        if: Interpreter.onePerVersion.contains { $0.hasSymbols },
        "needs an interpreter with symbols"))
    func `shows what it is asked for: all frames, or only Python's`() throws {
      let interpreter = try #require(Interpreter.onePerVersion.last { $0.hasSymbols })
      let program = try interpreter.start("mixed.py")
      let all = try SprofCommand.report(["dump", "\(program.pid)", "--internals"])
      #expect(all.frames.contains { $0.function.hasPrefix("_PyEval_EvalFrame") })
      let python = try SprofCommand.report(["dump", "\(program.pid)", "--no-native"])
      #expect(python.frames.allSatisfy { $0.file?.hasSuffix(".py") ?? false || $0.elided })
      program.kill()
    }
  }
}
