internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// The table of lines of each thread, most expensive first.
  func writeLines(to page: inout Page<some TextOutputStream>) {
    let tables = LineTable.tables(index, groups: detailedRows.map(\.threads))
    let columns = LineColumns(tables)
    page.heading("Lines by thread: a line's own figures, and (cum) with all that it called")
    for (row, table) in zip(detailedRows, tables) {
      page.space()
      page.paragraph("\(row.words(profile).capitalizedFirst): \(totals(table.total))")
      page.line(Span(columns.header, .dim))
      for line in table.rows.prefix(options.top) {
        page.line("\(columns.figures(of: line)) \(label(line, room: page.width - columns.width))")
      }
      let hidden = table.rows.dropFirst(options.top)
      guard !hidden.isEmpty else { continue }
      let rest = hidden.reduce(into: Weight()) { $0 += $1.own }
      page.line(
        "… \(Figures.count(Int64(hidden.count), "more line")), own cpu \(Figures.seconds(rest.cpu)) s"
      )
    }
    writeRest(to: &page)
  }

  private func totals(_ weight: Weight) -> String {
    """
    \(Figures.seconds(weight.cpu)) s CPU, \(Figures.count(weight.ticks, "tick")), \
    \(Figures.count(weight.samples, "sample"))
    """
  }

  /// `filename:lineno function` within the room that the figures leave.
  private func label(_ row: LineTable.Row, room: Int) -> String {
    guard let line = row.line.map({ index.stacks.lines[$0] }) else { return "(no stack)" }
    let function = index.stacks.functions[line.function]
    let place = profile.place(file: function.file, line: line.line, module: function.module)
    let name = PlainText.printable(function.name)
    let placeRoom = max(PlainText.leastColumns(place), room - 2 - PlainText.columns(name))
    let shownPlace = PlainText.shortenedPlace(place, to: min(placeRoom, room - 2))
    let nameRoom = room - 2 - PlainText.columns(shownPlace)
    return shownPlace + " " + PlainText.shortenedInMiddle(name, to: nameRoom)
  }
}

/// The widths of the three pairs of columns, so that figures of any size keep the header's order.
private struct LineColumns {
  private struct Pair {
    let title: String
    let unit: WeightUnit
    let ownWidth: Int
    let cumulativeWidth: Int

    init(_ title: String, _ unit: WeightUnit, _ tables: [LineTable]) {
      self.title = title
      self.unit = unit
      let rows = tables.lazy.flatMap(\.rows)
      let own = rows.map { Self.text($0.own, unit).utf8.count }.max() ?? 0
      let cumulative = rows.map { Self.text($0.cumulative, unit).utf8.count }.max() ?? 0
      // The words of the header together are as wide as most figures.
      let spare = max(0, title.utf8.count + 6 - own - 1 - cumulative)
      cumulativeWidth = max(cumulative, min(cumulative + spare, 5))
      ownWidth = max(own, title.utf8.count + 5 - cumulativeWidth)
    }

    static func text(_ weight: Weight, _ unit: WeightUnit) -> String {
      unit == .cpu ? Figures.seconds(weight[unit]) : String(weight[unit])
    }

    var header: String {
      let width = ownWidth + 1 + cumulativeWidth
      return PlainText.paddedAtLeft(title, to: width - 6) + " (cum)"
    }

    func figures(of row: LineTable.Row) -> String {
      PlainText.paddedAtLeft(Self.text(row.own, unit), to: ownWidth) + " "
        + PlainText.paddedAtLeft(Self.text(row.cumulative, unit), to: cumulativeWidth)
    }
  }

  private let pairs: [Pair]

  init(_ tables: [LineTable]) {
    pairs = [
      Pair("cpu_time", .cpu, tables), Pair("ticks", .ticks, tables),
      Pair("samples", .samples, tables),
    ]
  }

  var header: String {
    pairs.map(\.header).joined(separator: " ") + " filename:lineno function"
  }

  var width: Int { pairs.reduce(0) { $0 + $1.header.utf8.count + 1 } }

  func figures(of row: LineTable.Row) -> String {
    pairs.map { $0.figures(of: row) }.joined(separator: " ")
  }
}
