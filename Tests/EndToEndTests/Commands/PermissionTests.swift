import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: canBecomeNobody, "needs root, setpriv, and a build that others may read"))
  struct `Without permission` {
    @Test(arguments: ["attach", "dump"])
    func `another user's program is named as such, with the mend`(command: String) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let outcome = try run(asNobody([SprofCommand.path, command, "\(program.pid)"]))
      expectError(
        outcome, code: ExitCode.noPermission,
        naming: ["user", "Run: ", "sprof \(command) \(program.pid)"])
      try program.assertUntouched()
    }

    @Test func `an undumpable program is named as such`() throws {
      let path = try Fixture.compile(source: "undumpable.c")
      let program = try RunningProgram(asNobody([path]))
      let outcome = try run(asNobody([SprofCommand.path, "dump", "\(program.pid)"]))
      expectError(outcome, code: ExitCode.noPermission, naming: ["dump"])
      try program.assertUntouched()
    }

    @Test func `a program whose file was deleted, or replaced, has names`() throws {
      let folder = try TemporaryFolder()
      let path = folder.path + "/sleepers"
      let original = try Fixture.compile(source: "sleepers.c")
      for replacement in [nil, "/bin/sh"] {
        try FileManager.default.copyItem(atPath: original, toPath: path)
        let program = try RunningProgram(asNobody([path, "1"]))
        try FileManager.default.removeItem(atPath: path)
        if let replacement {
          try FileManager.default.copyItem(atPath: replacement, toPath: path)
        }
        let report = try Report(
          try run(asNobody([SprofCommand.path, "dump", "\(program.pid)", "--json"])))
        #expect(report.allFunctions.contains("wait_for_condition"), "\(report.allFunctions)")
        try program.assertUntouched()
        if replacement != nil { try FileManager.default.removeItem(atPath: path) }
      }
    }

    @Test func `of a library that was deleted the report says that its names are missing`() throws {
      let folder = try TemporaryFolder()
      let (red, blue) = (
        try Plugin.compile("red", in: folder), try Plugin.compile("blue", in: folder)
      )
      let path = try Fixture.compile(source: "plugins.c")
      let program = try RunningProgram(asNobody([path, "0", red, blue]))
      try program.awaitSleep()
      try FileManager.default.removeItem(atPath: red)
      let report = try Report(
        try run(asNobody([SprofCommand.path, "dump", "\(program.pid)", "--json"])))
      #expect(!report.allFunctions.contains("red_sleep"))
      #expect(
        report.capture.notes.contains { $0.contains("libred.so (deleted) are shown as addresses") })
      // Root may open it all the same.
      #expect(
        try SprofCommand.report(["dump", "\(program.pid)"]).allFunctions.contains("red_sleep"))
      try program.assertUntouched()
    }

    @Test func `root may watch an undumpable program`() throws {
      let path = try Fixture.compile(source: "undumpable.c")
      let program = try RunningProgram(asNobody([path]))
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.allFunctions.contains("main"))
      try program.assertUntouched()
    }
  }
}

/// The command line that runs `command` without any right; 65534 is nobody on Linux.
private func asNobody(_ command: [String]) -> [String] {
  ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"] + command
}

private let canBecomeNobody: Bool = {
  guard Repository.isRoot, Tool.isInstalled("setpriv") else { return false }
  guard let fixture = try? Fixture.compile(source: "undumpable.c") else { return false }
  return [SprofCommand.path, fixture].allSatisfy { path in
    (try? run(asNobody(["/usr/bin/test", "-x", path])))?.status == 0
  }
}()
