package import ProfileModel

extension Profile {
  /// The profile with native functions named as people name them: without return types, parameters and
  /// long template arguments, as far as no other function of it would have the same name.
  ///
  /// For text that people read; costs a few steps for each distinct function.
  package func withShortNames() -> Profile {
    var names: [String: String] = [:]
    for frame in symbols {
      for line in frame.lines where names[line.function] == nil {
        names[line.function] = ShortName.bare(line.function)
      }
    }
    for shorten in [ShortName.withParameters, { $0 }] {
      for alike in Dictionary(grouping: names.keys, by: { names[$0] ?? $0 }).values
      where alike.count > 1 {
        for name in alike { names[name] = shorten(name) }
      }
    }
    var profile = self
    profile.symbols = symbols.map { frame in
      ResolvedFrame(
        lines: frame.lines.map { line in
          SourceLine(
            function: names[line.function] ?? line.function, linkageName: line.linkageName,
            file: line.file, line: line.line, isInlined: line.isInlined, language: line.language)
        }, module: frame.module)
    }
    return profile
  }
}

/// Shorter forms of demangled names, as demanglers of the Itanium ABI write them.
package enum ShortName {
  /// Columns of template arguments that are shown in full.
  private static let argumentLimit = 20
  /// Longer names are left alone: they would take long, and are shortened in the middle anyway.
  private static let lengthLimit = 20_000

  /// Without return type, parameters and long template arguments; the name itself where it is of
  /// another form.
  package static func bare(_ name: String) -> String {
    guard let parts = Parts(name) else { return withoutTags(name) }
    return withoutTags(shortened(parts.name))
  }

  /// Without the return type, and with short template arguments.
  static func withParameters(_ name: String) -> String {
    guard let parts = Parts(name) else { return withoutTags(name) }
    return withoutTags(shortened(parts.name) + shortened(parts.parameters))
  }

  /// Without ABI tags such as `[abi:cxx11]`, which compilers add to names.
  private static func withoutTags(_ name: String) -> String {
    guard name.utf8.count < lengthLimit else { return name }
    var result = ""
    var rest = name[...]
    while let tag = rest.firstRange(of: "[abi:"),
      let end = rest[tag.upperBound...].firstIndex(of: "]")
    {
      result += rest[..<tag.lowerBound]
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  /// A demangled function's name and parameters with their parentheses and what follows.
  private struct Parts {
    let name: Substring
    let parameters: Substring

    /// Nil for a name that has no parameters, such as one of C, Rust or Swift.
    init?(_ text: String) {
      guard text.utf8.count < lengthLimit, text.hasAnyOf("<("), !text.contains(" -> "),
        !text.hasPrefix("0x")
      else { return nil }
      guard let open = Self.startOfParameters(of: text) else {
        guard text.contains("<"), text.first != "<", text.contains("::") else { return nil }
        name = text[...]
        parameters = ""
        return
      }
      name = Self.withoutReturnType(text[..<open])
      parameters = text[open...]
    }

    private static let qualifiers = [" const", " volatile", " &&", " &", " noexcept"]

    /// Where the last parenthesis opens that only qualifiers and marks of clones follow.
    private static func startOfParameters(of text: String) -> String.Index? {
      var end = text[...]
      for _ in 0..<4 where end.hasSuffix("]") {
        guard let mark = end.range(ofLast: " [") else { break }
        end = end[..<mark.lowerBound]
      }
      while let qualifier = qualifiers.first(where: { end.hasSuffix($0) }) {
        end = end.dropLast(qualifier.count)
      }
      guard end.last == ")" else { return nil }
      var depth = 0
      for index in end.indices.reversed() {
        if end[index] == ")" { depth += 1 }
        if end[index] == "(" { depth -= 1 }
        guard depth == 0 else { continue }
        return index == text.startIndex || text[..<index].hasSuffix("operator") ? nil : index
      }
      return nil
    }

    /// What follows the last space outside brackets.
    private static func withoutReturnType(_ text: Substring) -> Substring {
      guard !text.contains(" for "), !text.contains(" to ") else { return text }
      var start = text.startIndex
      var scanner = BracketScanner(text)
      while let (index, depth) = scanner.next() {
        guard depth == 0, text[index] == " " else { continue }
        if index == scanner.endOfOperator || text[..<index].hasSuffix("operator") { break }
        let rest = text[text.index(after: index)...]
        // What is within a function with a qualifier, such as a lambda.
        if Self.qualifiers.contains(where: { rest.hasPrefix($0.dropFirst() + "::") }) { continue }
        start = text.index(after: index)
      }
      return text[start...]
    }
  }

  /// With long template arguments left out, and without inline namespaces of the standard library.
  private static func shortened(_ text: Substring) -> String {
    var result = ""
    var scanner = BracketScanner(text)
    var start: Substring.Index?
    while let (index, depth) = scanner.next() {
      if depth == 1, text[index] == "<", start == nil {
        start = index
      } else if depth == 0, let open = start, text[index] == ">" {
        result += "<" + arguments(text[text.index(after: open)..<index]) + ">"
        start = nil
      } else if start == nil {
        result.append(text[index])
      }
    }
    if let start { result += text[start...] }
    for space in ["std::__cxx11::", "std::__1::", "std::__ndk1::"] {
      result = result.replacing(space, with: "std::")
    }
    return result.replacing("std::basic_string<char, …>", with: "std::string")
  }

  private static func arguments(_ text: Substring) -> String {
    if text.count <= argumentLimit { return String(text) }
    var scanner = BracketScanner(text)
    while let (index, depth) = scanner.next() {
      guard depth == 0, text[index] == "," else { continue }
      let first = text[..<index]
      return first.count < argumentLimit ? first + ", …" : "…"
    }
    return "…"
  }
}

/// Goes through a name with the number of brackets that are open after each character.
///
/// The brackets of an operator's name are none.
private struct BracketScanner {
  private let text: Substring
  private var index: Substring.Index
  private var depth = 0
  /// Where the name of an operator ends.
  private(set) var endOfOperator: Substring.Index

  init(_ text: Substring) {
    self.text = text
    index = text.startIndex
    endOfOperator = text.startIndex
  }

  mutating func next() -> (Substring.Index, depth: Int)? {
    guard index < text.endIndex else { return nil }
    let here = index
    index = text.index(after: index)
    guard here >= endOfOperator else { return (here, depth) }
    switch text[here] {
    case "<", "(", "[", "{": depth += 1
    case ">", ")", "]", "}": depth = max(depth - 1, 0)
    case "o" where text[here...].hasPrefix("operator"):
      let after = text.index(here, offsetBy: 8)
      let symbols =
        text[after...].hasPrefix("()")
        ? 2 : text[after...].prefix { "<>=-!+*/%&|^~,[]".contains($0) }.count
      endOfOperator = text.index(after, offsetBy: symbols)
    default: break
    }
    return (here, depth)
  }
}

extension StringProtocol {
  fileprivate func hasAnyOf(_ characters: String) -> Bool {
    contains { characters.contains($0) }
  }
}
