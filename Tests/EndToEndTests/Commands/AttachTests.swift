import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Attach` {
    @Test func `finds a spinning thread at its depth, and main where it waits`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "20"])
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1s"])

      let spinner = try report.thread("spinner-0")
      let heaviest = try report.frames(of: try report.heaviestRun(of: spinner))
      #expect(heaviest.filter { $0.function == "descend" && !$0.inlined }.count >= 19)
      let compute = heaviest.first { $0.function == "compute" }
      #expect(compute?.file?.hasSuffix("spin.c") == true)
      let loop = try lines(of: "spin.c", containing: "static void compute(")
      #expect((compute?.line ?? 0) > (loop.first ?? .max))
      #expect((spinner.runningPercent ?? 0) + (spinner.waitingPercent ?? 0) > 80)

      let main = try report.thread()
      #expect(main.main)
      #expect(main.tid == program.pid)
      #expect(try report.functions(of: report.heaviestRun(of: main)).contains("main"))
      #expect((main.blockedPercent ?? 0) > 80)
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }

    @Test(arguments: [["spin.c", "2", "20"], ["sleepers.c", "8", "1"]])
    func `gives figures that agree with each other`(fixture: [String]) throws {
      let program = try RunningProgram(fixture: fixture[0], Array(fixture.dropFirst()))
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1s"])
      let cost = report.cost
      #expect(report.capture.kind == "attach")
      #expect(report.capture.rateHz == 100)
      #expect(report.capture.durationNs > 900_000_000)
      #expect(cost.ticksPlanned >= 99)
      #expect(cost.ticksTaken > 0)
      #expect(cost.ticksTaken + cost.ticksLate >= cost.ticksPlanned - 1)
      #expect(cost.pauseP50Ns <= cost.pauseP99Ns)
      #expect(cost.pauseP99Ns <= cost.pauseMaxNs)
      #expect(cost.stoppedShare >= 0 && cost.stoppedShare < 1)
      #expect(cost.ownCpuNs > 0)
      for thread in report.threads {
        let shares = [
          thread.runningPercent, thread.waitingPercent, thread.blockedPercent,
          thread.stoppedPercent, thread.unknownPercent,
        ]
        let sum = shares.reduce(0) { $0 + ($1 ?? 0) }
        #expect(abs(sum - 100) < 2, "\(thread.name): \(sum)")
        let ticks = thread.runs.reduce(0) { $0 + $1.ticks }
        #expect(abs(ticks - cost.ticksPlanned) <= 3, "\(thread.name): \(ticks)")
        for run in thread.runs {
          #expect(run.samples <= run.ticks)
          #expect(run.ticks > 0)
          _ = try report.frames(of: run)
        }
      }
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `says of no thread that has ended that the kernel refused its stop`() throws {
      let program = try RunningProgram(fixture: "churn.c", ["4"])
      let report = try SprofCommand.report([
        "attach", "\(program.pid)", "--duration", "3s", "--rate", "2000", "--max-pause", "100%",
      ])
      #expect(report.threads.contains { $0.ended } && report.cost.stops > 0)
      #expect(!report.capture.notes.contains { $0.contains("refused") }, "\(report.capture.notes)")
      try program.assertUntouched(progress: "ended")
    }

    @Test func `looks at sleeping threads without a stop, and wakes none`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["16"])
      try program.awaitSleep()
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1s"])
      #expect(report.cost.stops == 0)
      #expect(report.cost.looksWithoutStop > 17 * 50)
      let waits = ["wait_for_condition", "read_from_pipe", "poll_for_ever", "wait_for_semaphore"]
      for (index, function) in waits.enumerated() {
        let thread = try report.thread("sleeper-\(index)")
        let run = try report.heaviestRun(of: thread)
        #expect(run.end == "complete")
        #expect(run.activity == "blocked")
        #expect(try report.functions(of: run).contains(function))
        #expect(thread.runs.count == 1)
      }
      #expect(try program.figure("wakeups") == 0)
      try program.assertUntouched()
    }

    @Test func `keeps to the threads that the filter names`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["4", "1"])
      let report = try SprofCommand.report(
        ["attach", "\(program.pid)", "--duration", "500ms", "--thread", "spin*"])
      #expect(report.threads.map(\.name) == ["spinner-0"])
      let none = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "200ms", "--thread", "no-such*"])
      #expect(none.status != nil && none.signal == nil)
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `Ctrl-C ends the capture and prints the report`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let command = try SprofCommand.startAttach(to: program, ["--json"])
      command.send(SIGINT)
      let report = try Report(try command.finish(timeout: .seconds(20)))
      #expect(report.capture.ending.lowercased().contains("interrupt"))
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }

    @Test func `a target that ends is reported with exit code 0`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let command = try SprofCommand.startAttach(to: program, ["--duration", "30s", "--json"])
      try waitUntil("the program has felt a stop") { try program.figure("voluntary_gaps") > 0 }
      program.kill()
      let report = try Report(try command.finish(timeout: .seconds(20)))
      #expect(report.capture.ending.lowercased().contains("ended"))
      expectNothingLeftBehind()
    }

    @Test func `a target that ends at any moment never makes it crash`() throws {
      for _ in 0..<Repository.trials(short: 10, full: 200) {
        let program = try RunningProgram(fixture: "churn.c", ["8"])
        let command = try StartedCommand(
          [SprofCommand.path, "attach", "\(program.pid)", "--duration", "5s", "--rate", "1000"])
        usleep(UInt32.random(in: 0..<60_000))
        program.kill()
        let outcome = try command.finish(timeout: .seconds(20))
        // Gone before the first sample it is an error of its own; later it is a report.
        #expect([0, ExitCode.noTarget].contains(outcome.status), "\(outcome.stderr)")
      }
      expectNothingLeftBehind()
    }

    @Test func `looks are left out where stops would take more than their share`() throws {
      let program = try RunningProgram(fixture: "deep.c", ["100", "spin"])
      let common = ["attach", "\(program.pid)", "--duration", "1s", "--rate", "2000"]
      let spared = try SprofCommand.report(common + ["--max-pause", "0.5%"])
      #expect(spared.capture.notes.contains { $0.contains("skipped to spare the program") })
      #expect(spared.cost.ticksTaken < spared.cost.ticksPlanned)
      // Each look counts for those that were left out before it.
      let spinner = try #require(spared.threads.first { $0.name == "diver" })
      #expect(spinner.runs.reduce(0) { $0 + $1.ticks } >= spared.cost.ticksPlanned)
      let unbounded = try SprofCommand.report(common + ["--max-pause", "100%"])
      #expect(!unbounded.capture.notes.contains { $0.contains("skipped to spare the program") })
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `ticks are left out where sprof would use more than its share of a core`() throws {
      let program = try RunningProgram(fixture: "deep.c", ["100", "spin"])
      let common = [
        "attach", "\(program.pid)", "--duration", "2s", "--rate", "2000", "--max-pause", "100%",
      ]
      let bounded = try SprofCommand.report(common + ["--max-cpu", "1%"])
      #expect(bounded.capture.notes.contains { $0.contains("at most 1 % of a core") })
      let spinner = try #require(bounded.threads.first { $0.name == "diver" })
      #expect(spinner.runs.reduce(0) { $0 + $1.ticks } >= bounded.cost.ticksPlanned)
      let unbounded = try SprofCommand.report(common + ["--max-cpu", "100%"])
      #expect(!unbounded.capture.notes.contains { $0.contains("--max-cpu") })
      #expect(bounded.cost.ticksTaken < unbounded.cost.ticksTaken / 2)
      try program.assertUntouched(progress: "iterations")
    }

    @Test(.enabled(if: Tool.isInstalled("chrt"), "needs chrt of util-linux"))
    func `a thread that hardly gets a CPU is sampled, and found starved`() throws {
      let spin = try Fixture.compile(source: "spin.c", flags: ["-g", "-O1"])
      let program = try RunningProgram(["chrt", "--idle", "0", spin, "1", "1"])
      let busy = try RunningProgram(
        fixture: "spin.c", ["\(2 * ProcessInfo.processInfo.activeProcessorCount)", "1"])
      let attached = try SprofCommand.report(
        ["attach", "\(program.pid)", "--duration", "3s", "--rate", "1000"])
      #expect(attached.verdict?.kind == "starved")
      #expect(try !attached.thread("spinner-0").runs.isEmpty)
      for _ in 0..<Repository.trials(short: 3, full: 30) {
        let dumped = try SprofCommand.report(["dump", "\(program.pid)"])
        #expect(try dumped.thread("spinner-0").state == "R")
        // One moment does not show that it gets none.
        #expect(dumped.verdict?.kind == "running")
      }
      busy.kill()
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `a program whose threads come and go is watched to the end`() throws {
      let program = try RunningProgram(fixture: "churn.c", ["8"])
      let report = try SprofCommand.report(
        ["attach", "\(program.pid)", "--duration", "1s", "--rate", "500"])
      #expect(report.capture.ending.lowercased().contains("duration"))
      #expect(report.allFunctions.contains("short_work"))
      #expect(report.threads.contains { $0.ended })
      try program.assertUntouched(progress: "ended")
    }

    @Test
    func `threads that live for less than a sample are told, with the CPU time that none has`()
      throws
    {
      let program = try RunningProgram(fixture: "churn.c", ["1", "2000000"])
      let begin = cpuTime(of: program.pid)
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1500ms"])
      let used = cpuTime(of: program.pid) - begin
      let words = report.verdict?.words ?? ""
      #expect(report.verdict?.kind == "slow", "\(words)")
      #expect(words.contains("short-lived threads"), "\(words)")
      #expect(words.contains("mostly in short_work"), "\(words)")
      #expect(words.contains("of CPU time after their last sample"), "\(words)")
      // What the threads have and what none has is all that the kernel counts, and no more.
      let counted = report.threads.reduce(0) { $0 + $1.cpuNs } + report.capture.unsampledCpuNs
      #expect(counted > used / 3 && counted < used, "\(counted) of \(used)")
      try program.assertUntouched(progress: "ended")
    }

    @Test func `exec in the target is followed into the new program`() throws {
      let program = try RunningProgram(fixture: "exec.c")
      let command = try SprofCommand.startAttach(to: program, ["--duration", "2s", "--json"])
      try program.send(line: "exec")
      #expect(try program.readLine() == "again")
      let report = try Report(try command.finish(timeout: .seconds(20)))
      #expect(report.allFunctions.contains("after_exec"))
      // It executes /proc/self/exe, whose last part is its name then.
      #expect(report.capture.process == "exe")
      #expect(report.capture.commandLine.last == "second")
      #expect(report.capture.notes.contains { $0.contains("ran exec at first, and executed exe") })
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `two threads that end in one exec after another are not held up, and seen`() throws {
      let program = try RunningProgram(fixture: "reexec.c", ["400"])
      let command = try SprofCommand.startAttach(to: program, ["--rate", "1000", "--json"])
      try program.send(line: "go")
      // Held up, it gets as far as this only when sprof has ended.
      #expect(try program.readLine(deadline: .seconds(60)) == "settled")
      #expect(ProcessStatus(pid: command.pid)?.state != "Z")
      let before = try program.figure("iterations")
      try waitUntil("the last program has run") {
        // More than the few milliseconds that reading the new program's maps may take.
        try program.figure("iterations") > before + 50_000_000
      }
      command.send(SIGINT)
      let report = try Report(try command.finish(timeout: .seconds(30)))
      #expect(!report.capture.notes.contains { $0.contains("refused") })
      #expect(report.allFunctions.contains("settled"))
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `a recursion of 100,000 levels is shown with its middle left out`() throws {
      let program = try RunningProgram(fixture: "deep.c", ["100000", "spin"])
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1s"])
      let thread = try report.thread("diver")
      let functions = try report.functions(of: report.heaviestRun(of: thread))
      #expect(functions.first == "bottom")
      #expect(functions.contains("recurse"))
      #expect(functions.contains("diver"))
      #expect(functions.count < 20_000)
      #expect(report.frames.contains { $0.elided })
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `no look is lost while its unwinding thread gets no CPU`() throws {
      let program = try RunningProgram(fixture: "deep.c", ["150000", "spin"])
      let busy = try RunningProgram(
        fixture: "spin.c", ["\(ProcessInfo.processInfo.activeProcessorCount)", "1"])
      let command = try SprofCommand.startAttach(
        to: program, ["--duration", "2s", "--rate", "1000", "--json"])
      // By now it has asked for all of the stack.
      usleep(500_000)
      // Only the tracer goes on as before. What it copies in this time does not fit into the ring.
      setPolicy(Self.idlePolicy, of: command.pid)
      usleep(1_000_000)
      setPolicy(SCHED_OTHER, of: command.pid)
      let report = try Report(try command.finish(timeout: .seconds(60)))
      #expect(report.cost.looksDropped == 0)
      #expect(report.cost.stops > 0)
      let thread = try report.thread("diver")
      #expect(abs(thread.runs.reduce(0) { $0 + $1.ticks } - report.cost.ticksPlanned) <= 3)
      try program.assertUntouched(progress: "iterations")
      busy.kill()
    }

    /// `SCHED_IDLE`, which Glibc's module does not have.
    private static let idlePolicy: Int32 = 5

    /// Sets how a process's threads of normal priority are scheduled.
    private func setPolicy(_ policy: Int32, of pid: Int32) {
      let threads =
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
      for thread in threads.compactMap({ Int32($0) })
      where getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(thread)) == 0 {
        var parameters = sched_param()
        sched_setscheduler(thread, policy, &parameters)
      }
    }
  }
}
