import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// No command destroys a file that it was not told to overwrite.
  @Suite struct `Output files` {
    private let folder: TemporaryFolder
    private let program: RunningProgram

    init() throws {
      folder = try TemporaryFolder()
      program = try RunningProgram(fixture: "sleepers.c", ["1"])
      for name in ["a", "b"] {
        let outcome = try SprofCommand.run([
          "dump", "\(program.pid)", "-o", folder.path + "/" + name,
        ])
        #expect(outcome.status == 0, "\(outcome.stderr)")
      }
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/link", withDestinationPath: "a")
      try FileManager.default.linkItem(
        atPath: folder.path + "/a", toPath: folder.path + "/hard")
      try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path + "/text"))
    }

    /// The contents of all files, by name.
    private func contents() throws -> [String: Data] {
      var contents: [String: Data] = [:]
      for name in try folder.names {
        contents[name] = FileManager.default.contents(atPath: folder.path + "/" + name)
      }
      return contents
    }

    /// Runs sprof in the folder, where `PID` stands for the program's.
    private func sprof(_ command: String) throws -> CommandOutcome {
      let words = command.replacing("PID", with: "\(program.pid)")
      return try run(
        ["/bin/sh", "-c", "cd '\(folder.path)' && exec '\(SprofCommand.path)' \(words)"])
    }

    @Test(arguments: [
      // An input.
      "report a --html a", "report a --html ./a", "report a --html link", "report a --html hard",
      "report link --html a", "compare a b --html b", "compare --before a --after a,b --html b",
      "export a --to folded -o a --force", "export a --to pprof -o ./link --force",
      "merge a b -o a --force", "merge a b -o hard --force", "report a >> a",
      "export a --to folded >> a",
      "merge a b -o c --force >> b",
      // Another output.
      "attach PID --duration 100ms -o x --html x", "attach PID --duration 100ms -o x --html ./x",
      "attach PID --duration 100ms -o x --html x.partial",
      "attach PID --duration 100ms -o a --force --html hard",
      "run --report x --html x -- true", "run -o x --report ../$(basename $PWD)/x -- true",
      "run -o x --html x -- true",
      "attach PID --duration 100ms -o a --force >> a", "dump PID -o a --force >> link",
      // Something else.
      "report a --html b", "report a --html text", "attach PID --duration 100ms --html text",
      "run --report a -- true", "run --report text -- true", "run --html b -- true",
      "compare a b --html text", "attach PID --duration 100ms -o a", "dump PID -o link",
      "export a --to folded -o text", "merge a b -o text",
    ])
    func `that would destroy a file are refused before anything is done`(command: String) throws {
      let before = try contents()
      let outcome = try sprof(command)
      expectError(outcome, code: ExitCode.cannotWrite, naming: ["sprof: "])
      // What names no file would leave the user at a loss.
      #expect(outcome.stderr.contains("Give another name") || outcome.stderr.contains("--force"))
      #expect(try contents() == before)
      try program.assertUntouched()
    }

    @Test func `replace older ones of their kind`() throws {
      for (command, file) in [
        ("report a --html page", "page"), ("attach PID --duration 100ms --html page", "page"),
        ("compare a b --html page", "page"), ("run --html page -- true", "page"),
        ("run --report told -- true", "told"), ("run --report told --json -- true", "told"),
        ("run --report told --by function -- true", "told"), ("run --report told -- true", "told"),
        ("export a --to folded -o text --force", "text"), ("merge a b -o text --force", "text"),
      ] {
        let before = try contents()[file]
        let outcome = try sprof(command)
        #expect(outcome.status == 0, "\(command): \(outcome.stderr)")
        #expect(try contents()[file] != before, "\(command)")
      }
      #expect(try folder.names == ["a", "b", "hard", "link", "page", "text", "told"])
    }

    @Test func `that are pages are named, also where stderr is no terminal`() throws {
      for command in ["report a --html page", "compare a b --html page", "run --html page -- true"]
      {
        let outcome = try sprof(command)
        #expect(outcome.stderr.contains("xdg-open page\n"), "\(command): \(outcome.stderr)")
      }
    }

    @Test func `may be empty files, devices and pipes`() throws {
      for command in [
        "report a --html /dev/null", "run --report /dev/null --html /dev/null -- true",
        "report a --html empty",
      ] {
        _ = FileManager.default.createFile(atPath: folder.path + "/empty", contents: nil)
        #expect(try sprof(command).status == 0, "\(command)")
      }
      #expect(try sprof("report a --html /dev/stdout | head -c 15").stdout == "<!DOCTYPE html>")
    }

    @Test func `are left to whoever came last of two captures of one name`() throws {
      let commands = try (0..<2).map { _ in
        try SprofCommand.startAttach(to: program, ["-o", folder.path + "/a", "--force"])
      }
      try waitUntil("the second has taken the growing file") {
        try folder.names.contains("a.partial")
      }
      for command in commands {
        command.send(SIGINT)
        let outcome = try command.finish()
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(
          try SprofCommand.run(["report", folder.path + "/a"]).stdout == outcome.stdout)
      }
      #expect(try folder.names == ["a", "b", "hard", "link", "text"])
      try program.assertUntouched()
    }
  }
}
