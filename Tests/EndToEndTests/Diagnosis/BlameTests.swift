import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Against programs that record who did what when.
  @Suite struct `Blame` {
    /// What one of the program's threads did for a time, in nanoseconds since 1970.
    private struct Stretch: Decodable {
      let who: String
      let did: String
      let start: Int64
      let end: Int64
    }

    private struct Tree: Decodable {
      struct Node: Decodable {
        let kind: String
        let parent: Int?
        let pid: Int32?
        let tid: Int32?
        let name: String?
        let wait: Int?
        let function: String?
        let total_ns: Int64
      }

      struct Wait: Decodable {
        struct Lock: Decodable { let variable: String? }
        let kind: String
        let object: Lock?
      }

      let nodes: [Node]
      let waits: [Wait]
    }

    private struct Document: Decodable {
      struct Capture: Decodable {
        let pid: Int32
        let start_time: Double
        let duration_ns: Int64
      }

      struct Thread: Decodable {
        struct Run: Decodable { let wall_ns: Int64 }
        let tid: Int32
        let runs: [Run]
      }

      struct Cost: Decodable {
        let ticks_planned: Int64
        let ticks_late: Int64
      }

      let capture: Capture
      let cost: Cost
      let threads: [Thread]
      let blame: Tree
    }

    private struct Measured {
      let document: Document
      let truth: [Stretch]

      /// Nanoseconds below the main thread at a path: `wait`, the name of an owner, or a function.
      func time(_ path: [String]) -> Int64 {
        let nodes = document.blame.nodes
        var found = Set(
          nodes.indices.filter {
            nodes[$0].parent == nil && nodes[$0].tid == document.capture.pid
          })
        for step in path {
          found = Set(
            nodes.indices.filter { index in
              nodes[index].parent.map(found.contains) ?? false && isMeant(nodes[index], by: step)
            })
        }
        return found.reduce(0) { $0 + nodes[$1].total_ns }
      }

      /// Percent of the capture's length by which a time may be wrong.
      var allowedError: Double {
        // On a busy machine a sample comes late, and stands for more than its period.
        2 + Double(document.cost.ticks_late) / Double(max(document.cost.ticks_planned, 1)) * 10
      }

      private func isMeant(_ node: Tree.Node, by step: String) -> Bool {
        switch node.kind {
        case "thread": node.name == step
        case "wait": step == "wait" || node.wait.map { document.blame.waits[$0].kind } == step
        case "computed", "runnable": node.function == step
        default: node.kind == step
        }
      }

      /// Nanoseconds of the capture in which all of these were done at once.
      func truth(_ wanted: [(who: String, did: String)]) -> Int64 {
        let start = Int64(document.capture.start_time * 1e9)
        var times = [(start, start + document.capture.duration_ns)]
        for part in wanted {
          let stretches = truth.filter { $0.who == part.who && $0.did == part.did }
          times = times.flatMap { time in
            stretches.compactMap { stretch in
              let (from, until) = (max(time.0, stretch.start), min(time.1, stretch.end))
              return from < until ? (from, until) : nil
            }
          }
        }
        return times.reduce(0) { $0 + $1.1 - $1.0 }
      }
    }

    private func measure(
      _ mode: String, options: [String] = [], duration: String = "5s"
    ) throws -> Measured {
      try measure(
        RunningProgram(fixture: "blame.c", [mode]), options: options, duration: duration)
    }

    private func measure(
      _ program: RunningProgram, options: [String] = [], duration: String = "5s"
    ) throws -> Measured {
      let outcome = try SprofCommand.run(
        // At 100 Hz chance alone moves a time of 100 changes by 0.8 % (one in 40 by over 2 %).
        ["attach", "\(program.pid)", "--duration", duration, "--rate", "500", "--json"] + options)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      try program.send(line: "report")
      let truth = try JSONDecoder().decode([Stretch].self, from: Data(program.readLine().utf8))
      let document = try JSONDecoder().decode(Document.self, from: Data(outcome.stdout.utf8))
      try program.assertUntouched()
      expectNothingLeftBehind()
      let measured = Measured(document: document, truth: truth)
      // Rows add up to the wall time, to the nanosecond.
      let main = try #require(document.threads.first { $0.tid == program.pid })
      #expect(measured.time([]) == main.runs.reduce(0) { $0 + $1.wall_ns })
      return measured
    }

    /// Expects that a time is right within two percent of the capture's length.
    private func expect(
      _ time: Int64, near truth: Int64, of measured: Measured, _ what: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let whole = Double(measured.document.capture.duration_ns)
      let error = abs(Double(time - truth)) / whole * 100
      #expect(
        error < measured.allowedError, "\(what): \(time) ns, not \(truth), \(error) % off",
        sourceLocation: sourceLocation)
      #expect(
        truth > measured.document.capture.duration_ns / 10, "\(what) takes long enough to tell")
    }

    @Test func `charges a lock's wait to what its owner computes`() throws {
      for _ in 0..<Repository.trials(short: 1, full: 20) {
        let measured = try measure("lock")
        expect(
          measured.time(["wait", "network", "compute_prices"]),
          near: measured.truth([("main", "wait"), ("network", "compute")]), of: measured, "lock")
        #expect(measured.document.blame.waits.contains { $0.object?.variable == "orders_lock" })
      }
    }

    @Test func `follows a chain through a pipe to another process that computes`() throws {
      for _ in 0..<Repository.trials(short: 1, full: 20) {
        let measured = try measure("pipe", options: ["--peers"], duration: "6s")
        let truth = [("main", "wait"), ("network", "ask"), ("backend", "compute")]
        expect(
          measured.time(["wait", "network", "compute_prices"]),
          near: measured.truth([("main", "wait"), ("network", "compute")]), of: measured, "lock")
        expect(
          // The way into the wait and out of it is the function's, too.
          measured.time(["wait", "network", "wait"])
            + measured.time(["wait", "network", "ask_server"]),
          near: measured.truth([("main", "wait"), ("network", "ask")]), of: measured, "pipe")
        // The other process is found some time after the capture has begun.
        let peer = measured.time(["wait", "network", "wait", "backend", "parse_reply"])
        let found = measured.truth(truth)
        #expect(
          Double(peer) > Double(found) * 0.8 && peer < found + 120_000_000, "\(peer), \(found)")
      }
    }

    @Test func `follows a chain of three threads`() throws {
      for _ in 0..<Repository.trials(short: 1, full: 20) {
        let measured = try measure("chain")
        let truth = [("main", "wait"), ("middle", "wait"), ("indexer", "compute")]
        expect(
          measured.time(["wait", "middle", "wait", "indexer", "build_index"]),
          near: measured.truth(truth), of: measured, "chain")
      }
    }

    @Test func `knows the writer of a read-write lock`() throws {
      for _ in 0..<Repository.trials(short: 1, full: 20) {
        let measured = try measure("rwlock")
        expect(
          measured.time(["wait", "writer", "compute_prices"]),
          near: measured.truth([("main", "wait"), ("writer", "compute")]), of: measured, "rwlock")
        #expect(measured.document.blame.waits.contains { $0.object?.variable == "table_lock" })
      }
    }

    @Test(arguments: Interpreter.onePerLayout)
    func `knows the holder of Python's lock`(interpreter: Interpreter) throws {
      for _ in 0..<Repository.trials(short: 1, full: 20) {
        let measured = try measure(interpreter.start("blame.py", ["gil"]))
        let whole = measured.document.capture.duration_ns
        let error = Int64(Double(whole) * measured.allowedError / 100)
        let truth = measured.truth([("main", "wait"), ("cruncher", "hold")])
        let held = measured.time(["gil", "cruncher"])
        #expect(
          truth > whole / 3 && held <= truth + error, "\(interpreter): \(held), \(truth)")
        // A thread that waits for it wakes up every 5 ms to ask again, and may have to wait for a CPU.
        let awake = measured.time(["<module>"]) + measured.time(["gil", "owner_not_known"])
        #expect(
          held + awake >= truth - error && held >= truth * 8 / 10,
          "\(interpreter): \(held) + \(awake), \(truth)")
        #expect(measured.time(["gil", "cruncher", "not_sampled"]) < error)
      }
    }

    @Test func `knows the holder of a lock of threading where it was looked for`() throws {
      let interpreter = try #require(Interpreter.onePerVersion.first)
      let measured = try measure(interpreter.start("blame.py", ["lock"]))
      let kinds = ["semaphore", "condition_variable", "futex", "mutex"]
      expect(
        kinds.reduce(0) { $0 + measured.time([$1]) }, near: measured.truth([("main", "wait")]),
        of: measured, "\(interpreter)")
      // Such a lock records no owner: its holder is looked for now and then. It is held for 60 ms at a time.
      let held = kinds.reduce(0) { $0 + measured.time([$1, "keeper"]) }
      let truth = measured.truth([("main", "wait"), ("keeper", "hold")])
      let error = Double(measured.document.capture.duration_ns) * measured.allowedError / 100
      #expect(Double(held) <= Double(truth) + error, "\(held), \(truth)")
      #expect(held > 180_000_000, "\(held), \(truth)")
    }

    @Test(.enabled(if: Tool.isInstalled("postgres"), "needs PostgreSQL"))
    func `follows a session that waits for another's row to the server`() throws {
      let server = try PostgresServer()
      let holder = try server.session()
      try holder.send(
        line: "create table t (i int); insert into t values (1); begin; update t set i = 2;")
      try holder.send(line: "select 'held';")
      #expect(try holder.readLine() == "held")
      let waiter = try server.session()
      try waiter.send(line: "update t set i = 3;")
      for options in [[], ["--peers"]] {
        let outcome = try SprofCommand.run(
          ["attach", "\(waiter.pid)", "--duration", "2s", "--json"] + options)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let document = try JSONDecoder().decode(Document.self, from: Data(outcome.stdout.utf8))
        let measured = Measured(document: document, truth: [])
        let owners = document.blame.nodes.filter { $0.parent != nil && $0.name == "postgres" }
        #expect(owners.contains { $0.kind == (options.isEmpty ? "process" : "thread") })
        // What the server waits for itself.
        if !options.isEmpty { #expect(measured.time(["poll", "postgres"]) > 1_000_000_000) }
      }
      try waiter.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `reads the same from the file`() throws {
      let program = try RunningProgram(fixture: "blame.c", ["lock"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture"
      for view in ["blame", "blockers"] {
        let live = try SprofCommand.run(
          ["attach", "\(program.pid)", "--duration", "1s", "-o", file, "--force", "--view", view])
        #expect(live.status == 0, "\(live.stderr)")
        #expect(live.stdout.contains("orders_lock"), "\(live.stdout)")
        #expect(try SprofCommand.run(["report", file, "--view", view]).stdout == live.stdout)
        let part = try SprofCommand.run(
          ["report", file, "--view", view, "--from", "200ms", "--until", "800ms"])
        #expect(part.status == 0 && part.stdout.contains("orders_lock"), "\(part.stdout)")
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }
  }
}
