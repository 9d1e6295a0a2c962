import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: !ReportedTask.interpreters.isEmpty, "no Python from 3.12 on on this machine"))
  struct `Tasks` {
    @Test(arguments: ReportedTask.interpreters)
    func `are shown as the program itself knows them`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("tasks.py", ["rest"])
      let truth = try ReportedTask.truth(program)
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.tasks.count == 1)
      let found = try #require(report.tasks.first)
      #expect(found.pid == program.pid && !found.cut)
      #expect(found.tornTids.isEmpty && found.movedTids.isEmpty)
      #expect(try ReportedTask.all(found) == truth)
      let text = try SprofCommand.run(["dump", "\(program.pid)"]).stdout
      for line in [
        "  18 waiting tasks in 12 stacks", "  2 waiting tasks",
        "  Task \"worker\", awaited by \"boss\"",
        "  Task \"gathers\", awaits 2 tasks \"left\", \"right\"",
        "    ×2 \"first\", \"second\", awaited by \"group\"",
      ] {
        #expect(text.contains("\n\(line)\n"), "\(interpreter): \(line) in \(text)")
      }
      // The loops are at rest, whatever their tasks wait for; without symbols that is not told.
      let rests = text.components(separatedBy: "idle in Python's event loop").count
      #expect(rests == 3 || !interpreter.hasSymbols)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: ReportedTask.interpreters)
    func `that run are named in the heading of their thread`(interpreter: Interpreter) throws {
      let program = try interpreter.start("tasks.py", ["held"])
      let text = try SprofCommand.run(["dump", "\(program.pid)"]).stdout
      #expect(
        text.contains("\n  running task \"inner\", within \"holder\", awaited by \"Task-1\"\n"))
      #expect(text.contains("\n  Task \"chief\", not started\n"))
      try program.assertUntouched()
      let busy = try interpreter.start("tasks.py", ["computes"])
      let later = try SprofCommand.run(["dump", "\(busy.pid)"]).stdout
      #expect(later.contains("\n  a moment later running task \"holder\", awaited by \"Task-1\"\n"))
      #expect(later.contains("the thread was running"))
      try busy.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: ReportedTask.interpreters)
    func `by the thousand are few lines`(interpreter: Interpreter) throws {
      let program = try interpreter.start("tasks.py", ["many", "5000"])
      let text = try SprofCommand.run(["dump", "\(program.pid)", "--no-native"]).stdout
      #expect(text.contains("\n  Tasks ×5000 \"Task-*\", awaited by \"Task-1\"\n"))
      #expect(text.contains("\n  Task \"Task-1\", awaits 5000 tasks \"Task-*\"\n"))
      #expect(text.split(separator: "\n").count < 60)
      let json = try SprofCommand.run(["dump", "\(program.pid)", "--json"]).stdout
      #expect(json.components(separatedBy: "\"awaited_by\":[").count == 5002)
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(arguments: ReportedTask.interpreters.suffix(1))
    func `are kept in a file, shown with their thread only, and masked`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("tasks.py", ["rest"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/dump.pb.gz"
      let shown = try SprofCommand.run(["dump", "\(program.pid)", "-o", file]).stdout
      #expect(shown.contains("18 waiting tasks in 12 stacks"))
      #expect(try SprofCommand.run(["report", file]).stdout == shown)
      let report = try SprofCommand.report(["report", file])
      let found = try #require(report.tasks.first)
      #expect(try ReportedTask.all(found) == ReportedTask.truth(program))
      let main = try SprofCommand.run(["report", file, "--thread", "\(program.pid)"]).stdout
      #expect(!main.contains("Task \"") && !main.contains("waiting task"))
      // The folder of the fixtures as somebody's home.
      let home = Repository.path("Fixtures/python")
      let command = [SprofCommand.path, "report", file, "--redact", "--json"]
      let masked = try TestSupport.run(command, environment: ["HOME": home]).stdout
      let lines = try Report(json: masked).tasks.flatMap(\.stacks).joined()
      #expect(lines.contains { $0.file == "~/tasks.py" })
      #expect(!masked.contains(home))
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `are none where there is no event loop`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.tasks.isEmpty)
      let python = try ReportedTask.interpreters[0].start("flat.py")
      #expect(try SprofCommand.report(["dump", "\(python.pid)"]).tasks.isEmpty)
      try python.assertUntouched()
      try program.assertUntouched()
    }
  }
}

/// What is told of one task, by the program and by sprof.
struct ReportedTask: Equatable, Comparable {
  /// One of each version whose tasks can be read.
  static let interpreters = Interpreter.onePerVersion.filter { $0.minor >= 12 }

  private let words: String

  static func < (left: Self, right: Self) -> Bool { left.words < right.words }

  private init(
    name: String, tid: Int32?, isRunning: Bool, frames: [String], awaitedBy: [String]
  ) {
    words = "\(name) of \(tid ?? 0) \(isRunning) in \(frames) by \(awaitedBy.sorted())"
  }

  /// As the fixture `tasks.py` tells them, sorted.
  static func truth(_ program: RunningProgram) throws -> [ReportedTask] {
    let text = try #require(program.greeting.last)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return try #require(object?["tasks"] as? [[String: Any]]).map { fields in
      let frames = try #require(fields["frames"] as? [[Any]])
      return ReportedTask(
        name: try #require(fields["name"] as? String), tid: fields["tid"] as? Int32,
        isRunning: try #require(fields["running"] as? Bool),
        frames: frames.map { "\($0[0]) \($0[1]):\($0[2])" },
        awaitedBy: try #require(fields["awaited_by"] as? [String]))
    }.sorted()
  }

  /// As a report has them, sorted.
  static func all(_ list: Report.Tasks) throws -> [ReportedTask] {
    try list.tasks.map { task in
      let stack = try task.stack.map { number in
        try #require(list.stacks.indices.contains(number) ? list.stacks[number] : nil)
      }
      return ReportedTask(
        name: task.name, tid: task.tid, isRunning: ["running", "entered"].contains(task.state),
        frames: (stack ?? []).map { "\($0.function) \($0.file ?? "?"):\($0.line ?? 0)" },
        awaitedBy: task.awaitedBy.map { list.tasks[$0].name })
    }.sorted()
  }
}
