internal import ProfileAnalysis
internal import ProfileModel

extension Summary {
  /// The functions and the lines that took the time of all threads, but for what they spent at rest.
  func writeTables(to page: inout TextPage<some TextOutputStream>) {
    let threads = (groups.active + groups.resting).flatMap(\.threads)
    let resting = RestingRuns(diagnosis)
    let index = shownIndex.leavingOut(resting)
    let cpu = threads.reduce(Int64(0)) { $0 &+ profile.threads[$1].cpu }
    // A program that sleeps is told by where, one that computes by what uses the CPU.
    let usual: WeightUnit =
      profile.capture.kind == .imported
      ? .wall : cpu > profile.capture.duration / 100 ? .cpu : .wall
    let unit = report.options.sort ?? usual
    let functions = FlatTable(index, by: .function, threads: threads, sortedBy: unit)
    guard isWorthShowing(functions.total, unit) else { return }
    let isLeftOut = unit != .cpu && unit != .delay && resting.isPart(of: threads)
    let rest = isLeftOut ? ", without time at rest" : ""
    write(
      functions, functions.rows, unit, title: "Functions by \(unit.noun)\(rest)",
      limit: report.options.top ?? limits.functions,
      column: "function  file", to: &page
    ) {
      PlainText.printable(shownIndex.stacks.functions[$0].name)
    } label: {
      functionLabel($0, $1, room: $2)
    }
    let lines = FlatTable(index, by: .line, threads: threads, sortedBy: unit)
    let limit = report.options.top ?? limits.lines
    guard lines.rows.prefix(limit).contains(where: hasLine) else { return }
    // Functions without a line are above.
    write(
      lines, lines.rows.filter(hasLine), unit, title: "Lines by \(unit.noun)", limit: limit,
      column: "line  function", to: &page
    ) {
      PlainText.printable(
        shownIndex.stacks.functions[shownIndex.stacks.lines[$0].function].name)
    } label: {
      lineLabel($0, $1, room: $2)
    }
    writeSource(of: lines, unit, to: &page)
  }

  /// Whether it is more than what shows as 0.0 % of the capture.
  private func isWorthShowing(_ total: Weight, _ unit: WeightUnit) -> Bool {
    switch unit {
    case .cpu, .wall, .delay: total[unit] > profile.capture.duration / 2000
    case .ticks, .samples: total[unit] > 0
    }
  }

  private func write(
    _ table: FlatTable, _ rows: [FlatTable.Row], _ unit: WeightUnit, title: String, limit: Int,
    column: String, to page: inout TextPage<some TextOutputStream>, name: (Int) -> String,
    label: (Int, _ name: String, _ room: Int) -> String
  ) {
    let other: WeightUnit = unit == .cpu ? .wall : .cpu
    // What shows as 0.0 % tells nothing.
    let shown = rows.prefix(limit).filter { $0.own[unit] > table.total[unit] / 2000 }
    // Other tools count one of them.
    let hasOther = table.total[other] > 0 || profile.capture.kind != .imported
    let cells = shown.map { row in
      [
        unit.figure(row.own), share(row, table, unit),
        Figures.percent(row.cumulative[unit], of: table.total[unit]),
      ] + (hasOther ? [other.figure(row.own)] : [])
    }
    let header =
      [unit.shortTitle, "% self", "% total"] + (hasOther ? [other.shortTitle] : [])
    let widths = header.indices.map { column in
      cells.reduce(header[column].count) { max($0, PlainText.columns($1[column])) }
    }
    func figures(_ cells: [String]) -> String {
      zip(cells, widths).map { PlainText.paddedAtLeft($0, to: $1) }.joined(separator: "  ")
    }
    page.heading(title)
    page.line(Span("\(figures(header))  \(column)", .dim))
    let room = page.width - widths.reduce(0, +) - 2 * widths.count
    let texts = DistinctLabels.labels(shown.map { $0.item.map(name) ?? "" }) { number, name in
      shown[number].item.map { label($0, name, room) } ?? "(no stack)"
    }
    for (text, cell) in zip(texts, cells) { page.line("\(figures(cell))  \(text)") }
  }

  /// The row's part of the whole in percent, and how far that may be off.
  private func share(_ row: FlatTable.Row, _ table: FlatTable, _ unit: WeightUnit) -> String {
    let whole = Double(table.total[unit])
    guard whole > 0 else { return "-" }
    return Figures.percent(
      Double(row.own[unit]) / whole, error: row.ownError[unit].map { $0 / whole })
  }

  private func functionLabel(_ item: Int, _ name: String, room: Int) -> String {
    let function = shownIndex.stacks.functions[item]
    let place = profile.place(
      file: function.file.map(\.lastTwoParts), line: 0, module: function.module)
    let shown = place.beside(name, room: room)
    return shown.place.isEmpty ? shown.name : shown.name + "  " + shown.place
  }

  private func lineLabel(_ item: Int, _ name: String, room: Int) -> String {
    let line = shownIndex.stacks.lines[item]
    let function = shownIndex.stacks.functions[line.function]
    let place = profile.place(
      file: function.file.map(\.lastTwoParts), line: line.line, module: function.module)
    let shownPlace = place.shortened(to: min(PlainText.columns(place.text), room / 2))
    let nameRoom = room - 2 - PlainText.columns(shownPlace)
    return shownPlace + "  " + PlainText.shortenedInMiddle(name, to: nameRoom)
  }

  /// Whether it says more than its function: it is a line of a file.
  private func hasLine(_ row: FlatTable.Row) -> Bool {
    guard let item = row.item else { return false }
    let line = shownIndex.stacks.lines[item]
    return line.line > 0 && shownIndex.stacks.functions[line.function].file != nil
  }
}

extension WeightUnit {
  fileprivate var shortTitle: String {
    switch self {
    case .cpu: "cpu s"
    case .wall: "wall s"
    case .delay: "delay s"
    case .ticks: "ticks"
    case .samples: "samples"
    }
  }

  /// This of a weight: times in seconds.
  fileprivate func figure(_ weight: Weight) -> String {
    switch self {
    case .cpu, .wall, .delay: Figures.seconds(weight[self], decimals: 2)
    case .ticks, .samples: "\(weight[self])"
    }
  }
}

extension String {
  /// A path's file and the folder around it.
  var lastTwoParts: String {
    split(separator: "/").suffix(2).joined(separator: "/")
  }
}
