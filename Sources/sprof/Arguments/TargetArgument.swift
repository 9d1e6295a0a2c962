import ArgumentParser
import LinuxProcess

/// A process given by number or by name.
enum TargetArgument: ExpressibleByArgument {
  case pid(Int32)
  case name(String)

  init?(argument: String) {
    if let number = Int64(argument) {
      // No process has a number that does not fit: it is not found.
      self = .pid(Int32(exactly: number) ?? 0)
    } else if argument.isEmpty {
      return nil
    } else {
      self = .name(argument)
    }
  }

  static var defaultCompletionKind: CompletionKind {
    .shellCommand("ps -eo pid= | tr -d ' '")
  }

  /// The process of that number or name.
  func resolve() throws -> Int32 {
    switch self {
    case .pid(let pid):
      guard pid > 0 else { throw Diagnostic.noProcess }
      return try Self.process(of: pid)
    case .name(let name):
      let matches = ProcessSearch.processes(named: name)
      guard let match = matches.first else { throw Diagnostic.noMatch(name) }
      guard matches.count == 1 else { throw Diagnostic.manyMatches(name, matches) }
      return match.pid
    }
  }

  /// The process to which a thread of that number belongs.
  private static func process(of id: Int32) throws -> Int32 {
    guard let status = try? ProcessStatus(of: id), status.threadGroup > 0 else { return id }
    return status.threadGroup
  }
}
