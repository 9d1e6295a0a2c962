import ArgumentParser
import Glibc

/// Command lines that name no command of sprof, and what was probably meant.
enum Misuse {
  /// What other tools call the commands.
  private static let synonyms = [
    "record": "attach", "profile": "attach", "sample": "attach", "trace": "attach",
    "stack": "dump", "stacks": "dump", "pstack": "dump", "bt": "dump", "backtrace": "dump",
    "show": "report", "view": "report", "open": "report", "script": "export", "convert": "export",
    "diff": "compare", "monitor": "watch", "exec": "run", "start": "run",
  ]

  /// What to type instead; nil where the command has all its options, or where there is nothing to go by.
  ///
  /// `message` is what the parser says.
  static func words(for arguments: [String], parser message: String) -> String? {
    guard let first = arguments.first, !first.isEmpty else { return nil }
    let commands = Sprof.configuration.subcommands.filter { $0.configuration.shouldDisplay }
      .compactMap { $0.configuration.commandName }
    if commands.contains(first) { return words(forOptionsIn: arguments, parser: message) }
    guard first != "help" else { return nil }
    if first.hasPrefix("-") { return words(forOption: arguments, commands) }
    let rest = arguments.dropFirst().map(quoted)
    if let command = synonyms[first] ?? nearest(to: first, of: commands) {
      return "There is no command '\(first)'. Did you mean: "
        + (["sprof", command] + rest).joined(separator: " ")
    }
    if Int32(first) != nil {
      return "Name a command: sprof dump \(first) shows what it does now, sprof attach \(first) "
        + "shows where its time goes."
    }
    if access(first, R_OK) == 0, first.contains(".") || first.contains("/") {
      return "Name a command. To show a capture: sprof report \(quoted(first))"
    }
    return "There is no command '\(first)'. Commands: \(commands.joined(separator: ", ")). "
      + "For a process of that name: sprof attach \(quoted(first))"
  }

  private static func words(forOption arguments: [String], _ commands: [String]) -> String? {
    let first = arguments[0]
    guard !["-h", "--help", "--version"].contains(first) else { return nil }
    if let place = arguments.firstIndex(where: commands.contains) {
      let options = arguments[..<place] + arguments[(place + 1)...]
      return "Options come after the command: sprof \(arguments[place]) "
        + options.map(quoted).joined(separator: " ")
    }
    let isTarget = first == "-p" || first == "--pid"
    return "Name a command first: sprof attach "
      + (isTarget ? arguments.map(quoted).joined(separator: " ") : "4242 \(first) …")
  }

  /// What to type instead of an option that `run` does not have; `rest` is what follows it.
  ///
  /// The parser takes all from the first word on that it does not know for the program and its arguments.
  static func words(forOptionOfRun name: String, before rest: ArraySlice<String>) -> String {
    let option = String(name.prefix { $0 != "=" })
    if option == "-d" || option == "--duration" {
      return "run has no option \(option): it samples until the program ends. Start the program, "
        + "and use: sprof attach PID \(option) …"
    }
    if rest.contains("--") {
      return "run has no option \(option). Its options are listed by: sprof run --help"
    }
    return "run has no option \(option). If that is the program's name, put -- before it; else the "
      + "options of run are listed by: sprof run --help"
  }

  /// The one of some words that a mistyped one is closest to, if it is close.
  static func nearest(to word: String, of words: [String]) -> String? {
    let distances = words.map { (distance(Array(word), Array($0)), $0) }
    guard let best = distances.min(by: { $0.0 < $1.0 }) else { return nil }
    return best.0 <= (word.count > 4 ? 2 : 1) ? best.1 : nil
  }

  /// How many letters have to be added, removed, changed, or swapped with their neighbour.
  private static func distance(_ left: [Character], _ right: [Character]) -> Int {
    guard left.count < 32 else { return .max }
    var rows = [Array(0...right.count)]
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
          best = min(best, rows[i - 1][j - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }

  /// An argument as a shell takes it.
  static func quoted(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
      && text.allSatisfy {
        $0.isLetter || $0.isNumber || "-_./:=,+%@".contains($0)
      }
    return isPlain
      ? text
      : "'"
        + text.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
  }
}
