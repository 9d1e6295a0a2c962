import FoundationEssentials
import ProfileModel

/// The manual page `sprof(1)`, made from what `--help` is made from (`--experimental-dump-help`).
struct ManualPage {
  private struct Tool: Decodable {
    let command: Command
  }

  private struct Command: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool?
    let arguments: [Argument]?
    let subcommands: [Command]?
  }

  private struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String
    }

    let kind: String
    let shouldDisplay: Bool?
    let isOptional: Bool?
    let isRepeating: Bool?
    let names: [Name]?
    let valueName: String?
    let defaultValue: String?
    let allValues: [String]?
    let abstract: String?
    let discussion: String?
  }

  private let tool: Command

  /// The page of the program that this description is of.
  init(parsing description: String) throws {
    tool = try JSONDecoder().decode(Tool.self, from: Data(description.utf8)).command
  }

  /// The page in the language of man(7).
  var text: String {
    var page = Roff()
    page.request(".TH SPROF 1 \"\" \"sprof \(SprofVersion.current)\" \"User Commands\"")
    page.section("NAME")
    page.paragraph("sprof - profiler that " + Self.phrase(tool.abstract ?? ""))
    page.section("SYNOPSIS")
    for command in commands { page.synopsis(Self.synopsis(of: command)) }
    page.section("DESCRIPTION")
    page.text(tool.discussion ?? "")
    page.section("COMMANDS")
    for command in commands { write(command, to: &page) }
    page.section("NOTES")
    page.paragraph(
      "The GNU C library has a program of the same name, which reads profiles of shared objects; its "
        + "manual page is that of the Linux man-pages project.")
    page.section("SEE ALSO")
    page.paragraph("gdb(1), perf(1), ptrace(2), strace(1), top(1)")
    return page.text
  }

  private var commands: [Command] {
    (tool.subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
  }

  private func write(_ command: Command, to page: inout Roff) {
    page.subsection("sprof \(command.commandName)")
    page.paragraph(command.abstract ?? "")
    page.text(command.discussion ?? "")
    for argument in command.arguments ?? [] where argument.shouldDisplay != false {
      let names = argument.names?.map { ($0.kind == "short" ? "-" : "--") + $0.name } ?? []
      guard !names.contains("--help"), !names.contains("--version") else { continue }
      page.item(Self.title(of: argument, names))
      var text = argument.abstract ?? ""
      if let values = argument.allValues, !values.isEmpty {
        text += " Values: \(values.joined(separator: ", "))."
      }
      if let value = argument.defaultValue, !text.contains("default") {
        text += " Default: \(value)."
      }
      page.continuation(text)
      if let discussion = argument.discussion { page.continuation(discussion) }
    }
  }

  /// `-o, --output <file>`.
  private static func title(of argument: Argument, _ names: [String]) -> [Roff.Part] {
    let value = Roff.Part.variable(argument.valueName ?? "value")
    guard !names.isEmpty else { return [value] }
    var parts: [Roff.Part] = []
    for name in names.sorted(by: { $0.count < $1.count }) {
      if !parts.isEmpty { parts.append(.plain(", ")) }
      parts.append(.literal(name))
    }
    if argument.kind == "option" { parts += [.plain(" "), value] }
    return parts
  }

  private static func synopsis(of command: Command) -> [Roff.Part] {
    var parts: [Roff.Part] = [.literal("sprof \(command.commandName)"), .plain(" [options]")]
    for argument in command.arguments ?? []
    where argument.kind == "positional" && argument.shouldDisplay != false {
      let isOptional = argument.isOptional ?? false
      parts.append(.plain(isOptional ? " [" : " "))
      parts.append(.variable(argument.valueName ?? "value"))
      if argument.isRepeating ?? false { parts.append(.plain(" ...")) }
      if isOptional { parts.append(.plain("]")) }
    }
    return parts
  }

  /// A sentence as a phrase: without its full stop, its first letter small.
  private static func phrase(_ sentence: String) -> String {
    let text = sentence.hasSuffix(".") ? sentence.dropLast() : sentence[...]
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}

/// Text in the language of man(7).
private struct Roff {
  enum Part {
    case plain(String)
    /// To be typed as it is.
    case literal(String)
    /// To be replaced by something.
    case variable(String)
  }

  private(set) var text = ""

  mutating func request(_ line: String) { text += line + "\n" }
  mutating func section(_ name: String) { text += ".SH \(name)\n" }
  mutating func subsection(_ name: String) { text += ".SS \(Self.escaped(name))\n" }

  mutating func paragraph(_ words: String) {
    text += ".PP\n" + Self.lines(words)
  }

  mutating func continuation(_ words: String) { text += Self.lines(words) }

  mutating func synopsis(_ parts: [Part]) {
    text += Self.inline(parts) + "\n.br\n"
  }

  mutating func item(_ title: [Part]) { text += ".TP\n" + Self.inline(title) + "\n" }

  /// Paragraphs; indented lines are examples, which stay as they are.
  mutating func text(_ words: String) {
    var isExample = false
    var needsParagraph = true
    for line in words.split(separator: "\n", omittingEmptySubsequences: false) {
      let isIndented = line.hasPrefix("  ")
      if isExample, !isIndented {
        text += ".fi\n.RE\n"
        isExample = false
      }
      if line.isEmpty {
        needsParagraph = true
      } else if isIndented {
        if !isExample { text += ".PP\n.RS 4\n.nf\n" }
        isExample = true
        text += Self.lines(String(line.dropFirst(2)))
      } else {
        if needsParagraph { text += ".PP\n" }
        needsParagraph = false
        text += Self.lines(String(line))
      }
    }
    if isExample { text += ".fi\n.RE\n" }
  }

  private static func inline(_ parts: [Part]) -> String {
    parts.map { part in
      switch part {
      case .plain(let text): escaped(text)
      case .literal(let text): "\\fB" + escaped(text) + "\\fR"
      case .variable(let text): "\\fI" + escaped(text) + "\\fR"
      }
    }.joined()
  }

  /// Whole lines, none of which is taken for a request.
  private static func lines(_ words: String) -> String {
    words.split(separator: "\n").map { line in
      let escaped = escaped(String(line))
      return (escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" : "") + escaped + "\n"
    }.joined()
  }

  /// Text as it is to be read: a plain hyphen may be broken at, and is not the minus that one types.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "…": result += "..."
      default: result.append(character)
      }
    }
    return result
  }
}
