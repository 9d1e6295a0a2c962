import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Programs that freeze now and then, and say for how long.
  @Suite struct `A freeze` {
    private static let ofSystem = Interpreter(
      name: "of the system", command: ["/usr/bin/python3"])

    @Test(
      .enabled(if: Tool.isInstalled("python3"), "needs python3"),
      arguments: Interpreter.onePerLayout)
    func `of an event loop of Python has its handler, cause and length`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("freezing.py", ["asyncio", "2"])
      try FreezeTrial(["save_settings": "slept", "reindex": "computed"]).expect(of: program)
    }

    @Test(.enabled(if: Tool.isInstalled("python3"), "needs python3"))
    func `for a lock of Python names who held it, also in the middle of a capture`() throws {
      let interpreter = try #require(Interpreter.all.last)
      let program = try interpreter.start("freezing.py", ["asyncio", "lock"])
      let reports = try FreezeTrial(["wait_for_holder": "lock"]).expect(of: program)
      // Looks at such locks take 1 % of a core at most: a debug build may miss one of three.
      for report in reports {
        let freezes = report.freezes?.list ?? []
        #expect(freezes.contains { $0.ownerDid == "slept" }, "\(freezes.map(\.words))")
        #expect(freezes.allSatisfy { $0.ownerDid == nil || $0.ownerDid == "slept" })
      }
    }

    @Test(.enabled(if: Tool.isInstalled("python3"), "needs python3"))
    func `is not claimed of a storm of handlers that sleep for a moment`() throws {
      let interpreter = try #require(Interpreter.all.last)
      let program = try interpreter.start("freezing.py", ["asyncio", "storm"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture"
      let command = try SprofCommand.startAttach(to: program, ["-o", file])
      try program.send(line: "go")
      #expect(try program.readLine(deadline: .seconds(60)) == "done")
      command.send(SIGINT)
      #expect(try command.finish().status == 0)
      let report = try SprofCommand.report(["report", file])
      let words = report.verdict?.words ?? ""
      #expect(report.freezes?.list.isEmpty == true, "\(words)")
      #expect(report.freezes?.threads.contains { !$0.unclear.isEmpty } == true, "\(words)")
      #expect(words.contains("may have frozen"), "\(words)")
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && Interpreter.all.contains { $0.has(module: "tkinter") },
        "needs Xvfb and Python's tkinter"))
    func `of Tk`() throws {
      let server = try XServer()
      let interpreter = try #require(Interpreter.all.last { $0.has(module: "tkinter") })
      let program = try RunningProgram(
        interpreter.command + [Repository.path("Fixtures/python/freezing.py"), "tk", "2"],
        environment: interpreter.environment.merging(["DISPLAY": server.display]) { $1 })
      try FreezeTrial(["save_settings": "slept", "reindex": "computed"]).expect(of: program)
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && ofSystem.has(module: "PyQt5"), "needs Xvfb and PyQt5"))
    func `of Qt`() throws {
      let server = try XServer()
      let program = try RunningProgram(
        Self.ofSystem.command + [Repository.path("Fixtures/python/freezing.py"), "qt", "2"],
        environment: ["DISPLAY": server.display, "XDG_RUNTIME_DIR": "/tmp"])
      try FreezeTrial(["save_settings": "slept", "reindex": "computed"]).expect(of: program)
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
    func `of a window has its handler, cause and length, and the lock's owner`() throws {
      let server = try XServer()
      let program = try freezingWindow(server, "2")
      let causes = ["save_settings": "slept", "wait_for_loader": "lock", "reindex": "computed"]
      let reports = try FreezeTrial(causes).expect(of: program)
      for wait in reports.flatMap({ $0.freezes?.list ?? [] }) where wait.cause == "lock" {
        #expect(wait.waitObject == "orders")
        #expect(["computed", "cpu"].contains(wait.ownerDid))
      }
    }

    @Test(.enabled(if: Tool.isInstalled("node"), "needs node"))
    func `of node is found in its loop`() throws {
      let program = try RunningProgram(["node", Repository.path("Fixtures/runtimes/freezing.js")])
      try FreezeTrial(nil).expect(of: program)
    }

    @Test(.enabled(if: Tool.isInstalled("redis-cli"), "needs redis-server"))
    func `of redis is its slow command`() throws {
      let redis = try RedisServer(["--enable-debug-command", "yes"])
      let capture = try StartedCommand(
        [SprofCommand.path, "attach", "\(redis.pid)", "--json"])
      try waitUntil("sprof watches redis") { capture.watches(redis.pid) }
      try redis.send("DEBUG", "SLEEP", "0.4")
      let script = "local s = 0 for i = 1, 30000000 do s = s + i end return s"
      try redis.send("EVAL", script, "0")
      try redis.send("PING")
      capture.send(SIGINT)
      let report = try Report(capture.finish())
      let list = report.freezes?.list ?? []
      #expect(list.first?.handlerFunction == "debugCommand", "\(report.verdict?.words ?? "")")
      #expect(list.first?.cause == "slept")
      let length = Double(list.first?.lengthNs ?? 0) / 1e9
      #expect(abs(length - 0.4) < 0.1)
      #expect(list.dropFirst().allSatisfy { $0.cause != "slept" })
      expectNothingLeftBehind()
    }

    /// Of the processes of a page one runs its scripts: the one that used most CPU time.
    @Test(.enabled(if: Tool.isInstalled("chromium"), "needs Chromium"))
    func `of a page that blocks Chromium is found without names`() throws {
      let folder = try TemporaryFolder()
      let page = folder.path + "/page.html"
      let script =
        "setInterval(() => { const end = performance.now() + 1500;"
        + " while (performance.now() < end); }, 4000)"
      try "<title>page</title><script>\(script)</script>".write(
        toFile: page, atomically: true, encoding: .utf8)
      let chromium = try RunningProgram(
        [
          "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
          "--user-data-dir=" + folder.path, "file://" + page,
        ], ready: nil)
      var renderer: Int32 = 0
      // On a busy machine a process without a page takes a second to start, too.
      try waitUntil("a page has computed for three seconds", deadline: .seconds(120)) {
        usleep(200_000)
        let times = descendants(of: chromium.pid).filter(isRenderer).map { ($0, cpuTime(of: $0)) }
        let busiest = times.max { $0.1 < $1.1 }
        renderer = busiest?.0 ?? 0
        return (busiest?.1 ?? 0) > 3_000_000_000
      }
      let report = try SprofCommand.report(["attach", "\(renderer)", "--duration", "12s"])
      let list = report.freezes?.list ?? []
      let words = "\(report.verdict?.words ?? "")"
      #expect(list.allSatisfy { $0.loop == "Chromium's message loop" }, "\(words)")
      // Two or three in 12 s, of which one may be cut off; by the clock, however busy the machine is.
      #expect(list.contains { abs(Double($0.lengthNs) / 1e9 - 1.5) < 0.1 }, "\(words)")
      #expect(report.verdict?.kind == "froze", "\(words)")
      chromium.kill()
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
    func `is not a window that draws all the time`() throws {
      let server = try XServer()
      let program = try freezingWindow(server, "animate")
      try expectNoFreeze(of: program)
    }

    @Test(
      .enabled(if: Tool.isInstalled("python3"), "needs python3"))
    func `is not an event loop of Python that draws all the time`() throws {
      let interpreter = try #require(Interpreter.all.last)
      let program = try interpreter.start("freezing.py", ["asyncio", "animate"])
      try expectNoFreeze(of: program)
    }

    @Test(.enabled(if: Tool.isInstalled("redis-benchmark"), "needs redis-server"))
    func `is not a server under load`() throws {
      let redis = try RedisServer()
      let load = try RunningProgram(
        ["redis-benchmark", "-s", redis.socket, "-l", "-q", "-c", "8"], ready: nil)
      for _ in 0..<Repository.trials(short: 1, full: 50) {
        let report = try SprofCommand.report(["attach", "\(redis.pid)", "--duration", "2s"])
        #expect(report.freezes?.list.isEmpty == true, "\(report.verdict?.words ?? "")")
      }
      load.kill()
      expectNothingLeftBehind()
    }
  }
}

/// The processes that a process has started, and those that they have.
private func descendants(of pid: Int32) -> [Int32] {
  children(of: pid).flatMap { [$0] + descendants(of: $0) }
}

private func isRenderer(_ pid: Int32) -> Bool {
  let command = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
  return command?.contains("--type=renderer") ?? false
}

/// A window of GTK 3 that freezes, or draws.
private func freezingWindow(_ server: XServer, _ mode: String) throws -> RunningProgram {
  try RunningProgram(
    fixture: "gtk_freeze.c", [mode],
    flags: ["-g", "-O1"] + Fixture.flags(forLibrary: "gtk+-3.0"),
    environment: ["DISPLAY": server.display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"])
}

private func expectNoFreeze(of program: RunningProgram) throws {
  try program.send(line: "go")
  for _ in 0..<Repository.trials(short: 1, full: 50) {
    let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "2s"])
    #expect(report.freezes?.list.isEmpty == true, "\(report.verdict?.words ?? "")")
    #expect(report.verdict?.kind != "froze")
  }
  try program.assertUntouched()
  expectNothingLeftBehind()
}

/// A program that freezes at the line `go`, and then says how long each freeze was.
private struct FreezeTrial {
  /// By handler what it does; nil where the handlers have no names.
  let causes: [String: String]?

  init(_ causes: [String: String]?) { self.causes = causes }

  /// Captures the program from before its freezes until after them; in trials 20 times.
  @discardableResult
  func expect(of program: RunningProgram) throws -> [Report] {
    let reports = try (0..<Repository.trials(short: 1, full: 20)).map { _ in
      try capture(program)
    }
    try program.assertUntouched()
    expectNothingLeftBehind()
    return reports
  }

  private func capture(_ program: RunningProgram) throws -> Report {
    let folder = try TemporaryFolder()
    let file = folder.path + "/capture"
    let command = try SprofCommand.startAttach(to: program, ["-o", file])
    try program.send(line: "go")
    let line = try program.readLine(deadline: .seconds(60))
    command.send(SIGINT)
    let outcome = try command.finish()
    #expect(outcome.status == 0, "\(outcome.stderr)")
    let truth = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    let report = try SprofCommand.report(["report", file])
    let list = report.freezes?.list ?? []
    let words = "\(report.verdict?.words ?? "") \(truth)"
    // Samples cannot always tell a computation from many short handlers; waits they can.
    let unclear = (report.freezes?.threads.first { $0.tid == program.pid }?.unclear ?? [])
      // A busy machine keeps the loop itself from a CPU now and then, for less than any handler takes.
      .filter { $0.cause != "cpu" || $0.lengthNs > 200_000_000 }
    let found = (list.map { ($0.startNs, $0.lengthNs) } + unclear.map { ($0.startNs, $0.lengthNs) })
      .sorted { $0.0 < $1.0 }
    #expect(found.count == truth.count, "\(words)")
    #expect(list.count >= (truth.count + 1) / 2, "\(words)")
    // Each end is known to the period of 10 ms, where no tick was late; that of a computation may be at the
    // next sample but one or two, if these find the thread running, too.
    let tolerance = report.cost.ticksLate == 0 ? 0.0505 : 0.3
    for ((_, found), length) in zip(found, truth) {
      #expect(abs(Double(found) / 1e9 - length) < tolerance, "\(words)")
    }
    if let causes {
      let waits = causes.filter { $0.value != "computed" }
      #expect(Set(list.compactMap(\.handlerFunction)).isSuperset(of: waits.keys), "\(words)")
      for freeze in list {
        // On a loaded machine most of a computation may go by without a CPU.
        let isStarved = freeze.cause == "cpu" && freeze.lengthNs > 400_000_000
        let cause = isStarved ? "computed" : freeze.cause
        #expect(causes[freeze.handlerFunction ?? ""] == cause, "\(words)")
        #expect(freeze.handlerLine ?? 0 > 0)
      }
      #expect(report.verdict?.kind == "froze", "\(words)")
    }
    #expect(list.allSatisfy { $0.loop != nil })
    if Repository.isTrial { print("freeze trial: \(words)") }
    return report
  }
}
