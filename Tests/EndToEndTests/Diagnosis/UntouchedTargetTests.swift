import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `The target` {
    @Test(.enabled(if: Tool.isInstalled("strace"), "needs strace"))
    func `of the EINTR test sees a tracer that stops it`() throws {
      let program = try RunningProgram(fixture: "eintr.c", ["wait"])
      let tracer = try StartedCommand(["strace", "-f", "-o", "/dev/null", "-p", "\(program.pid)"])
      try waitUntil("a stop is counted") { try program.figure("eintr") > 0 }
      tracer.send(SIGKILL)
      _ = try tracer.finish()
    }

    @Test func `gets no EINTR in any system call that a stop would end`() throws {
      let program = try RunningProgram(fixture: "eintr.c", ["wait"])
      let seconds = Repository.trials(short: 2, full: 10)
      let report = try SprofCommand.report([
        "attach", "\(program.pid)", "--duration", "\(seconds)s",
      ])
      let figures = try program.figures()
      #expect(figures.filter { $0.value != 0 } == [:])
      for call in ["epoll_wait", "epoll_pwait", "semop", "sigtimedwait", "io_getevents", "recv"] {
        let run = try report.heaviestRun(of: try report.thread(call))
        #expect(try report.functions(of: run).contains("wait_once"))
        #expect(run.activity == "blocked")
      }
      try program.assertUntouched()
    }

    @Test func `that goes back and forth between work and waits gets no EINTR either`() throws {
      let program = try RunningProgram(fixture: "eintr.c", ["wake", "3"])
      let before = try program.figures()
      _ = try SprofCommand.report([
        "attach", "\(program.pid)", "--duration", "2s", "--rate", "2000",
      ])
      let after = try program.figures()
      let interrupted = (after["eintr"] ?? 0) - (before["eintr"] ?? 0)
      let returned = (after["returned"] ?? 0) - (before["returned"] ?? 0)
      #expect(returned > 0)
      // A thread that is seen running may reach its next wait before the stop does: the call is
      // then started again.
      #expect(interrupted == 0, "\(interrupted) of \(returned)")
      try program.assertUntouched(progress: "returned")
    }

    @Test func `loses no signal`() throws {
      let program = try RunningProgram(fixture: "handler.c")
      let report = try SprofCommand.report(
        ["attach", "\(program.pid)", "--duration", "2s", "--rate", "1000"])
      #expect(report.cost.stops > 0)
      let figures = try program.figures()
      #expect(figures["lost"] == 0)
      try program.assertUntouched(progress: "handled")
    }

    @Test func `that a signal has stopped stays stopped, and is sampled`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
      program.send(signal: SIGSTOP)
      try waitUntil("it is stopped") {
        ProcessStatus.threads(of: program.pid)
          .allSatisfy { ProcessStatus(pid: program.pid, tid: $0)?.state == "T" }
      }
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "500ms"])
      try program.assertUntouched(isStopped: true)
      let run = try report.heaviestRun(of: try report.thread("spinner-0"))
      #expect(run.activity == "stopped")
      #expect(try report.functions(of: run).contains("compute"))
      program.send(signal: SIGCONT)
      try program.assertUntouched(progress: "iterations")
    }

    @Test(.enabled(if: Tool.isInstalled("strace"), "needs strace"))
    func `that strace holds is sampled without stops`() throws {
      try expectNoStops(under: ["strace", "-f", "-o", "/dev/null", "-p"])
    }

    @Test(.enabled(if: Tool.isInstalled("gdb"), "needs gdb"))
    func `that gdb holds is sampled without stops`() throws {
      try expectNoStops(
        under: ["gdb", "-nx", "-q", "-iex", "set debuginfod enabled off", "-ex", "continue", "-p"])
    }

    private func expectNoStops(under tracer: [String]) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["4"])
      let command = try StartedCommand(tracer + ["\(program.pid)"])
      try waitUntil("\(tracer[0]) has every thread, and lets it run") {
        ProcessStatus.threads(of: program.pid).allSatisfy { tid in
          guard let status = ProcessStatus(pid: program.pid, tid: tid) else { return false }
          return status.tracer == command.pid && status.state == "S"
        }
      }
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "500ms"])
      #expect(report.cost.stops == 0)
      #expect(report.capture.notes.contains { $0.contains(tracer[0]) }, "\(report.capture.notes)")
      #expect(report.allFunctions.contains("wait_for_condition"))
      command.send(SIGKILL)
      _ = try command.finish()
      try waitUntil("the tracer is gone") { ProcessStatus(pid: program.pid)?.tracer == 0 }
    }

    @Test func `whose main thread is a zombie is sampled through the others`() throws {
      let program = try RunningProgram(fixture: "leaderexit.c")
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "500ms"])
      #expect(report.allFunctions.contains("goes_on"))
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `that sleeps uninterruptibly is never stopped`() throws {
      let program = try RunningProgram(fixture: "vforkparent.c")
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "500ms"])
      let run = try report.heaviestRun(of: try report.thread())
      #expect(report.cost.stops == 0)
      #expect(run.activity == "uninterruptible")
      // glibc keeps vfork's return address in a register, which only a stop could tell: the stack
      // is either whole or says what it lacks.
      let functions = try report.functions(of: run)
      #expect(functions.contains("parent_of_vfork") || run.end == "unknownRegister")
      #expect(functions.first?.contains("vfork") == true)
      #expect(ProcessStatus(pid: program.pid)?.state == "D")
    }

    @Test(arguments: [["spin.c", "1", "20"], ["sleepers.c", "8", "1"]])
    func `runs on when sprof is killed at any moment`(fixture: [String]) throws {
      let program = try RunningProgram(fixture: fixture[0], Array(fixture.dropFirst()))
      for _ in 0..<Repository.trials(short: 10, full: 200) {
        let command = try StartedCommand(
          [SprofCommand.path, "attach", "\(program.pid)", "--rate", "2000"])
        // Any moment will do, those before the first sample included.
        usleep(UInt32.random(in: 0..<80_000))
        command.send(SIGKILL)
        _ = try command.finish()
        try program.assertUntouched(progress: "iterations")
      }
      expectNothingLeftBehind()
    }

    @Test(arguments: [["--rate", "4000"], ["--rate", "4000", "--children"]])
    func `runs on when Ctrl-Z stops sprof at any moment`(arguments: [String]) throws {
      let program = try RunningProgram(fixture: "spin.c", ["2", "60"])
      let command = try StartedCommand(
        [SprofCommand.path, "attach", "\(program.pid)"] + arguments, asJob: true)
      try waitUntil("sprof watches") { command.watches(program.pid) }
      for _ in 0..<Repository.trials(short: 20, full: 400) {
        command.send(SIGTSTP)
        try waitUntil("sprof is stopped") { ProcessStatus(pid: command.pid)?.state == "T" }
        try program.assertUntouched(progress: "iterations")
        command.send(SIGCONT)
        // Any moment will do.
        usleep(UInt32.random(in: 0..<20_000))
      }
      command.send(SIGINT)
      let outcome = try command.finish()
      #expect(outcome.status == 0, "\(outcome.stderr)")
      try program.assertUntouched(progress: "iterations")
      expectNothingLeftBehind()
    }
  }
}
