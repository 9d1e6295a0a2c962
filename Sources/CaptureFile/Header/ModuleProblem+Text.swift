internal import ProfileModel

extension ModuleProblem {
  private static let fixed: [Self] = [
    .replaced, .deleted, .changed, .otherMachine, .notELF, .unsupportedClass, .cutOff,
  ]

  /// The problem that a capture has these words for.
  init(text: String) {
    self =
      Self.fixed.first { $0.words == text } ?? LinesProblem(text: text).map { .lines($0) }
      ?? .other(text)
  }
}

extension LinesProblem {
  /// The problem that a capture has these words for; nil where they are about something else.
  init?(text: String) {
    guard Self.beginnings.contains(where: { text.hasPrefix($0) }) else { return nil }
    let problem = Self.parse(text)
    self = problem.flatMap { $0.words == text ? $0 : nil } ?? .other(text)
  }

  private static func parse(_ text: String) -> Self? {
    if let values = text.values(
      "no lines: its ", " has ", " MiB, more than the ", " MiB that are read"),
      let size = UInt64(values[1]), let limit = UInt64(values[2])
    {
      return .tooLarge(section: values[0], size: size, limit: limit)
    }
    if let values = text.values(
      "no lines: its ", " is compressed in a way that sprof does not know")
    {
      return .unsupportedCompression(section: values[0])
    }
    if let values = text.values("no lines: its debug data cannot be read (", ")") {
      return .unreadable(reason: values[0])
    }
    if let values = text.values(
      "no lines: reading its debug data would take about ", ", more than is left of ",
      " (--symbols-timeout)")
    {
      return .tooSlow(cost: values[0], limit: values[1])
    }
    if let values = text.values(
      "lines and inlined functions are missing: reading them took longer than ",
      " (--symbols-timeout)")
    {
      return .timeOver(limit: values[0])
    }
    return text.values(
      "inlined functions are missing: no ", ", into which they were compiled (-gsplit-dwarf)"
    ).map { .noSplitFile($0[0]) }
  }
}

extension String {
  /// A text of a capture that is longer is not looked into.
  private static let sizeLimit = 1 << 13

  /// What is between the pieces that a text is made of, from the first, with which it begins, to the last,
  /// with which it ends; nil for a text of other pieces.
  func values(_ pieces: String...) -> [String]? {
    guard utf8.count <= Self.sizeLimit, let first = pieces.first, let last = pieces.last,
      hasPrefix(first), hasSuffix(last), utf8.count >= first.utf8.count + last.utf8.count
    else { return nil }
    var rest = dropFirst(first.count).dropLast(last.count)
    var values: [String] = []
    for piece in pieces.dropFirst().dropLast() {
      guard let range = rest.firstRange(of: piece) else { return nil }
      values.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return values + [String(rest)]
  }
}
