package import ProfileAnalysis

/// What a report on a comparison shows, and how.
package struct ComparisonOptions: Sendable {
  /// A side of the comparison.
  package struct Side: Sendable {
    /// The capture's path, or how many captures there are.
    package let name: String
    /// Of all its captures together.
    package let seconds: Double

    package init(name: String, seconds: Double) {
      self.name = name
      self.seconds = seconds
    }

    var words: String { "\(name.replacingQuotes) (\(Figures.fixed(seconds, decimals: 2)) s)" }
  }

  /// The captures before.
  package var before: Side
  /// The captures after.
  package var after: Side
  /// Rows of a table.
  package var top: Int
  /// Whether changes within noise are shown, too.
  package var showsAll: Bool
  /// Whether headings and the like are highlighted by escape sequences.
  package var color: Bool
  /// Columns of the longest line; at least 60.
  package var width: Int
  /// The outcome of each bound that the user set.
  package var verdicts: [LimitVerdict]

  package init(
    before: Side, after: Side, top: Int = 20, showsAll: Bool = false, color: Bool = false,
    width: Int = 100, verdicts: [LimitVerdict] = []
  ) {
    self.before = before
    self.after = after
    self.top = max(top, 0)
    self.showsAll = showsAll
    self.color = color
    self.width = max(width, 60)
    self.verdicts = verdicts
  }
}

/// A bound that the user set, and its outcome.
package struct LimitVerdict: Sendable {
  package let limit: ComparisonLimit
  package let verdict: ComparisonLimit.Verdict

  package init(_ limit: ComparisonLimit, _ verdict: ComparisonLimit.Verdict) {
    self.limit = limit
    self.verdict = verdict
  }

  /// Whether the command is to fail.
  package var isExceeded: Bool {
    switch verdict {
    case .exceeded, .froze(_, isExceeded: true): true
    case .kept, .noSuchFunction, .cannotTell, .froze, .noFreezesKnown: false
    }
  }

  /// Whether the bound is on something that neither side has, so that it says nothing.
  package var isUnknown: Bool {
    switch verdict {
    case .noSuchFunction, .noFreezesKnown: true
    case .exceeded, .kept, .cannotTell, .froze: false
    }
  }

  /// Whether the bound is kept.
  package var isKept: Bool {
    switch verdict {
    case .kept, .froze(_, isExceeded: false): true
    case .exceeded, .noSuchFunction, .cannotTell, .froze, .noFreezesKnown: false
    }
  }

  /// The outcome in a sentence.
  package var words: String {
    let name = "--fail-if '\(limit.text.replacingQuotes)'"
    switch verdict {
    case .exceeded(let change): return "\(name): exceeded, \(change.words)"
    case .kept(let change): return "\(name): not exceeded, \(change.words)"
    case .noSuchFunction(let nearest):
      let names = nearest.map(\.shortName).joined(separator: ", ")
      return "\(name): neither side has such a function"
        + (names.isEmpty ? "." : "; the nearest names are: \(names).")
    case .froze(let side, let isExceeded):
      return "\(name): \(isExceeded ? "exceeded" : "not exceeded"), \(side.words)"
    case .noFreezesKnown: return "\(name): the captures have no record of freezes"
    case .cannotTell: return "\(name): undecided, the captures are too short"
    }
  }
}
