extension FunctionName {
  /// The name for look-ups: without parameters, version, hash, anonymous namespaces, and the
  /// underscores that a C library puts in front of its own functions.
  package static func plain(_ name: String) -> String {
    let bare = bare(name)
    guard bare.utf8.first == UInt8(ascii: "_") else { return bare }
    var rest = bare.drop { $0 == "_" }
    if rest.hasPrefix("GI_") { rest = rest.dropFirst(3).drop { $0 == "_" } }
    return String(rest)
  }

  /// The name without parameters, version (`@@GLIBC_2.34`), hash and anonymous namespaces.
  static func bare(_ name: String) -> String {
    var text = name
    if name.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }) {
      text = normalized(name).replacing("(anonymous namespace)::", with: "")
    }
    // Demangled C++ only: the methods of Go have parentheses of their own, such as `(*T).Run`.
    if text.utf8.last == UInt8(ascii: ")") || text.hasSuffix(" const"),
      let start = text.firstIndex(of: "("), start != text.startIndex,
      !text[..<start].hasSuffix("operator"), !text[..<start].hasSuffix(".")
    {
      text = String(text[..<start])
    }
    if let at = text.firstIndex(of: "@"), at != text.startIndex { text = String(text[..<at]) }
    return text
  }
}
