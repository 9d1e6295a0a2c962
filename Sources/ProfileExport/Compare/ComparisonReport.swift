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
    var page = TextPage(output, width: options.width, color: options.color)
    page.paragraph(
      "sprof compare: \(options.before.words) → \(options.after.words)", style: .strong)
    for warning in comparison.warnings { page.paragraph("note: \(warning.words)", indent: 6) }
    page.space()
    writeVerdict(to: &page)
    writeTotals(to: &page)
    writeFunctions(to: &page, "Functions by total time") { $0.inclusive }
    writeFunctions(to: &page, "Functions by self time") { $0.own }
    writeThreads(to: &page)
    writeNeed(to: &page)
    if let freezes = comparison.freezes, freezes.hasAny { page.paragraph(freezes.words) }
    for verdict in options.verdicts { page.paragraph(verdict.words, style: .strong) }
    output = page.output
  }

  // MARK: - In a sentence

  private func writeVerdict(to page: inout TextPage<some TextOutputStream>) {
    for line in comparison.verdictLines {
      page.paragraph(line.words, indent: line.indent, style: line.isFirst ? .strong : .plain)
    }
  }

  // MARK: - Tables

  private func writeTotals(to page: inout TextPage<some TextOutputStream>) {
    page.heading("All threads, in seconds per second")
    writeHeader("what", to: &page)
    for (name, change) in [
      ("on a CPU", comparison.cpu), ("waiting for a CPU", comparison.delay),
      ("blocked", comparison.blocked),
    ] {
      writeLine(ChangeCells(change), name, counts: change.isSignificant, to: &page)
    }
  }

  private func writeFunctions(
    to page: inout TextPage<some TextOutputStream>, _ title: String,
    by timing: (Comparison.Function) -> Comparison.Timing
  ) {
    let rows = comparison.functions.filter {
      options.showsAll || timing($0).change.isSignificant
    }.sorted { comparison.order(timing($0).change, timing($1).change) }
    guard !rows.isEmpty else { return }
    page.heading("\(title): \(rows.count)")
    writeHeader("function", to: &page)
    let shown = rows.prefix(options.top)
    let room = Self.nameRoom(in: page)
    let names = DistinctLabels.labels(shown.map { PlainText.printable($0.name) }) { number, name in
      PlainText.shortenedInMiddle(name, to: room - shown[number].shortMark.utf8.count)
    }
    for (function, short) in zip(shown, names) {
      let timing = timing(function)
      let change = timing.change
      let name = short + function.shortMark
      writeLine(ChangeCells(change), name, counts: change.isSignificant, to: &page)
      page.clauses(timing.clauses(wait: function.wait), indent: 8, style: .dim)
      if let note = function.note { page.line(Span("        " + note, .dim)) }
    }
    let rest = rows.count - options.top
    if rest > 0 {
      page.line(
        Span("… \(Figures.count(Int64(rest), "more function")) (raise --top to see them)", .dim))
    }
  }

  private func writeThreads(to page: inout TextPage<some TextOutputStream>) {
    let rows = comparison.threads.filter {
      options.showsAll || $0.cpu.isSignificant || $0.blocked.isSignificant
        || $0.countBefore == 0 || $0.countAfter == 0
    }
    guard !rows.isEmpty else { return }
    page.heading("Threads: \(rows.count) of \(comparison.threads.count)")
    writeHeader("threads", to: &page)
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

  /// Where less is left for names than this, they have lines of their own.
  private static let leastNameRoom = 24

  private static func isNarrow(_ page: borrowing TextPage<some TextOutputStream>) -> Bool {
    page.width < ChangeCells.width + 2 + leastNameRoom
  }

  private static func nameRoom(in page: borrowing TextPage<some TextOutputStream>) -> Int {
    isNarrow(page) ? page.width - 2 : page.width - ChangeCells.width - 2
  }

  private func writeHeader(_ what: String, to page: inout TextPage<some TextOutputStream>) {
    if Self.isNarrow(page) { page.line(Span("  " + what, .dim)) }
    let header = ChangeCells.header(what)
    page.line(Span(Self.isNarrow(page) ? String(header.dropLast(what.count + 4)) : header, .dim))
  }

  private func writeLine(
    _ cells: ChangeCells, _ name: String, counts: Bool,
    to page: inout TextPage<some TextOutputStream>
  ) {
    let name = PlainText.shortenedInMiddle(PlainText.printable(name), to: Self.nameRoom(in: page))
    // A mark besides the colour: colour alone carries no information.
    let mark = counts ? "* " : "  "
    let style: Span.Style = counts ? .plain : .dim
    if Self.isNarrow(page) {
      page.line(Span(mark + name, style))
      page.line(Span(String(cells.line.dropLast(2)), style))
    } else {
      page.line(Span(cells.line + mark + name, style))
    }
  }

  private func writeNeed(to page: inout TextPage<some TextOutputStream>) {
    page.space()
    page.line(
      Span("*: beyond noise (95 % intervals; at most 5 % of the rows with * are false)", .dim))
    if let words = comparison.needWords { page.paragraph(words) }
  }
}
