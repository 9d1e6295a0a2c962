/// The name of a function without what a compiler adds to it from one build to the next.
package enum FunctionName {
  /// The name without clone suffixes (`.isra.0`, `.constprop.1`, `.part.0`, `.cold`, `.llvm.123`),
  /// without the hash of a Rust symbol, and with `*` for the numbers of lambdas and closures.
  package static func normalized(_ name: String) -> String {
    withoutLambdaNumbers(withoutSuffixes(name))
  }

  /// The same with the numbers of lambdas, which tell those of one function apart; without those of Java, where
  /// they are others in each run.
  static func numbered(_ name: String) -> String {
    let text = withoutSuffixes(name)
    return text.contains("$$Lambda$") ? withoutLambdaNumbers(text) : String(text)
  }

  private static func withoutSuffixes(_ name: String) -> Substring {
    let text = withoutCloneSuffixes(name[...])
    if let separator = text.range(ofLast: "::h"), isRustHash(text[separator.upperBound...]) {
      return text[..<separator.lowerBound]
    }
    return text
  }

  private static let cloneWords: Set<Substring> = [
    "isra", "constprop", "part", "cold", "llvm", "lto_priv", "clone", "localalias", "specialized",
    "warm", "hot", "unlikely", "resume", "destroy",
  ]

  private static func withoutCloneSuffixes(_ name: Substring) -> Substring {
    var text = name
    // c++filt and libiberty write `f(int) [clone .isra.0]`.
    while text.hasSuffix("]"), let clone = text.range(ofLast: " [clone ") {
      text = text[..<clone.lowerBound]
    }
    while let dot = text.lastIndex(of: "."), dot > text.startIndex {
      let last = text[text.index(after: dot)...]
      if cloneWords.contains(last) {
        text = text[..<dot]
      } else if isNumber(last), let wordDot = text[..<dot].lastIndex(of: "."),
        wordDot > text.startIndex, cloneWords.contains(text[..<dot][text.index(after: wordDot)...])
      {
        text = text[..<wordDot]
      } else if isNumber(last) {
        text = text[..<dot]
      } else {
        break
      }
    }
    return text
  }

  private static func isNumber(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func isRustHash(_ text: Substring) -> Bool {
    text.utf8.count == 16 && text.allSatisfy(\.isHexDigit)
  }

  /// What is before the line of a lambda that has no name in the debug data.
  private static let lambdaLine = "{lambda at line "

  /// `{lambda at line 12}`, `{lambda()#2}`, `{{closure}}#1`, `closure #3 in f`, `$_0` (clang) and `$$Lambda$469/0x…`
  /// (Java).
  private static func withoutLambdaNumbers(_ text: Substring) -> String {
    guard text.contains("#") || text.contains("$") || text.contains(lambdaLine) else {
      return String(text)
    }
    var result = ""
    var rest = text
    while let character = rest.popFirst() {
      result.append(character)
      let startsNumber =
        character == "#" || result.hasSuffix(lambdaLine) || result.hasSuffix("$_")
        || result.hasSuffix("$$Lambda$")
      guard startsNumber, let next = rest.first, next.isNumber || next.isHexDigit else { continue }
      let number = rest.prefix { $0.isNumber }
      guard !number.isEmpty else { continue }
      rest = rest.dropFirst(number.count)
      result.append("*")
      if result.hasSuffix("$$Lambda$*"), rest.hasPrefix("/0x") {
        rest = rest.dropFirst(3).drop { $0.isHexDigit }
      }
    }
    return result
  }
}

extension Substring {
  /// The last place of a text; nil when it is not there.
  func range(ofLast text: String) -> Range<Index>? {
    guard count >= text.count else { return nil }
    var start = index(endIndex, offsetBy: -text.count)
    while true {
      if self[start...].hasPrefix(text) {
        return start..<index(start, offsetBy: text.count)
      }
      guard start > startIndex else { return nil }
      start = index(before: start)
    }
  }
}
