import ArgumentParser
import LinuxProcess

/// A process given by number or by name.
enum TargetArgument: ExpressibleByArgument {
  case pid(Int32)
  case name(String)

  init?(argument: String) {
    if let number = Int64(argument) {
      // Numbers that no process can have are looked up all the same, and not found.
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

  /// The process meant, for `command`.
  func resolve(for command: String) throws -> ProcessIdentity {
    switch self {
    case .pid(let pid):
      guard pid > 0 else { throw Diagnostic.noProcess }
      return try Self.process(of: pid, for: command)
    case .name(let name):
      let matches = ProcessSearch.processes(named: name)
      guard let match = matches.first else { throw Diagnostic.noMatch(name) }
      guard matches.count == 1 else { throw Diagnostic.manyMatches(name, matches) }
      return match.process
    }
  }

  /// The process that the number of one of its threads stands for.
  private static func process(of id: Int32, for command: String) throws -> ProcessIdentity {
    do throws(SystemError) {
      let group = try ProcessStatus(of: id).threadGroup
      return try ProcessIdentity(of: group > 0 ? group : id)
    } catch {
      throw Diagnostic.cannotWatch(
        pid: id, error.meansGone ? .noSuchProcess : .other(error), command: command)
    }
  }
}

/// A stretch of time as the user writes it: `10s`, `500ms`, `2m`, `1h`.
struct TimeArgument {
  let nanoseconds: Int64

  /// A moment of a capture, which may be its very beginning.
  static func moment(_ text: String) throws -> TimeArgument {
    text == "0" || text == "0s" ? TimeArgument(nanoseconds: 0) : try TimeArgument(text)
  }

  private init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  init(_ text: String) throws {
    let units: [(suffix: String, nanoseconds: Double)] = [
      ("ms", 1e6), ("us", 1e3), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let number = Double(text.dropLast(unit.suffix.count)), number.isFinite
    else {
      throw ValidationError("'\(text)' is not a time. Write it like 10s, 500ms or 2m.")
    }
    guard number > 0 else {
      throw ValidationError("'\(text)' is no time at all: give one above zero, such as 10s.")
    }
    let nanoseconds = number * unit.nanoseconds
    guard nanoseconds <= 30 * 24 * 3600e9 else {
      throw ValidationError("'\(text)' is longer than 30 days.")
    }
    self.nanoseconds = max(1, Int64(nanoseconds.rounded()))
  }
}

/// Ticks a second as the user writes them.
enum RateArgument {
  static func parse(_ text: String) throws -> Double {
    guard let rate = Double(text), rate >= 1, rate <= 20_000 else {
      throw ValidationError(
        "'\(text)' is not a rate that sprof can hold. Give ticks per second, 1 to 20000.")
    }
    return rate
  }
}

/// How often sprof looks, and how much of the program's time its stops may take.
struct RateArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Ticks per second, 1 to 20000.", valueName: "hz"),
    transform: RateArgument.parse)
  var rate = 100.0

  @Option(
    help: ArgumentHelp(
      "The most that stops may take of the program's time.",
      discussion: """
        Where they would take more, as on a machine that is overloaded, ticks are left out. 100% \
        allows any.
        """, valueName: "percent"),
    transform: PauseArgument.parse)
  var maxPause = 0.25
}

/// A share of time as the user writes it.
enum PauseArgument {
  static func parse(_ text: String) throws -> Double {
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let percent = Double(number), percent >= 0.1, percent <= 100 else {
      throw ValidationError(
        "'\(text)' is not a share of time. Give a percentage from 0.1% to 100%, such as 1%.")
    }
    return percent / 100
  }
}
