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
      expectError(outcome, code: ExitCode.noPermission, naming: ["user", "sudo"])
      try program.assertUntouched()
    }

    @Test func `an undumpable program is named as such`() throws {
      let path = try Fixture.compile(source: "undumpable.c")
      let program = try RunningProgram(asNobody([path]))
      let outcome = try run(asNobody([SprofCommand.path, "dump", "\(program.pid)"]))
      expectError(outcome, code: ExitCode.noPermission, naming: ["dump"])
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
