import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What a person sees who attaches to a program, or dumps it, without further options.
  @Suite struct `The first screen` {
    /// The most lines of a program with few threads, and of any other.
    private enum Most {
      static let ofFew = 59
      static let ofMany = 89
    }

    @Test func `of the demo`() throws {
      let path = try Fixture.compile(source: "demo/hung.c")
      try expect(RunningProgram([path], ready: "locked"), "count_orders")
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"),
      arguments: [("owner", "wait_for_lock"), ("loop", "loop_for_ever")])
    func `of a window that hangs`(mode: String, function: String) throws {
      let server = try XServer()
      try expect(hungWindow(server, mode), function)
      withExtendedLifetime(server) {}
    }

    @Test(.enabled(if: Tool.isInstalled("chromium"), "needs Chromium"))
    func `of Chromium`() throws {
      let folder = try TemporaryFolder()
      let chromium = try RunningProgram(
        [
          "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
          "--user-data-dir=\(folder.path)", "about:blank",
        ], ready: nil)
      // It writes the file once it serves.
      try waitUntil("Chromium listens", deadline: .seconds(60)) {
        FileManager.default.fileExists(atPath: folder.path + "/DevToolsActivePort")
      }
      try expect(chromium, nil, atMost: Most.ofMany)
      try expect(chromium, nil, atMost: Most.ofMany, ["--children"])
    }

    @Test(.enabled(if: Tool.isInstalled("redis-benchmark"), "needs redis-server"))
    func `of redis under load`() throws {
      let redis = try RedisServer()
      let load = try RunningProgram(
        ["redis-benchmark", "-s", redis.socket, "-l", "-q", "-c", "8"], ready: nil)
      try expect(redis.pid, nil, atMost: Most.ofFew)
      load.kill()
    }

    @Test(.enabled(if: Tool.isInstalled("pgbench"), "needs PostgreSQL"))
    func `of PostgreSQL under load`() throws {
      let server = try PostgresServer()
      try server.startLoad()
      try waitUntil("pgbench's sessions are there") { server.processes.count >= 8 }
      let pid = try #require(server.processes.first)
      try expect(pid, nil, atMost: Most.ofMany, ["--children"])
    }

    @Test(.enabled(if: Tool.isInstalled("python3"), "needs python3"))
    func `of Python with nine threads`() throws {
      let interpreter = try #require(Interpreter.all.last)
      try expect(interpreter.start("workers.py"), "consume")
    }

    private static let ofSystem = Interpreter(
      name: "of the system", command: ["/usr/bin/python3"])

    @Test(.enabled(if: ofSystem.has(module: "numpy"), "needs numpy for the system's Python"))
    func `of Python with numpy`() throws {
      let numpy = try RunningProgram(
        Self.ofSystem.command + [Repository.path("Fixtures/python/workers.py"), "numpy"])
      try expect(numpy, "multiply")
    }

    @Test func `of C++ with 41 threads and long templates`() throws {
      let program = try RunningProgram(
        fixture: "templates.cpp", compiler: "c++", flags: ["-g", "-O1", "-std=c++17"])
      try expect(program, "::settle<", atMost: Most.ofMany)
    }

    @Test func `of 101 processes`() throws {
      let program = try RunningProgram(fixture: "crowd.c", ["processes", "100"])
      try expect(program, "recount", atMost: Most.ofMany, ["--children"])
    }

    @Test func `of 1,000 threads`() throws {
      let program = try RunningProgram(fixture: "crowd.c", ["threads", "999"])
      try expect(program, "recount", atMost: Most.ofMany)
    }

    @Test func `of a program that is fine`() throws {
      try expect(RunningProgram(fixture: "pool.c", ["idle"]), nil)
    }

    // MARK: - What is expected

    private func expect(
      _ program: RunningProgram, _ culprit: String?, atMost most: Int = Most.ofFew,
      _ options: [String] = []
    ) throws {
      try expect(program.pid, culprit, atMost: most, options)
      try program.assertUntouched()
    }

    /// Expects that the report and the dump fit, and name the function that is to blame in their first 25
    /// lines.
    ///
    /// On a busy machine a capture may be of a moment in which that function got no CPU.
    private func expect(
      _ pid: Int32, _ culprit: String?, atMost most: Int, _ options: [String] = []
    ) throws {
      for command in [["attach", "--duration", "2s"], ["dump"]] {
        var texts: [String] = []
        var isNamed = false
        for _ in 0..<4 where !isNamed {
          let outcome = try SprofCommand.run(
            [command[0], "\(pid)"] + command.dropFirst() + options, timeout: .seconds(300))
          #expect(outcome.status == 0, "\(outcome.stderr)")
          let lines = outcome.stdout.split(separator: "\n", omittingEmptySubsequences: false)
          #expect(lines.count - 1 <= most, "\(outcome.stdout)")
          #expect(lines.allSatisfy { $0.count <= 100 }, "\(outcome.stdout)")
          let beginning = lines.prefix(25)
          isNamed = culprit.map { name in beginning.contains { $0.contains(name) } } ?? true
          texts.append(outcome.stdout)
        }
        #expect(isNamed, "\(culprit ?? "") is not in \(texts)")
      }
    }
  }
}
