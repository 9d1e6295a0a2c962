internal import ProfileAnalysis
internal import ProfileModel

/// The figures of a change as columns.
struct ChangeCells {
  let line: String

  init(_ change: Comparison.Change) {
    let interval = change.interval.map {
      "\(Figures.signed($0.lowerBound)) … \(Figures.signed($0.upperBound))"
    }
    line = Self.line([
      Figures.fixed(change.before, decimals: 3), Figures.fixed(change.after, decimals: 3),
      Figures.signed(change.change), change.ratio.map(Figures.signedPercent) ?? "",
      interval ?? "not tested",
    ])
  }

  static func header(_ what: String) -> String {
    line(["before", "after", "change", "%", "95 % interval"]) + "  " + what
  }

  /// Columns of the figures.
  static var width: Int { widths.reduce(2, +) }

  private static let widths = [8, 8, 9, 9, 19]

  private static func line(_ cells: [String]) -> String {
    zip(cells, widths).map { PlainText.paddedAtLeft($0, to: $1) }.joined() + "  "
  }
}

extension Figures {
  /// A change in seconds per second.
  static func signed(_ value: Double) -> String {
    signed(value, decimals: 3)
  }

  private static func signed(_ value: Double, decimals: Int) -> String {
    (scaled(value, decimals: decimals) > 0 ? "+" : "") + fixed(value, decimals: decimals)
  }

  /// A change in percent, for a table.
  static func signedPercent(_ ratio: Double) -> String {
    guard ratio < 99.995 else { return "×\(fixed(ratio + 1, decimals: 0))" }
    return signed(ratio * 100, decimals: 1)
  }
}

extension Comparison {
  /// Whether a change comes before another one: more time before less, then by size.
  func order(_ left: Change, _ right: Change) -> Bool {
    func rank(_ change: Change) -> (Int, Int, Double) {
      (change.isSignificant ? 0 : 1, change.change > 0 ? 0 : 1, -change.change.magnitude)
    }
    return rank(left) < rank(right)
  }

  /// A finding as a sentence.
  func sentence(_ finding: Finding) -> String {
    let function = functions[finding.function]
    let verb: String
    switch (function.isBefore, function.isAfter) {
    case (false, true): verb = "is new:"
    case (true, false): verb = "is gone:"
    default: verb = finding.timing.change.change > 0 ? "takes more time:" : "takes less time:"
    }
    return "\(PlainText.shortenedInMiddle(PlainText.printable(function.name), to: 60)) \(verb) "
      + finding.timing.change.words + ", " + finding.timing.parts(wait: function.wait)
  }

  /// A change that may be one, as a part of a sentence.
  func sentence(_ possible: PossibleChange) -> String {
    let verb = possible.change.change > 0 ? "may take more time" : "may take less time"
    switch possible.subject {
    case .function(let index, let isOwn):
      let function = functions[index]
      let timing = isOwn ? function.own : function.inclusive
      let name = PlainText.shortenedInMiddle(PlainText.printable(function.name), to: 60)
      return "\(name) \(verb): \(possible.change.words), \(timing.parts(wait: function.wait))"
    case .threads(let index, let isBlocked):
      return "threads \(threads[index].words) \(verb) \(isBlocked ? "blocked" : "on a CPU"): "
        + possible.change.words
    case .all(let isBlocked):
      return "all threads together \(verb) \(isBlocked ? "blocked" : "on a CPU"): "
        + possible.change.words
    }
  }

  /// How large a change must be to be detected, and how much longer captures would detect 2 %.
  var needWords: String? {
    guard let need else { return nil }
    let name = PlainText.shortenedInMiddle(
      PlainText.printable(functions[need.function].name), to: 50)
    let visible = Figures.percent(need.visible)
    guard need.moreSeconds > 0 else {
      return "In \(name), the busiest function, changes of \(visible) % or more would be detected "
        + "in four of five such comparisons."
    }
    return
      "In \(name), the busiest function, a change of \(visible) % would be detected in four of "
      + "five such comparisons. To detect 2 %, each side needs about "
      + "\(Figures.roughly(seconds: need.moreSeconds)) more."
  }
}

extension Comparison.PossibleChange {
  /// What to do to be sure, as a sentence.
  var wayToBeSure: String {
    let load =
      mayBeLoad
      ? "Other waiting for a CPU on the two sides may explain it: sample both under the same load"
      : ""
    switch (seconds, mayBeLoad) {
    case (let seconds?, true):
      return load + ", each for \(Figures.roughly(seconds: seconds)) or more."
    case (let seconds?, false):
      return "To be sure, sample each side for about \(Figures.roughly(seconds: seconds))."
    case (nil, true): return load + ", several times each (--before, --after)."
    case (nil, false):
      return
        "To be sure, sample each side several times (--before, --after): two runs of one program "
        + "may differ by as much."
    }
  }
}

extension Comparison.Change {
  /// The change with its interval, as a part of a sentence.
  var words: String {
    var text =
      "\(Figures.fixed(before, decimals: 3)) → \(Figures.fixed(after, decimals: 3)) s/s "
      + "(\(Figures.signed(change))"
    if let ratio { text += ", \(Figures.signedPercent(ratio)) %" }
    if let interval {
      text +=
        "; 95 %: \(Figures.signed(interval.lowerBound)) to \(Figures.signed(interval.upperBound))"
    }
    return text + ")"
  }
}

extension Comparison.Timing {
  /// Where the change was spent, as a part of a sentence.
  func parts(wait: String?) -> String { spent(wait: wait).joined(separator: ", ") }

  private func spent(wait: String?) -> [String] {
    let blocked = after.blocked - before.blocked
    let place = wait.map { " in " + PlainText.printable($0) } ?? ""
    return [
      "on a CPU \(Figures.signed(after.cpu - before.cpu))",
      "blocked\(place) " + Figures.signed(blocked),
    ]
  }

  /// What stands below a row.
  func clauses(wait: String?) -> [String] {
    let delay = after.delay - before.delay
    let isShown = Figures.scaled(delay, decimals: 3) != 0
    return ["share \(Figures.percent(shareBefore)) → \(Figures.percent(shareAfter)) %"]
      + spent(wait: wait) + (isShown ? ["waiting for a CPU " + Figures.signed(delay)] : [])
  }
}

extension Comparison.Function {
  /// What a reader should know about how the functions of both sides were matched.
  var note: String? {
    switch match {
    case .renamed: return "was \(PlainText.printable(oldName ?? "")) before"
    case .moved:
      let place = oldFile?.lastPathPart
      return place.map { "was in \(PlainText.printable($0)) before" }
        ?? "was in another module before"
    case .same, .unmatched:
      guard isBefore && isAfter else { return nil }
      if isInlined && !wasInlined { return "is now inlined" }
      if wasInlined && !isInlined { return "is no longer inlined" }
      return nil
    }
  }

  var shortMark: String {
    switch (isBefore, isAfter) {
    case (false, true): " (new)"
    case (true, false): " (gone)"
    default:
      switch match {
      case .renamed: " (renamed)"
      case .moved: " (moved)"
      case .same, .unmatched: ""
      }
    }
  }
}

extension Comparison.Threads {
  var words: String {
    let counts =
      countBefore == countAfter
      ? (countAfter == 1 ? "" : " ×\(Figures.plain(countAfter))")
      : " ×\(Figures.plain(countBefore)) → ×\(Figures.plain(countAfter))"
    return "\"\(name.replacingQuotes)\"\(counts)"
  }
}

extension [String] {
  /// Names of callers and callees, without the middle where there are many.
  var shortChain: String {
    let names = map { PlainText.shortenedInMiddle(PlainText.printable($0), to: 40) }
    guard names.count > 8 else { return names.joined(separator: " > ") }
    return (names.prefix(3) + ["…"] + names.suffix(4)).joined(separator: " > ")
  }
}

extension ComparisonWarning {
  /// The warning as a sentence.
  var words: String {
    switch self {
    case .otherBuild:
      "the builds differ; functions are matched by name"
    case .otherProgram(let before, let after):
      "the programs differ: \(before.shortName) before, \(after.shortName) after"
    case .otherHost(let before, let after):
      "the machines differ: \(before.shortName) before, \(after.shortName) after"
    case .otherRate(let before, let after):
      "the rates differ: \(Figures.plain(before)) Hz before, \(Figures.plain(after)) Hz after; "
        + "figures are per second of wall time and remain comparable"
    case .otherDepth(let before, let after):
      "the depths of the stacks differ: \(Self.depth(before)) before, \(Self.depth(after)) after; "
        + "compare self times, not totals"
    case .lateTicks(let isAfter, let share):
      "\(Self.side(isAfter)): \(Figures.percent(share)) % of the ticks were late: sprof or the "
        + "machine was too busy for the rate"
    case .fewSamples(let isAfter, let count):
      "\(Self.side(isAfter)): only \(Figures.count(count, "sample")), too few to see small changes"
    case .fewWindows(let isAfter, let count):
      "\(Self.side(isAfter)): only \(Figures.count(Int64(count), "time window")), too few to "
        + "tell changes from noise"
    case .samplesDropped(let isAfter, let count):
      "\(Self.side(isAfter)): \(Figures.count(count, "sample")) dropped"
    case .otherThreads(let isAfter, let names):
      "threads only \(Self.side(isAfter)): "
        + names.prefix(8).map(\.shortName).joined(separator: ", ")
        + (names.count > 8 ? " and \(names.count - 8) more" : "")
    case .otherLoad(let before, let after):
      "the machine was \(after > before ? "busier" : "less busy") after: threads waited "
        + "\(Figures.fixed(before, decimals: 3)) s/s for a CPU before, "
        + "\(Figures.fixed(after, decimals: 3)) s/s after; changes which that explains do not count"
    case .noThreads(let isAfter):
      "\(Self.side(isAfter)): no threads were sampled"
    }
  }

  private static func depth(_ frames: Int?) -> String {
    frames.map { $0 == 1 ? "no callers" : "at most \($0) frames" } ?? "whole stacks"
  }

  private static func side(_ isAfter: Bool) -> String { isAfter ? "after" : "before" }
}
