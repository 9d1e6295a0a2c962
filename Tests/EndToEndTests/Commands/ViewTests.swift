import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// The page that says where each figure is: `docs/views.md`.
  @Suite struct `The page of views` {
    /// The commands in its tables that begin so, as words.
    private func commands(on file: String) throws -> [[String]] {
      let page = try String(contentsOfFile: Repository.path("docs/views.md"), encoding: .utf8)
      let found = page.matches(of: /`sprof (report [^`]+)`/).map { String($0.1) }
      return Set(found.filter { $0.contains(file) }).sorted().map { command in
        command.split(separator: " ").map(String.init)
      }
    }

    private func expectAll(of file: String, at path: String, in folder: TemporaryFolder) throws {
      let commands = try commands(on: file)
      #expect(commands.count > 4)
      for command in commands {
        let words = command.map { word in
          word == file ? path : word == "slow.html" ? "\(folder.path)/\(word)" : word
        }
        let outcome = try SprofCommand.run(words)
        #expect(outcome.status == 0, "\(command): \(outcome.stderr)")
        #expect(outcome.stdout.isEmpty == command.contains("--html"), "\(command)")
      }
    }

    @Test func `has only commands that work`() throws {
      let path = try Fixture.compile(source: "demo/hung.c")
      let program = try RunningProgram([path], ready: "locked")
      let spinning = try RunningProgram(fixture: "spin.c", ["1", "5"])
      let folder = try TemporaryFolder()
      let (slow, hung) = (folder.path + "/slow.pb.gz", folder.path + "/hung.pb.gz")
      for command in [
        ["attach", "\(spinning.pid)", "-d", "1s", "-o", slow],
        ["dump", "\(program.pid)", "-o", hung],
      ] {
        let outcome = try SprofCommand.run(command)
        #expect(outcome.status == 0, "\(outcome.stderr)")
      }
      try expectAll(of: "slow.pb.gz", at: slow, in: folder)
      try expectAll(of: "hung.pb.gz", at: hung, in: folder)
    }

    @Test func `has every view, and every unit of a table`() throws {
      let help = try SprofCommand.run(["report", "--help"]).stdout
      let page = try String(contentsOfFile: Repository.path("docs/views.md"), encoding: .utf8)
      for view in [
        "threads", "lines", "tree", "stacks", "waits", "blame", "blockers", "timeline", "freezes",
        "all",
      ] {
        #expect(help.contains(view) && page.contains("--view \(view)"), "\(view)")
      }
    }
  }
}
