package import ProfileAnalysis

/// What changed between two sides, as plain text for a person.
package struct ComparisonReport {
  let comparison: Comparison
  private let options: ComparisonOptions

  /// A report on `comparison`.
  package init(_ comparison: Comparison, options: ComparisonOptions) {
    self.comparison = comparison
    self.options = options
  }

  /// Writes the report; each line ends with a newline and stays within the width of the options.
  package func write(to output: inout some TextOutputStream) {
    var page = Page(output, width: options.width, color: options.color)
    page.paragraph(
      "sprof compare: \(options.before.words) with \(options.after.words)", style: .strong)
    for warning in comparison.warnings { page.paragraph("note: \(warning.words)", indent: 6) }
    page.space()
    writeVerdict(to: &page)
    writeTotals(to: &page)
    writeFunctions(to: &page, "Functions, with what they called") { $0.inclusive }
    writeFunctions(to: &page, "Functions, by themselves") { $0.own }
    writeThreads(to: &page)
    writeNeed(to: &page)
    for verdict in options.verdicts { page.paragraph(verdict.words, style: .strong) }
    output = page.output
  }

  // MARK: - In a sentence

  private func writeVerdict(to page: inout Page<some TextOutputStream>) {
    for line in comparison.verdictLines {
      page.paragraph(line.words, indent: line.indent, style: line.isFirst ? .strong : .plain)
    }
  }

  // MARK: - Tables

  private func writeTotals(to page: inout Page<some TextOutputStream>) {
    page.heading("All threads, in seconds per second")
    page.line(Span(ChangeCells.header("what"), .dim))
    for (name, change) in [
      ("on a CPU", comparison.cpu), ("waiting for a CPU", comparison.delay),
      ("blocked", comparison.blocked),
    ] {
      writeLine(ChangeCells(change), name, counts: change.isSignificant, to: &page)
    }
  }

  private func writeFunctions(
    to page: inout Page<some TextOutputStream>, _ title: String,
    by timing: (Comparison.Function) -> Comparison.Timing
  ) {
    let rows = comparison.functions.filter {
      options.showsAll || timing($0).change.isSignificant
    }.sorted { comparison.order(timing($0).change, timing($1).change) }
    guard !rows.isEmpty else { return }
    page.heading("\(title): \(rows.count)")
    page.line(Span(ChangeCells.header("function"), .dim))
    for function in rows.prefix(options.top) {
      let timing = timing(function)
      let change = timing.change
      let name = PlainText.printable(function.name) + function.shortMark
      writeLine(ChangeCells(change), name, counts: change.isSignificant, to: &page)
      page.line(Span("        " + timing.words(wait: function.wait), .dim))
      if let note = function.note { page.line(Span("        " + note, .dim)) }
    }
    let rest = rows.count - options.top
    if rest > 0 {
      page.line(Span("… \(Figures.count(Int64(rest), "more function")), --top shows them", .dim))
    }
  }

  private func writeThreads(to page: inout Page<some TextOutputStream>) {
    let rows = comparison.threads.filter {
      options.showsAll || $0.cpu.isSignificant || $0.blocked.isSignificant
        || $0.countBefore == 0 || $0.countAfter == 0
    }
    guard !rows.isEmpty else { return }
    page.heading("Threads: \(rows.count) of \(comparison.threads.count)")
    page.line(Span(ChangeCells.header("threads"), .dim))
    for row in rows.prefix(options.top) {
      let name = row.words
      for (kind, change) in [
        ("on a CPU", row.cpu), ("waiting for a CPU", row.delay), ("blocked", row.blocked),
      ] where change.isSignificant || options.showsAll || change.change.magnitude > 0.0005 {
        writeLine(
          ChangeCells(change), "\(name) \(kind)", counts: change.isSignificant, to: &page)
      }
    }
  }

  private func writeLine(
    _ cells: ChangeCells, _ name: String, counts: Bool, to page: inout Page<some TextOutputStream>
  ) {
    let room = page.width - PlainText.columns(cells.line) - 2
    let name = PlainText.shortenedInMiddle(PlainText.printable(name), to: room)
    // A mark besides the colour, because nothing is said by colour alone.
    let mark = counts ? "* " : "  "
    page.line(Span(cells.line + mark + name, counts ? .plain : .dim))
  }

  private func writeNeed(to page: inout Page<some TextOutputStream>) {
    page.space()
    page.line(
      Span("*: more than chance explains (95 % intervals; at most 5 % of the * are false)", .dim))
    if let words = comparison.needWords { page.paragraph(words) }
  }
}

/// What a report on a comparison shows, and how.
package struct ComparisonOptions: Sendable {
  /// What a side is made of.
  package struct Side: Sendable {
    package let name: String
    package let seconds: Double

    package init(name: String, seconds: Double) {
      self.name = name
      self.seconds = seconds
    }

    var words: String { "\(name.replacingQuotes) (\(Figures.fixed(seconds, decimals: 2)) s)" }
  }

  package var before: Side
  package var after: Side
  /// Rows of a table.
  package var top: Int
  /// Whether what may be chance is shown, too.
  package var showsAll: Bool
  package var color: Bool
  package var width: Int
  /// What became of the bounds that the user set.
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

/// A bound that the user set, and what became of it.
package struct LimitVerdict: Sendable {
  package let limit: ComparisonLimit
  package let verdict: ComparisonLimit.Verdict

  package init(_ limit: ComparisonLimit, _ verdict: ComparisonLimit.Verdict) {
    self.limit = limit
    self.verdict = verdict
  }

  /// Whether the command is to fail.
  package var isExceeded: Bool {
    if case .exceeded = verdict { return true }
    return false
  }

  /// The outcome in a sentence.
  package var words: String {
    let name = "--fail-if '\(limit.text.replacingQuotes)'"
    switch verdict {
    case .exceeded(let change): return "\(name): exceeded, \(change.words)"
    case .kept(let change): return "\(name): kept, \(change.words)"
    case .noSuchFunction: return "\(name): kept, neither side has a function of that name"
    case .cannotTell: return "\(name): the captures are too short to tell"
    }
  }
}
