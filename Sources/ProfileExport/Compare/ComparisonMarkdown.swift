package import ProfileAnalysis

/// What changed between two sides, as Markdown for a pull request.
package struct ComparisonMarkdown {
  private let comparison: Comparison
  private let options: ComparisonOptions

  /// A report on `comparison`; width and colour of the options are not used.
  package init(_ comparison: Comparison, options: ComparisonOptions) {
    self.comparison = comparison
    self.options = options
  }

  /// Writes the report; names from the program cannot end a table, a link or a line early.
  package func write(to output: inout some TextOutputStream) {
    for verdict in options.verdicts {
      line(
        "\(verdict.isExceeded || verdict.isUnknown ? "❌" : "✅") \(Self.escaped(verdict.words))\n",
        to: &output)
    }
    if comparison.findings.isEmpty {
      let lines = comparison.verdictLines.map { Self.escaped($0.words) }
      line("**\(lines[0])**\n", to: &output)
      for words in lines.dropFirst() { line("\(words)\n", to: &output) }
    }
    for (position, finding) in comparison.findings.prefix(5).enumerated() {
      let mark = position == 0 ? "**" : ""
      line("\(mark)\(Self.escaped(comparison.sentence(finding)))\(mark)\n", to: &output)
    }
    writeTable(to: &output)
    if let freezes = comparison.freezes, freezes.hasAny {
      line(Self.escaped(freezes.words) + "\n", to: &output)
    }
    for warning in comparison.warnings { line("> \(Self.escaped(warning.words))\n", to: &output) }
    let notes = [
      "Before: \(options.before.words); after: \(options.after.words).",
      "Figures are thread-seconds per second of wall time, with 95 % intervals; "
        + "*: beyond noise; at most 5 % of the rows with * are false.",
    ]
    line(
      (notes + [comparison.needWords ?? ""]).map(Self.escaped).joined(separator: " "), to: &output)
  }

  private func writeTable(to output: inout some TextOutputStream) {
    let rows = comparison.functions.filter {
      options.showsAll || $0.inclusive.change.isSignificant || $0.own.change.isSignificant
    }.sorted { comparison.order($0.inclusive.change, $1.inclusive.change) }
    line("| | before | after | change | 95 % interval | self |", to: &output)
    line("| --- | ---: | ---: | ---: | ---: | ---: |", to: &output)
    writeRow("all threads, on a CPU", comparison.cpu, nil, to: &output)
    writeRow("all threads, waiting for a CPU", comparison.delay, nil, to: &output)
    writeRow("all threads, blocked", comparison.blocked, nil, to: &output)
    for function in rows.prefix(options.top) {
      let note = function.note.map { " (\($0))" } ?? function.shortMark
      writeRow(
        function.name + note, function.inclusive.change, function.own.change, to: &output)
    }
    line("", to: &output)
    let rest = rows.count - options.top
    if rest > 0 { line("… \(Figures.count(Int64(rest), "more function")).\n", to: &output) }
  }

  private func writeRow(
    _ name: String, _ change: Comparison.Change, _ own: Comparison.Change?,
    to output: inout some TextOutputStream
  ) {
    let interval = change.interval.map {
      "\(Figures.signed($0.lowerBound)) … \(Figures.signed($0.upperBound))"
    }
    let cells = [
      Self.escaped(name) + (change.isSignificant ? " *" : ""),
      Figures.fixed(change.before, decimals: 3), Figures.fixed(change.after, decimals: 3),
      Figures.signed(change.change)
        + (change.ratio.map { " (\(Figures.signedPercent($0)) %)" } ?? ""),
      interval ?? "", own.map { Figures.signed($0.change) + ($0.isSignificant ? " *" : "") } ?? "",
    ]
    line("| " + cells.joined(separator: " | ") + " |", to: &output)
  }

  private func line(_ text: String, to output: inout some TextOutputStream) {
    output.write(text + "\n")
  }

  /// A text in which nothing is markup of Markdown or HTML.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in PlainText.printable(text) {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "|", "*", "_", "`", "[", "]", "\\", "#", "~", "!", "@": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }
}
