internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// The table of lines of each thread, most expensive first.
  func writeLines(to page: inout TextPage<some TextOutputStream>) {
    let tables = LineTable.tables(
      index, groups: detailedRows.map(\.threads), sortedBy: options.sort)
    let columns = WeightColumns(lines: tables.flatMap(\.rows).map { ($0.own, $0.cumulative) })
    page.heading("Lines by thread: self, and (cum) with everything the line called")
    for (row, table) in zip(detailedRows, tables) {
      page.space()
      page.paragraph("\(row.words(profile).capitalizedFirst): \(totals(table.total))")
      page.line(Span(columns.header + " filename:lineno function", .dim))
      let shown = table.rows.prefix(options.rows)
      let room = page.width - columns.width
      let names = shown.map { $0.line.map { name(ofLine: $0) } ?? "" }
      let labels = DistinctLabels.labels(names) { number, name in
        shown[number].line.map { label(line: $0, name, room: room) } ?? "(no stack)"
      }
      for (line, label) in zip(shown, labels) {
        page.line("\(columns.figures(own: line.own, cumulative: line.cumulative)) \(label)")
      }
      let hidden = table.rows.dropFirst(options.rows)
      guard !hidden.isEmpty else { continue }
      let rest = hidden.reduce(into: Weight()) { $0 += $1.own }
      page.line(
        """
        … \(Figures.count(Int64(hidden.count), "more line")), self \(Figures.seconds(rest.cpu)) s CPU \
        (raise --top to see them)
        """)
    }
    writeRest(to: &page)
  }

  private func totals(_ weight: Weight) -> String {
    """
    \(Figures.seconds(weight.cpu)) s CPU, \(Figures.count(weight.ticks, "tick")), \
    \(Figures.count(weight.samples, "sample"))
    """
  }

  func name(ofLine line: Int) -> String {
    PlainText.printable(index.stacks.functions[index.stacks.lines[line].function].name)
  }

  /// `filename:lineno function` within the room that the figures leave.
  func label(line: Int, _ name: String, room: Int) -> String {
    let line = index.stacks.lines[line]
    let function = index.stacks.functions[line.function]
    let place = profile.place(file: function.file, line: line.line, module: function.module)
    let placeRoom = max(place.leastColumns, room - 2 - PlainText.columns(name))
    let shownPlace = place.shortened(
      to: min(placeRoom, max(0, room - 2 - PlainText.leastColumns(ofName: name))))
    let nameRoom = room - 2 - PlainText.columns(shownPlace)
    return shownPlace + " " + PlainText.shortenedInMiddle(name, to: nameRoom)
  }
}

/// Pairs of columns, self and total, as wide as their figures need.
struct WeightColumns {
  private struct Pair {
    let title: String
    let totalTitle: String
    let unit: WeightUnit
    let ownWidth: Int
    let cumulativeWidth: Int

    init(
      _ title: String, _ totalTitle: String, _ unit: WeightUnit,
      _ rows: [(own: Weight, cumulative: Weight)]
    ) {
      self.title = title
      self.totalTitle = totalTitle
      self.unit = unit
      let own = rows.lazy.map { Self.text($0.own, unit).utf8.count }.max() ?? 0
      let cumulative = rows.lazy.map { Self.text($0.cumulative, unit).utf8.count }.max() ?? 0
      // The words of the header together are as wide as most figures.
      let spare = max(0, title.utf8.count + 6 - own - 1 - cumulative)
      cumulativeWidth = max(cumulative, min(cumulative + spare, 5))
      ownWidth = max(own, title.utf8.count + 5 - cumulativeWidth)
    }

    static func text(_ weight: Weight, _ unit: WeightUnit) -> String {
      switch unit {
      case .cpu, .wall, .delay: Figures.seconds(weight[unit])
      case .ticks, .samples: String(weight[unit])
      }
    }

    var header: String {
      let width = ownWidth + 1 + cumulativeWidth
      return PlainText.paddedAtLeft(title, to: width - 6) + " " + totalTitle
    }

    func figures(own: Weight, cumulative: Weight) -> String {
      PlainText.paddedAtLeft(Self.text(own, unit), to: ownWidth) + " "
        + PlainText.paddedAtLeft(Self.text(cumulative, unit), to: cumulativeWidth)
    }
  }

  private let pairs: [Pair]

  /// The columns of the table of lines.
  init(lines rows: [(own: Weight, cumulative: Weight)]) {
    pairs = [("cpu_time", .cpu), ("ticks", .ticks), ("samples", .samples)].map {
      Pair($0, "(cum)", $1, rows)
    }
  }

  /// The columns of a flat table: times, and the unit that it is sorted by, or else ticks.
  init(flat rows: [(own: Weight, cumulative: Weight)], _ sort: WeightUnit) {
    let last: (String, WeightUnit) =
      switch sort {
      case .samples: ("samples_self", .samples)
      case .delay: ("delay_self", .delay)
      case .wall, .cpu, .ticks: ("ticks_self", .ticks)
      }
    pairs = [("wall_self", .wall), ("cpu_self", .cpu), last].map { Pair($0, "total", $1, rows) }
  }

  var header: String { pairs.map(\.header).joined(separator: " ") }

  /// Columns that the figures take, with the space behind them.
  var width: Int { pairs.reduce(0) { $0 + $1.header.utf8.count + 1 } }

  func figures(own: Weight, cumulative: Weight) -> String {
    pairs.map { $0.figures(own: own, cumulative: cumulative) }.joined(separator: " ")
  }
}
