import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `A failing start of a program` {
    @Test func `is told with its cause and the exit code of a shell`() throws {
      let missing = try SprofCommand.run(["run", "--", "/no/such/program"])
      expectError(missing, code: 127, naming: ["/no/such/program", "no such program"])
      expectError(
        try SprofCommand.run(["run", "--", "no-such-program-in-path"]), code: 127,
        naming: ["no such program"])
      let folder = try TemporaryFolder()
      let file = folder.path + "/plain"
      try Data("text".utf8).write(to: URL(fileURLWithPath: file))
      expectError(
        try SprofCommand.run(["run", "--", file]), code: 126, naming: [file, "Permission denied"])
      let directory = try SprofCommand.run(["run", "--", folder.path])
      expectError(directory, code: 126, naming: [folder.path, "is a directory"])
      #expect(!directory.stderr.contains("chmod"))
      expectError(try SprofCommand.run(["run"]), code: ExitCode.usage, naming: ["command"])
      expectNothingLeftBehind()
    }

    private func script(_ folder: TemporaryFolder, _ name: String, _ firstLine: String) throws
      -> String
    {
      let path = folder.path + "/" + name
      try Data("\(firstLine)\necho\n".utf8).write(to: URL(fileURLWithPath: path))
      chmod(path, 0o755)
      return path
    }

    @Test func `names the interpreter that a script lacks`() throws {
      let folder = try TemporaryFolder()
      let missing = "/no/such/interpreter"
      let script = try self.script(folder, "script", "#! \(missing) -u")
      for path in [script, try self.script(folder, "outer", "#!\(script)")] {
        let outcome = try SprofCommand.run(["run", "--", path])
        expectError(outcome, code: 127, naming: [path, missing, "interpreter"])
        #expect(!outcome.stderr.contains("no such program"))
      }
      let foreign = try self.script(folder, "foreign", "#!/bin/sh\r")
      expectError(
        try SprofCommand.run(["run", "--", foreign]), code: 127,
        naming: ["Windows line endings", "sed"])
      expectNothingLeftBehind()
    }
  }
}
