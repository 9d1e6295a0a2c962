extension FunctionName {
  /// Whether a user who writes `wanted` may mean the function `name`: its whole name, or its end from
  /// any scope on, without what a user leaves out.
  ///
  /// `(anonymous namespace)::ns::f(int)` and `void ns::f<int>(int)` are `f` and `ns::f`. With
  /// parameters or template arguments in `wanted`, those of the name count.
  package static func matches(_ name: String, _ wanted: String) -> Bool {
    let wanted = withoutAnonymousScopes(normalized(wanted))
    let name = withoutAnonymousScopes(normalized(name))
    guard !wanted.isEmpty else { return false }
    if name == wanted { return true }
    let pattern = NameParts(wanted)
    let parts = NameParts(name)
    if pattern.hasParameters { return isEnd(wanted, of: parts.withoutReturnType) }
    if pattern.hasArguments { return isEnd(wanted, of: parts.withoutParameters) }
    return isEnd(wanted, of: parts.plain)
  }

  /// The name without scopes, parameters, template arguments and return type.
  package static func base(_ name: String) -> String {
    let plain = NameParts(withoutAnonymousScopes(normalized(name))).plain
    guard let start = plain.lastIndex(where: { $0 == ":" || $0 == "." || $0 == "/" }) else {
      return plain
    }
    let base = plain[plain.index(after: start)...]
    return base.isEmpty ? plain : String(base)
  }

  /// Whether `end` is all of `name`, or begins after a `::`, `.` (Go, Python, Swift) or `/` (Go).
  private static func isEnd(_ end: String, of name: String) -> Bool {
    guard name.hasSuffix(end) else { return false }
    let scope = name.dropLast(end.count)
    return scope.isEmpty || scope.hasSuffix("::") || scope.hasSuffix(".") || scope.hasSuffix("/")
  }

  /// As binutils, LLVM and GCC write them.
  private static func withoutAnonymousScopes(_ name: String) -> String {
    guard name.utf8.contains(UInt8(ascii: "a")), name.contains("anonymous") else { return name }
    return ["(anonymous namespace)::", "`anonymous namespace'::", "{anonymous}::"]
      .reduce(name) { $0.replacing($1, with: "") }
  }
}

/// A demangled name taken apart, as far as its brackets are paired.
private struct NameParts {
  private(set) var hasParameters = false
  private(set) var hasArguments = false
  /// With template arguments and parameters, such as `ns::f<int>(int)`.
  private(set) var withoutReturnType = ""
  /// With template arguments, such as `ns::f<int>`.
  private(set) var withoutParameters = ""
  /// Such as `ns::f`.
  private(set) var plain = ""

  init(_ name: String) {
    var rest = name[...]
    while let character = rest.first {
      if let token = Self.operatorName(rest, after: plain) {
        append(token)
        rest = rest.dropFirst(token.count)
      } else if let group = Self.group(rest, after: plain) {
        append(group: group, of: character)
        rest = rest.dropFirst(group.count)
      } else if character == " ", rest.hasPrefix(" -> ") {
        // The result of a function of Swift.
        break
      } else if character == " ", !plain.isEmpty, Self.isQualifiers(rest) {
        withoutReturnType += rest
        break
      } else {
        append(rest.prefix(1))
        rest = rest.dropFirst()
      }
    }
    if plain.last == " " { plain.removeLast() }
    dropReturnType()
  }

  private mutating func append(_ text: Substring) {
    withoutReturnType += text
    withoutParameters += text
    plain += text
  }

  private mutating func append(group: Substring, of opening: Character) {
    withoutReturnType += group
    if opening == "(" {
      hasParameters = true
    } else {
      hasArguments = true
      withoutParameters += group
    }
  }

  /// Only the demangled name of a template's instance begins with its return type.
  ///
  /// Names of closures have words of their own: `closure #1 in run`.
  private mutating func dropReturnType() {
    guard hasArguments, !plain.contains("#"), !plain.contains(" in "), !plain.contains(" for ")
    else { return }
    let types = plain.firstRange(of: "operator")?.lowerBound ?? plain.endIndex
    guard plain[..<types].contains(" ") else { return }
    plain = Self.afterLastSpace(plain)
    withoutParameters = Self.afterLastSpace(withoutParameters)
    withoutReturnType = Self.afterLastSpace(withoutReturnType)
  }

  /// The text after the last space that stands in no brackets and before any operator's name.
  private static func afterLastSpace(_ text: String) -> String {
    var start = text.startIndex
    var depth = 0
    var end = text.endIndex
    if let name = text.firstRange(of: "operator") { end = name.lowerBound }
    for position in text[..<end].indices {
      switch text[position] {
      case "(", "<", "[", "{":
        // What follows the parameters is no return type.
        if depth == 0, text[position] == "(" { return String(text[start...]) }
        depth += 1
      case ")", ">", "]", "}": depth -= 1
      case " " where depth == 0: start = text.index(after: position)
      default: break
      }
    }
    return String(text[start...])
  }

  private static let operators = [
    "()", "<=>", "<<=", ">>=", "<<", ">>", "<=", ">=", "->*", "->", "<", ">",
  ]

  /// `operator<` and the like at the beginning, whose signs are no brackets.
  private static func operatorName(_ text: Substring, after before: String) -> Substring? {
    guard text.first == "o", text.hasPrefix("operator"),
      !(before.last.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false)
    else { return nil }
    let signs = text.dropFirst("operator".count)
    guard let sign = operators.first(where: { signs.hasPrefix($0) }) else { return nil }
    return text.prefix("operator".count + sign.count)
  }

  /// Parameters or template arguments at the beginning, with their brackets; nil where there are none,
  /// or the closing bracket is missing.
  private static func group(_ text: Substring, after before: String) -> Substring? {
    guard let opening = text.first, opening == "(" || opening == "<" else { return nil }
    // `<T as Trait>::f` of Rust and `main.(*T).f` of Go are scopes, `<module>` of Python is a name.
    // `operator< <int>` has a space between two signs.
    guard let last = before.last, last != ":", last != ".", last != "/",
      last != " " || operators.contains(where: { before.hasSuffix("operator\($0) ") })
    else { return nil }
    var depth = 0
    for position in text.indices {
      switch text[position] {
      case "(", "<", "[", "{": depth += 1
      case ">":
        // The arrow of a function type closes nothing.
        let isArrow = position > text.startIndex && text[text.index(before: position)] == "-"
        if !isArrow { depth -= 1 }
      case ")", "]", "}": depth -= 1
      default: continue
      }
      if depth == 0 { return text[...position] }
    }
    return nil
  }

  /// Whether only ` const`, ` &` and the like are left.
  private static func isQualifiers(_ text: Substring) -> Bool {
    text.split(separator: " ").allSatisfy {
      ["const", "volatile", "&", "&&", "noexcept"].contains($0)
    }
  }
}
