import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Children` {
    /// The processes of a report by number, each with its threads.
    private func processes(_ report: Report) throws -> [Int32: [Report.Thread]] {
      Dictionary(grouping: report.threads) { $0.pid ?? 0 }
    }

    private func functions(_ report: Report, _ threads: [Report.Thread]) throws -> Set<String> {
      Set(try threads.flatMap(\.runs).flatMap { try report.functions(of: $0) })
    }

    /// CPU time that a process has used, as the kernel counts it, in nanoseconds.
    private func cpu(of pid: Int32) throws -> Int64 {
      let text = try String(contentsOfFile: "/proc/\(pid)/schedstat", encoding: .utf8)
      return try #require(text.split(separator: " ").first.flatMap { Int64($0) })
    }

    /// The family fixture, whose fourth child is the spin fixture.
    private func family() throws -> RunningProgram {
      let spin = try Fixture.compile(source: "spin.c")
      return try RunningProgram(fixture: "family.c", [spin, "1", "20"])
    }

    private func assertUntouched(_ program: RunningProgram, _ others: [Int32]) throws {
      try program.assertUntouched()
      for pid in others {
        let status = try #require(ProcessStatus(pid: pid))
        #expect(status.tracer == 0)
        #expect(status.state != "T" && status.state != "t")
      }
      expectNothingLeftBehind()
    }

    @Test func `are sampled with the program, each by itself`() throws {
      let program = try family()
      let children = children(of: program.pid)
      #expect(children.count == 4)
      let before = try children.map { try cpu(of: $0) }
      let report = try SprofCommand.report([
        "attach", "\(program.pid)", "--children", "--duration", "1s",
      ])
      let after = try children.map { try cpu(of: $0) }
      let processes = try processes(report)
      #expect(Set(processes.keys) == Set(children + [program.pid]))
      #expect(report.threads.first?.pid == program.pid)
      #expect(report.threads.first?.process == "family")
      #expect(try functions(report, processes[program.pid] ?? []).contains("answer"))

      let works = ["first_work", "second_work", "third_work"]
      for (place, child) in children.enumerated() {
        let threads = try #require(processes[child])
        let name = try #require(threads.first { $0.main }?.process)
        let seen = try functions(report, threads)
        if let number = Int(name.dropFirst("worker-".count)), name.hasPrefix("worker-") {
          #expect(seen.intersection(works) == [works[number]], "\(name)")
          let used = threads.reduce(0) { $0 + $1.cpuNs }
          #expect(used > 0 && used <= after[place] - before[place], "\(name)")
          #expect(threads.flatMap(\.runs).reduce(0) { $0 + $1.cpuNs } == used, "\(name)")
        } else {
          #expect(name == "spin")
          #expect(threads.contains { $0.name == "spinner-0" })
          #expect(seen.contains("compute"))
        }
      }
      try assertUntouched(program, children)
    }

    @Test func `are left alone unless asked for`() throws {
      let program = try family()
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "300ms"])
      #expect(Set(report.threads.map(\.pid)) == [program.pid])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "300ms"])
      #expect(!outcome.stdout.contains("worker-0") && !outcome.stdout.contains("Processes:"))
    }

    @Test func `are shown as process, number and thread, process by process`() throws {
      let program = try family()
      let spin = try #require(
        children(of: program.pid).first { ProcessStatus(pid: $0)?.name == "spin" })
      let outcome = try SprofCommand.run([
        "attach", "\(program.pid)", "--children", "--duration", "500ms", "--view", "threads",
      ])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("Processes: 5"), "\(outcome.stdout)")
      for name in ["family[\(program.pid)]/family", "spin[\(spin)]/spinner-0"] {
        #expect(outcome.stdout.contains(name), "\(outcome.stdout)")
      }
      let chosen = try SprofCommand.report([
        "attach", "\(program.pid)", "--children", "--duration", "500ms", "--thread",
        "spin[[]*]/spinner-?",
      ])
      #expect(chosen.threads.map(\.name) == ["spinner-0"])
    }

    @Test func `are sampled again and again when the program is watched`() throws {
      let program = try family()
      let folder = try TemporaryFolder()
      let file = folder.path + "/text"
      let command = try StartedCommand([
        "/bin/sh", "-c", "exec \"$0\" \"$@\" > '\(file)'", SprofCommand.path, "dump",
        "\(program.pid)", "--watch", "100ms", "--children",
      ])
      let children = children(of: program.pid)
      let text = { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
      try waitUntil("a further sample") {
        text().contains("ran, now back") || text().contains("moved")
      }
      #expect(text().contains("worker-0[\(children[0])]"))
      // One that ends is told of, too.
      kill(children[0], SIGKILL)
      try waitUntil("a child's end") { text().contains("worker-0[\(children[0])] ended") }
      command.send(SIGINT)
      #expect(try command.finish().status == 0)
      try assertUntouched(program, Array(children.dropFirst()))
    }

    @Test func `have no names of the user in a redacted report`() throws {
      let folder = try TemporaryFolder()
      let spin = folder.path + "/annabel-spin"
      try FileManager.default.copyItem(
        atPath: try Fixture.compile(source: "spin.c"), toPath: spin)
      let program = try RunningProgram(fixture: "family.c", [spin, "1", "20"])
      let page = folder.path + "/page"
      for arguments in [
        ["dump", "\(program.pid)"], ["dump", "\(program.pid)", "--json"],
        ["attach", "\(program.pid)", "--duration", "300ms"],
        ["attach", "\(program.pid)", "--duration", "300ms", "--json"],
        ["attach", "\(program.pid)", "--duration", "300ms", "--html", page],
        ["dump", "\(program.pid)", "--thread", "none"],
      ] {
        let command = [SprofCommand.path] + arguments + ["--children"]
        let user = ["USER": "annabel"]
        let plain = try run(command, environment: user)
        let masked = try run(command + ["--redact"], environment: user)
        // The names are there to be found.
        #expect((plain.stdout + plain.stderr).contains("annabel-spin"), "\(arguments)")
        #expect(!(masked.stdout + masked.stderr).contains("annabel"), "\(arguments)")
      }
      let html = try String(contentsOfFile: page, encoding: .utf8)
      #expect(html.contains("…-spin") && !html.contains("annabel"))
      try program.assertUntouched()
    }

    @Test func `are dumped with the program`() throws {
      let program = try family()
      let children = children(of: program.pid)
      let report = try SprofCommand.report(["dump", "\(program.pid)", "--children"])
      #expect(report.capture.kind == "dump")
      #expect(Set(report.threads.compactMap(\.pid)) == Set(children + [program.pid]))
      #expect(report.allFunctions.isSuperset(of: ["first_work", "second_work", "third_work"]))
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "--children"])
      #expect(outcome.stdout.contains("\"family[\(program.pid)]/family\" (main)"))
      try assertUntouched(program, children)
    }

    @Test func `have their own program's functions in a dump`() throws {
      let spin = try Fixture.compile(source: "spin.c")
      let program = try RunningProgram(["sh", "-c", "'\(spin)' 1 20; :"])
      let child = try #require(children(of: program.pid).first)
      defer { kill(child, SIGKILL) }
      let report = try SprofCommand.report(["dump", "\(program.pid)", "--children"])
      let spinner = try report.thread("spinner-0")
      let functions = try functions(report, [spinner])
      #expect(functions.isSuperset(of: ["compute", "descend", "spinner"]), "\(functions)")
      try assertUntouched(program, [child])
    }

    @Test(.enabled(if: Tool.isInstalled("python3"), "needs python3"))
    func `let threads in a dump wait for what they wait for without them`() throws {
      // A sample of the child asks who is at the other end of its pipe, and what that waits for.
      let script = """
        import concurrent.futures, os, signal, time
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        pool = concurrent.futures.ThreadPoolExecutor(3, thread_name_prefix="crew")
        list(pool.map(time.sleep, [0.05] * 3))
        print("ready", flush=True)
        signal.pause()
        """
      let program = try RunningProgram(["python3", "-c", script])
      let child = try #require(children(of: program.pid).first)
      // Its threads have been asleep for a while.
      usleep(200_000)
      for _ in 0..<3 {
        let text = try SprofCommand.run(
          ["dump", "\(program.pid)", "--children", "--all"]).stdout
        #expect(text.contains("3 idle worker threads"), "\(text)")
        #expect(!text.contains("for futex"), "\(text)")
      }
      try assertUntouched(program, [child])
    }

    @Test(arguments: ["dump", "attach"])
    func `that hang are said to, with their locks`(command: String) throws {
      let rings = try Fixture.compile(source: "cycles.c")
      let program = try RunningProgram(fixture: "family.c", [rings, "mutex"])
      let children = children(of: program.pid)
      let hung = try #require(children.last)
      let arguments = command == "dump" ? [] : ["--duration", "1500ms"]
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture"
      let outcome = try SprofCommand.run(
        [command, "\(program.pid)", "--children", "-o", file] + arguments)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let text = outcome.stdout.replacingOccurrences(of: "\n", with: " ")
      #expect(text.hasPrefix("Deadlock: \"worker-0\" ("), "\(text.prefix(600))")
      for word in ["of cycles[\(hung)]", "orders_lock (cycles.c)", "audit_lock (cycles.c)"] {
        #expect(text.contains(word), "\(word): \(text.prefix(600))")
      }
      #expect(try SprofCommand.run(["report", file]).stdout == outcome.stdout)
      try assertUntouched(program, children)
    }

    @Test(.enabled(if: Tool.isInstalled("make"), "needs make"))
    func `of make are sampled as they come and go`() throws {
      let brief = try Fixture.compile(source: "brief.c")
      let folder = try TemporaryFolder()
      let rules = "all: a b c d\na b c d:\n\t@'\(brief)' 250\n"
      try Data(rules.utf8).write(to: URL(fileURLWithPath: folder.path + "/Makefile"))
      let file = folder.path + "/report"
      let outcome = try SprofCommand.run([
        "run", "--children", "--json", "--report", file, "--", "make", "-C", folder.path, "-j2",
      ])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let report = try Report(json: String(contentsOfFile: file, encoding: .utf8))
      let processes = try processes(report)
      let workers = processes.values.filter { $0.contains { $0.process == "brief" } }
      #expect(workers.count == 4)
      for threads in workers {
        let runs = threads.flatMap(\.runs)
        let working = try runs.filter { try report.functions(of: $0).contains("work_hard") }
        let all = runs.reduce(0) { $0 + $1.cpuNs }
        #expect(working.reduce(0) { $0 + $1.cpuNs } * 2 > all)
      }
      // Two at a time: the third begins when one has ended.
      let starts = workers.compactMap { $0.flatMap(\.runs).map(\.startNs).min() }.sorted()
      let ends = workers.compactMap { $0.flatMap(\.runs).map { $0.startNs + $0.wallNs }.max() }
        .sorted()
      #expect(starts[2] > starts[0] && starts[2] > ends[0] - 50_000_000, "\(starts) \(ends)")
      #expect(report.threads.first?.process == "make")
      expectNothingLeftBehind()
    }

    @Test(
      .enabled(if: Tool.isInstalled("python3"), "needs python3"), arguments: ["fork", "spawn"])
    func `of Python's multiprocessing are sampled`(method: String) throws {
      let folder = try TemporaryFolder()
      let script = """
        import multiprocessing, os, time
        def work(number):
            end = time.process_time() + 0.3
            while time.process_time() < end:
                sum(range(1000))
            return os.getpid()
        if __name__ == "__main__":
            context = multiprocessing.get_context("\(method)")
            workers = [context.Process(target=work, args=(n,)) for n in range(3)]
            for worker in workers: worker.start()
            print(*[worker.pid for worker in workers], os.getpid())
            for worker in workers: worker.join()
        """
      let program = folder.path + "/program.py"
      try Data(script.utf8).write(to: URL(fileURLWithPath: program))
      let file = folder.path + "/capture"
      let outcome = try SprofCommand.run([
        "run", "--children", "-o", file, "--report", "/dev/null", "--", "python3", program,
      ])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let pids = outcome.stdout.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
      #expect(pids.count == 4)
      let report = try SprofCommand.report(["report", file])
      let processes = try processes(report)
      for pid in pids {
        let threads = try #require(processes[pid], "\(pid) of \(processes.keys)")
        #expect(threads.contains { $0.process?.hasPrefix("python3") == true })
      }
      for pid in pids.prefix(3) {
        let cpu = (processes[pid] ?? []).reduce(0) { $0 + $1.cpuNs }
        // It used 0.3 s by its own count.
        #expect(cpu > 150_000_000, "\(pid): \(cpu)")
      }
      expectNothingLeftBehind()
    }

    @Test func `that end at once by the hundred break nothing`() throws {
      let swarm = try Fixture.compile(source: "swarm.c")
      let outcome = try SprofCommand.run([
        "run", "--children", "--report", "/dev/null", "--", swarm, "500",
      ])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout == "{\"ended\": 500, \"failed\": 0}\n")

      let program = try RunningProgram(fixture: "swarm.c")
      let report = try SprofCommand.report([
        "attach", "\(program.pid)", "--children", "--duration", "2s",
      ])
      #expect(report.threads.filter { $0.pid == program.pid && $0.name == "starter" }.count == 2)
      let figures = try program.figures()
      #expect(figures["failed"] == 0)
      try program.assertUntouched(progress: "ended")
      expectNothingLeftBehind()
    }

    @Test func `are in the capture file, which is reported as attach reported it`() throws {
      let program = try family()
      let folder = try TemporaryFolder()
      for (number, options) in [[], ["--json"], ["--view", "timeline"]].enumerated() {
        let file = folder.path + "/\(number)"
        let attach = try SprofCommand.run(
          ["attach", "\(program.pid)", "--children", "--duration", "500ms", "-o", file] + options)
        #expect(attach.status == 0, "\(attach.stderr)")
        #expect(try SprofCommand.run(["report", file] + options).stdout == attach.stdout)
      }
      let merged = folder.path + "/merged"
      let files = ["0", "1"].map { folder.path + "/" + $0 }
      #expect(try SprofCommand.run(["merge"] + files + ["-o", merged]).status == 0)
      let names = try SprofCommand.report(["report", merged]).threads.map(\.name)
      #expect(names.contains { $0.contains("/worker-0[") }, "\(names)")
    }

    @Test func `are in the growing file but for its last second when sprof is killed`() throws {
      let program = try family()
      let folder = try TemporaryFolder()
      let clock = ContinuousClock()
      for trial in 0..<Repository.trials(short: 3, full: 40) {
        let file = folder.path + "/\(trial)"
        let command = try SprofCommand.startAttach(to: program, ["--children", "-o", file])
        let begin = clock.now
        usleep(UInt32.random(in: 2_000_000..<4_000_000))
        // What its threads waited for a CPU they could not write.
        let starved = runDelay(of: command.pid)
        command.send(SIGKILL)
        let lived = (clock.now - begin - starved) / .seconds(1)
        _ = try command.finish()
        let report = try SprofCommand.report(["report", file + ".partial"])
        #expect(report.capture.ending == "unfinished")
        let processes = try processes(report)
        #expect(processes.count == 5, "trial \(trial)")
        for (pid, threads) in processes {
          let seen = threads.flatMap(\.runs).map { $0.startNs + $0.wallNs }.max() ?? 0
          // A quarter of a second for five captures at once.
          #expect(Double(seen) / 1e9 > lived - 1.25, "trial \(trial), \(pid)")
        }
        #expect(report.allFunctions.isSuperset(of: ["first_work", "third_work", "compute"]))
      }
      try assertUntouched(program, children(of: program.pid))
    }

    @Test(.enabled(if: Repository.isRoot && Tool.isInstalled("setpriv"), "needs root and setpriv"))
    func `that may not be watched are named in a note`() throws {
      let folder = try TemporaryFolder()
      chmod(folder.path, 0o755)
      let sprof = folder.path + "/sprof"
      try FileManager.default.copyItem(atPath: SprofCommand.path, toPath: sprof)
      let sleeper = folder.path + "/other"
      try FileManager.default.copyItem(atPath: try #require(Tool.path("sleep")), toPath: sleeper)
      chmod(sleeper, 0o4755)
      let outcome = try run([
        "setpriv", "--reuid", "65534", "--clear-groups", sprof, "run", "--children", "--", "sh",
        "-c", "'\(sleeper)' 0.3; exit 4",
      ])
      #expect(outcome.status == 4)
      let text = outcome.stderr.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(text.contains("Not allowed to trace 1 process: other["), "\(text)")
    }
  }
}
