import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Dump` {
    @Test func `shows all eight threads, main first, with their system calls`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["7"])
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.capture.kind == "dump")
      #expect(report.threads.count == 8)
      #expect(report.threads.first?.main == true)
      #expect(try report.thread().systemCall?.name == "read")
      #expect(try report.thread().systemCall?.arguments.first?.value == 0)
      let calls = [("wait_for_condition", "futex"), ("read_from_pipe", "read")]
      for (index, (function, call)) in calls.enumerated() {
        let thread = try report.thread("sleeper-\(index)")
        let functions = try report.functions(of: report.heaviestRun(of: thread))
        #expect(functions.contains(function))
        #expect(functions.contains("sleeper"))
        #expect(thread.systemCall?.name == call)
        #expect(thread.state == "S")
      }
      #expect(try program.figure("wakeups") == 0)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `tells of each of many threads what it waits for, without a stop`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["499"])
      try program.awaitSleep()
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "--all"])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let groups = outcome.stdout.components(separatedBy: "\n\n")
      let expected = [
        ("Threads ×125 ", "waiting to read from a pipe"),
        ("Threads ×125 ", "waiting for events on a pipe"),
        ("124 idle worker threads ", "waiting for semaphore semaphore (sleepers.c)"),
        ("125 idle worker threads ", "waiting for condition variable condition (sleepers.c)"),
      ]
      for (heading, wait) in expected {
        let isTold = groups.contains { $0.hasPrefix(heading) && $0.contains(wait) }
        #expect(isTold, "\(wait): \(outcome.stdout)")
      }
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.threads.count == 500)
      #expect(report.cost.stops == 0)
      #expect(try program.figure("wakeups") == 0)
      try program.assertUntouched()
    }

    @Test func `names the program's own frames, with their lines`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["7"])
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      let own = report.frames.filter { frame in
        frame.module.map { report.modules[$0].path.hasSuffix("/sleepers") } ?? false
      }
      #expect(own.contains { $0.function == "main" })
      for frame in own {
        #expect(!frame.function.hasPrefix("0x"), "\(frame)")
        // The C library's start code has no debug data.
        guard frame.function != "_start" else { continue }
        #expect(frame.file != nil, "\(frame)")
        #expect((frame.line ?? 0) > 0, "\(frame)")
      }
    }

    @Test func `prints main first as text, too`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3"])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)"])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let text = outcome.stdout
      let main = try #require(text.range(of: "\(program.pid)"))
      let other = try #require(text.range(of: "sleeper-0"))
      #expect(main.lowerBound < other.lowerBound)
      #expect(text.contains("sleepers.c:"))
      #expect(text.contains("futex"))
    }

    @Test func `shows a running thread where it runs`() throws {
      let program = try RunningProgram(fixture: "spin.c", ["1", "200"])
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      let spinner = try report.thread("spinner-0")
      let functions = try report.functions(of: report.heaviestRun(of: spinner))
      #expect(functions.filter { $0 == "descend" }.count >= 199)
      #expect(spinner.cpuSinceStartNs > 0)
      try program.assertUntouched(progress: "iterations")
    }

    @Test func `shows a parent that waits for its child`() throws {
      let program = try RunningProgram(fixture: "forkchild.c")
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(try report.thread().systemCall?.name == "wait4")
      #expect(report.allFunctions.contains("wait_for_child"))
      try program.assertUntouched()
    }

    @Test func `shows a program whose main thread has ended`() throws {
      let program = try RunningProgram(fixture: "leaderexit.c")
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.allFunctions.contains("goes_on"))
      #expect(report.allFunctions.contains("commands"))
      try program.assertUntouched(progress: "iterations")
    }
  }
}
