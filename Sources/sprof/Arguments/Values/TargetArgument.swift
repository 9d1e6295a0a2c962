import ArgumentParser
import LinuxProcess

/// The process that a command is about, given as its argument or, as other tools want it, with `-p`.
struct TargetArguments: ParsableArguments {
  @Argument(
    help: "The process: its PID, or a name (if several match, the one that started the others)."
  )
  var target: TargetArgument?

  @Option(
    name: [.customShort("p"), .customLong("pid")], parsing: .unconditional,
    help: ArgumentHelp("Same as the argument.", valueName: "target"))
  var pid: TargetArgument?

  @OptionGroup var window: WindowArguments

  func validate() throws {
    guard target == nil || pid == nil else {
      throw ValidationError("Name one process: as the argument, or with -p.")
    }
    let isNamed = target != nil || pid != nil
    guard !window.isWanted || !isNamed else { throw WindowArguments.isTwice }
    guard window.isWanted || isNamed else {
      throw ValidationError(
        "Name the process: its PID, such as 4242, or its name, such as firefox.")
    }
  }

  /// What is meant, for `command`: with `--window`, what the user clicks now.
  func chosen(for command: String) throws -> TargetArgument {
    if window.isWanted { return try window.pick(for: command) }
    guard let target = target ?? pid else { throw Diagnostic.noProcess }
    return target
  }
}

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

  static var defaultCompletionKind: CompletionKind { ProcessCompletion.kind }

  /// The process meant, for `command`.
  func resolve(for command: String) throws -> ProcessIdentity {
    switch self {
    case .pid(let pid):
      guard pid > 0 else { throw Diagnostic.noProcess }
      return try Self.process(of: pid, for: command)
    case .name(let name):
      let matches = ProcessSearch.processes(named: name)
      guard let match = matches.first else { throw Diagnostic.noMatch(name) }
      guard matches.count > 1 else { return match.process }
      guard let ancestor = ProcessSearch.ancestor(of: matches) else {
        throw Diagnostic.manyMatches(name, matches)
      }
      Terminal.writeMessage(
        "\(matches.count) processes are named \"\(name)\"; this is \(ancestor.pid), from which the "
          + "others descend.")
      return ancestor.process
    }
  }

  /// The process that the number of one of its threads stands for.
  private static func process(of id: Int32, for command: String) throws -> ProcessIdentity {
    do throws(SystemError) {
      let group = try ProcessStatus(of: id).threadGroup
      return try ProcessIdentity(of: group > 0 ? group : id)
    } catch {
      throw Diagnostic.cannotWatch(
        pid: id, AccessCheck.problem(reading: id, error), command: command)
    }
  }
}
