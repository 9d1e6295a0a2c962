/// Names from the program as a report may show them: any of them may have been chosen to mislead a
/// reader or to control a terminal.
enum PlainText {
  /// The text with everything that does not show as itself written as `\u{1B}`, or `\n`, `\r` and `\t`.
  ///
  /// That is control characters, marks that change the direction of writing, invisible ones, line
  /// separators and code points without a meaning of their own.
  static func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isPrintable(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        result += escape(of: scalar)
      }
    }
    return result
  }

  private static func escape(of scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
    }
  }

  /// Whether a character shows as itself.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
    if scalar.properties.isDefaultIgnorableCodePoint { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      return false
    case .spaceSeparator:
      return false
    default:
      return true
    }
  }

  /// Columns that a terminal needs for printable text, or a few more: a combining mark counts as
  /// one, so that a line of them stays short.
  static func columns(_ text: some StringProtocol) -> Int {
    text.utf8.allSatisfy { $0 < 0x80 }
      ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + columns($1) }
  }

  private static func columns(_ scalar: Unicode.Scalar) -> Int {
    // The blocks of East Asian Width W and F (Unicode Annex 11), roughly: gaps count as wide.
    switch scalar.value {
    case 0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23F3, 0x25FD...0x25FE,
      0x2614...0x2615, 0x2648...0x2653, 0x267F...0x27BF, 0x2B1B...0x2B55, 0x2E80...0xA4CF,
      0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE6F, 0xFF01...0xFF60,
      0xFFE0...0xFFE6, 0x16FE0...0x1B2FF, 0x1F000...0x1FAFF, 0x20000...0x3FFFD:
      2
    default: 1
    }
  }

  /// The text in at most `width` columns, with `…` in place of what is left out of its middle; of an address
  /// the last digits, which tell it from others.
  static func shortenedInMiddle(_ text: String, to width: Int) -> String {
    if columns(text) <= width { return text }
    if isAddress(text) { return shortenedAtLeft(text, to: width) }
    guard width > 1 else { return width == 1 ? "…" : "" }
    let tail = suffix(of: text, columns: (width - 1) / 2)
    return prefix(of: text, columns: width - 1 - (width - 1) / 2) + "…" + tail
  }

  /// The columns that a name needs, so that it can be recognised: an address all of its own.
  static func leastColumns(ofName name: String) -> Int {
    let all = columns(name)
    return isAddress(name) ? all : min(all, 8)
  }

  /// Whether a name is an address of code of which no more is known.
  private static func isAddress(_ name: String) -> Bool {
    name.hasPrefix("0x") && name.utf8.count <= 18 && name.dropFirst(2).allSatisfy(\.isHexDigit)
  }

  /// The text in at most `width` columns, with `…` in place of its beginning: for paths.
  static func shortenedAtLeft(_ text: String, to width: Int) -> String {
    if columns(text) <= width { return text }
    guard width > 1 else { return width == 1 ? "…" : "" }
    let kept = suffix(of: text, columns: width - 1)
    // Whole parts of the path read better; a part that is long is cut all the same.
    if let slash = kept.firstIndex(of: "/"), kept.distance(from: kept.startIndex, to: slash) < 16,
      kept.index(after: slash) < kept.endIndex
    {
      return "…" + kept[slash...]
    }
    return "…" + kept
  }

  /// The text in at most `width` columns, with `…` in place of its end.
  static func shortenedAtRight(_ text: String, to width: Int) -> String {
    if columns(text) <= width { return text }
    return width < 1 ? "" : prefix(of: text, columns: width - 1) + "…"
  }

  /// The words of a text, each figure together with its unit: `31.4 %`, `7 h 5 min`.
  static func unbreakableParts(of text: String) -> [String] {
    var parts: [String] = []
    var isOpen = false
    for word in text.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      let last = parts.last ?? ""
      let isUnit = isOpen && units.contains(word.filter { !",.;:)".contains($0) })
      let isSecondFigure = isFigure(word) && timeUnits.contains { last.hasSuffix(" " + $0) }
      if isUnit || isSecondFigure {
        parts[parts.count - 1] = last + " " + word
      } else {
        parts.append(word)
      }
      isOpen = isFigure(word)
    }
    return parts
  }

  private static let timeUnits = ["d", "h", "min"]
  private static let units: Set = [
    "%", "ns", "µs", "ms", "s", "min", "h", "d", "days", "s/s", "Hz", "MiB",
  ]

  /// Whether a word is a number, perhaps with a sign or a parenthesis before it.
  private static func isFigure(_ word: String) -> Bool {
    let digits = word.drop { "(+-<×".contains($0) }
    return digits.first?.isWholeNumber ?? false
      && digits.allSatisfy { $0.isWholeNumber || $0 == "." }
  }

  static func paddedAtRight(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - columns(text)))
  }

  static func paddedAtLeft(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - columns(text))) + text
  }

  private static func prefix(of text: String, columns limit: Int) -> String {
    var used = 0
    let kept = text.unicodeScalars.prefix { scalar in
      used += columns(scalar)
      return used <= limit
    }
    return String(kept)
  }

  private static func suffix(of text: String, columns limit: Int) -> String {
    var used = 0
    var start = text.unicodeScalars.endIndex
    while start > text.unicodeScalars.startIndex {
      let before = text.unicodeScalars.index(before: start)
      used += columns(text.unicodeScalars[before])
      if used > limit { break }
      start = before
    }
    return String(text.unicodeScalars[start...])
  }
}

extension String {
  /// The text as a terminal may show it, with what would control one written as `\u{1B}`.
  package var printable: String { PlainText.printable(self) }

  /// The same of each line of the text.
  package var printableLines: String {
    split(separator: "\n", omittingEmptySubsequences: false)
      .map { PlainText.printable(String($0)) }.joined(separator: "\n")
  }
}
