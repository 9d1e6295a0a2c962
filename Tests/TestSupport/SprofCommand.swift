internal import Foundation

/// The program under test.
package enum SprofCommand {
  /// The built binary: `SPROF_BINARY`, or the one beside the running test bundle.
  package static let path: String = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["SPROF_BINARY"] { return path }
    // The test bundle is an executable in the same folder as the products.
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/sprof"
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    return Repository.path(".build/debug/sprof")
  }()

  /// Runs `sprof` to its end; throws when it writes JSON of a comparison, or a brief one, that is not as its
  /// schema has it.
  package static func run(
    _ arguments: [String], timeout: Duration = .seconds(60)
  ) throws -> CommandOutcome {
    let outcome = try TestSupport.run([path] + arguments, timeout: timeout)
    guard outcome.status == 0, arguments.contains("--json") else { return outcome }
    if arguments.first == "compare" { try JSONSchema(of: "compare").check(outcome.stdout) }
    if arguments.contains("--brief") { try JSONSchema(of: "brief").check(outcome.stdout) }
    return outcome
  }

  /// Runs `sprof … --json` and reads the report; throws unless it exits with 0.
  package static func report(
    _ arguments: [String], timeout: Duration = .seconds(60)
  ) throws -> Report {
    try Report(try run(arguments + ["--json"], timeout: timeout))
  }

  /// Starts `sprof attach` and returns once it has begun to watch `program`.
  package static func startAttach(
    to program: RunningProgram, _ arguments: [String]
  ) throws -> StartedCommand {
    let command = try StartedCommand([path, "attach", "\(program.pid)"] + arguments)
    try waitUntil("sprof watches \(program.pid)") {
      if command.watches(program.pid) { return true }
      guard ProcessStatus(pid: command.pid)?.state != "Z" else {
        let outcome = try command.finish()
        throw TestFailure("sprof ended with \(outcome.status ?? -1): \(outcome.stderr)")
      }
      return false
    }
    return command
  }
}

extension StartedCommand {
  /// Whether it keeps a thread's counters open, as a capture under way does.
  ///
  /// The checks before a capture open other files of `pid` for a moment.
  package func watches(_ pid: Int32) -> Bool {
    let folder = "/proc/\(self.pid)/fd"
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return entries.contains { entry in
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(entry)")
      guard let link else { return false }
      return link.hasPrefix("/proc/\(pid)/") && link.hasSuffix("/schedstat")
    }
  }
}
