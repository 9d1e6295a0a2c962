import ArgumentParser

/// Options that a command does not have, and numbers that the parser takes for options.
extension Misuse {
  /// An option of a command by one of its names.
  private struct Option {
    let name: String
    let takesValue: Bool
  }

  /// What to type instead of a wrong option of a command; nil where that is not what is wrong.
  ///
  /// The parser says first what is wrong with the rest: the value of an option that it does not know is one
  /// more argument to it. `message` is what it says.
  static func words(forOptionsIn arguments: [String], parser message: String) -> String? {
    guard let name = arguments.first, name != "run", let own = options(of: name) else { return nil }
    let rest = arguments.dropFirst().prefix { $0 != "--" }
    for (place, argument) in zip(rest.indices, rest)
    where argument.hasPrefix("-") && argument.count > 1 {
      let before = own.first { $0.name == arguments[place - 1] }
      let isValue = before?.takesValue == true && !argument.hasPrefix("--")
      if isValue || Double(argument) != nil {
        if let words = words(forNumber: argument, after: isValue ? before : nil, message) {
          return words
        }
        continue
      }
      let option = String(argument.prefix { $0 != "=" })
      let short = option.hasPrefix("--") ? option : String(option.prefix(2))
      guard !own.contains(where: { $0.name == short }) else { continue }
      return words(forUnknown: short, of: name, arguments, own.map(\.name))
    }
    return nil
  }

  private static func words(
    forNumber argument: String, after option: Option?, _ message: String
  ) -> String? {
    guard Double(argument) != nil else { return nil }
    if let option {
      return message.contains("Missing value for '\(option.name)")
        ? "The value of \(option.name) cannot be negative: '\(argument)'." : nil
    }
    guard message.contains("Name the process") || message.contains("Unknown option") else {
      return nil
    }
    return
      "'\(argument)' begins with a minus and is taken for an option. A PID is a positive number; "
      + "list processes with: ps -e"
  }

  private static func words(
    forUnknown option: String, of command: String, _ arguments: [String], _ own: [String]
  ) -> String {
    switch (command, option) {
    case ("dump", "-d"), ("dump", "--duration"):
      return
        "dump takes one sample and has no option \(option). To sample for a while: sprof attach "
        + arguments.dropFirst().map(quoted).joined(separator: " ")
    case ("top", "--json"):
      return "top is a view for people and has no option --json. For programs: "
        + "sprof attach PID -d 5s --json, or sprof dump PID --json"
    default: break
    }
    if let others = having(option) { return "\(command) has no option \(option); \(others)." }
    if let near = nearest(to: option, of: own.filter { $0.hasPrefix("--") }), option.count > 3 {
      return "Unknown option '\(option)'. Did you mean '\(near)'?"
    }
    let all = Set(displayed.flatMap { options(of: $0) ?? [] }.map(\.name))
    if option.count > 3, let near = nearest(to: option, of: all.sorted()),
      let others = having(near)
    {
      return "\(command) has no option \(option); \(others)."
    }
    return "\(command) has no option \(option). Its options are listed by: sprof \(command) --help"
  }

  /// The other commands with an option, as the end of a sentence.
  private static func having(_ option: String) -> String? {
    let others = displayed.filter { options(of: $0)?.contains { $0.name == option } == true }
    guard let last = others.last else { return nil }
    let list = others.dropLast().joined(separator: ", ")
    return (list.isEmpty ? "\(last) has" : "\(list) and \(last) have") + " \(option)"
  }

  private static var displayed: [String] {
    Sprof.configuration.subcommands.filter { $0.configuration.shouldDisplay }
      .compactMap { $0.configuration.commandName }
  }

  /// The options of a command, as its help lists them; nil where there is no such command.
  private static func options(of name: String) -> [Option]? {
    let command = Sprof.configuration.subcommands.first { $0.configuration.commandName == name }
    guard let command, command.configuration.shouldDisplay else { return nil }
    let help = Sprof.helpMessage(for: command, includeHidden: true, columns: 200)
    var options: [Option] = []
    for line in help.split(separator: "\n") where line.hasPrefix("  -") {
      // `-r, -F, --rate <hz>`, `--pager/--no-pager`
      let names = line.split(separator: " ").prefix { $0.hasPrefix("-") }
      let takesValue = line.contains("\(names.last ?? "") <")
      for name in names.joined(separator: ",").split(whereSeparator: { $0 == "/" || $0 == "," }) {
        options.append(Option(name: String(name), takesValue: takesValue))
      }
    }
    return options
  }
}
