internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// One table of all threads by function, line, file, module or thread.
  func writeFlatTable(by unit: FlatTable.Unit, to page: inout TextPage<some TextOutputStream>) {
    let sort = options.sort ?? .wall
    let table = FlatTable(index, by: unit, threads: rows.flatMap(\.threads), sortedBy: sort)
    let columns = WeightColumns(flat: table.rows.map { ($0.own, $0.cumulative) }, sort)
    page.heading(
      "By \(unit.rawValue), sorted by self \(sort.rawValue) (total: with everything it called)")
    let shown = table.rows.prefix(options.rows)
    let shares = shown.map { share(of: $0, table, sort) }
    let width = max(shares.lazy.map { PlainText.columns($0) }.max() ?? 0, 5)
    page.line(
      Span("\(columns.header) \(PlainText.paddedAtLeft("%", to: width)) \(unit.title)", .dim))
    let room = page.width - columns.width - width - 1
    let labels = DistinctLabels.labels(shown.map { name(of: $0, unit) }) { number, name in
      label(shown[number], name, unit, table, room: room)
    }
    for (number, row) in shown.enumerated() {
      page.line(
        """
        \(columns.figures(own: row.own, cumulative: row.cumulative)) \
        \(PlainText.paddedAtLeft(shares[number], to: width)) \(labels[number])
        """)
    }
    writeRanking(table, sort, to: &page)
    let hidden = table.rows.dropFirst(options.rows)
    guard !hidden.isEmpty else { return }
    let rest = hidden.reduce(into: Weight()) { $0 += $1.own }
    page.line(
      """
      … \(Figures.count(Int64(hidden.count), "more row")), self \
      \(Figures.percent(rest[sort], of: table.total[sort])) % (raise --top to see them)
      """)
  }

  /// The row's part of the whole in percent, and how far that may be off.
  private func share(of row: FlatTable.Row, _ table: FlatTable, _ unit: WeightUnit) -> String {
    let (part, whole) = (Double(row.own[unit]), Double(table.total[unit]))
    guard whole > 0 else { return "-" }
    return Figures.percent(part / whole, error: row.ownError[unit].map { $0 / whole })
  }

  /// Says how long a capture would show which of the first two rows is the larger, where chance may have
  /// put them in order.
  private func writeRanking(
    _ table: FlatTable, _ unit: WeightUnit, to page: inout TextPage<some TextOutputStream>
  ) {
    guard let factor = table.lengtheningToRank(by: unit) else { return }
    let needed = Double(profile.capture.duration) * factor
    let length =
      needed < 86_400e9 ? "about " + Figures.duration(Int64(needed)) : "more than a day"
    page.line("The first two rows are too close to rank: that would take \(length) of sampling.")
  }

  /// The function that a row is about; empty for another one.
  private func name(of row: FlatTable.Row, _ unit: FlatTable.Unit) -> String {
    guard let item = row.item else { return "" }
    switch unit {
    case .line: return name(ofLine: item)
    case .function: return PlainText.printable(index.stacks.functions[item].name)
    case .file, .module, .thread: return ""
    }
  }

  private func label(
    _ row: FlatTable.Row, _ name: String, _ unit: FlatTable.Unit, _ table: FlatTable, room: Int
  ) -> String {
    guard let item = row.item else { return "(no stack)" }
    switch unit {
    case .line: return label(line: item, name, room: room)
    case .function:
      let function = index.stacks.functions[item]
      let place = profile.place(file: function.file, line: 0, module: function.module)
      let shown = place.beside(name, room: room)
      return shown.place.isEmpty ? shown.name : shown.name + "  " + shown.place
    case .file:
      return PlainText.shortenedAtLeft(
        PlainText.printable(table.names[item] ?? "(no debug data)"), to: room)
    case .module:
      return PlainText.shortenedAtLeft(
        PlainText.printable(table.names[item] ?? "(no file)"), to: room)
    case .thread:
      let thread = profile.threads[item]
      return PlainText.shortenedInMiddle(
        "\(thread.tid) \(PlainText.printable(thread.title))\(thread.isMain ? " (main)" : "")",
        to: room)
    }
  }
}

extension FlatTable.Unit {
  fileprivate var title: String {
    switch self {
    case .function: "function  file"
    case .line: "filename:lineno function"
    case .file: "file"
    case .module: "module"
    case .thread: "tid name"
    }
  }
}
