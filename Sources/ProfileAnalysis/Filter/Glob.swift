/// A pattern for whole names, as in a shell.
package struct Glob: Sendable {
  /// The pattern as the user wrote it.
  package let text: String
  /// Whether a `[` in it begins a set that no `]` ends, so that it stands for itself.
  package let hasOpenSet: Bool
  private let parts: [GlobPart]

  /// `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before a character that stands for itself.
  package init(_ text: String) {
    self.text = text
    (parts, hasOpenSet) = GlobPart.parse(text)
  }

  /// Whether the pattern matches all of `name`.
  ///
  /// Goes back to the last `*` alone, so that the time is at most the product of the lengths.
  package func matches(_ name: String) -> Bool {
    let name = Array(name.unicodeScalars)
    var part = 0
    var position = 0
    var afterStar: (part: Int, position: Int)?
    while position < name.count {
      if part < parts.count, case .anyRun = parts[part] {
        part += 1
        afterStar = (part, position)
      } else if part < parts.count, parts[part].matches(name[position]) {
        part += 1
        position += 1
      } else if let star = afterStar {
        part = star.part
        position = star.position + 1
        afterStar = (part, position)
      } else {
        return false
      }
    }
    return parts[part...].allSatisfy { $0.isAnyRun }
  }
}

private enum GlobPart: Sendable {
  case literal(Unicode.Scalar)
  case any
  case anyRun
  case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

  var isAnyRun: Bool {
    if case .anyRun = self { return true }
    return false
  }

  func matches(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .literal(let literal): literal == scalar
    case .any: true
    case .anyRun: false
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }

  static func parse(_ glob: String) -> (parts: [GlobPart], hasOpenSet: Bool) {
    var hasOpenSet = false
    var rest = glob.unicodeScalars[...]
    var parts: [GlobPart] = []
    while let scalar = rest.popFirst() {
      switch scalar {
      case "*":
        // Several stars in a row say no more than one.
        if parts.last?.isAnyRun != true { parts.append(.anyRun) }
      case "?": parts.append(.any)
      case "[":
        let set = parseSet(&rest)
        hasOpenSet = hasOpenSet || set == nil
        parts.append(set ?? .literal("["))
      case "\\": parts.append(.literal(rest.popFirst() ?? "\\"))
      default: parts.append(.literal(scalar))
      }
    }
    return (parts, hasOpenSet)
  }

  /// Reads a set whose `[` has been read; nil, with nothing consumed, when it is never closed.
  private static func parseSet(_ input: inout Substring.UnicodeScalarView) -> GlobPart? {
    var rest = input
    let isNegated = rest.first == "!" || rest.first == "^"
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    // A `]` that comes first stands for itself, as in fnmatch(3).
    while let low = rest.popFirst() {
      if low == "]" && !ranges.isEmpty {
        input = rest
        return .set(ranges, isNegated: isNegated)
      }
      let next = rest.dropFirst()
      guard rest.first == "-", let high = next.first, high != "]" else {
        ranges.append(low...low)
        continue
      }
      rest = next.dropFirst()
      // A range that runs backwards stands for its first bound alone.
      ranges.append(low <= high ? low...high : low...low)
    }
    return nil
  }
}
