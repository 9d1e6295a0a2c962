internal import ProfileAnalysis
internal import ProfileModel

extension Summary {
  /// Lines that are shown above and below.
  private static let context = 3

  /// The source around the line that took most, with what each line there took itself.
  func writeSource(
    of table: FlatTable, _ unit: WeightUnit, to page: inout TextPage<some TextOutputStream>
  ) {
    guard let read = report.options.sources,
      let item = table.rows.first(where: { $0.item != nil })?.item
    else { return }
    let hot = shownIndex.stacks.lines[item]
    let function = shownIndex.stacks.functions[hot.function]
    guard hot.line > 0, let file = function.file else { return }
    page.heading("Source of \(PlainText.printable(file))")
    let module = Int(function.module.rawValue)
    let binary = profile.modules.indices.contains(module) ? profile.modules[module].path : nil
    guard let texts = read(file, binary, profile.capture.startTime), hot.line <= texts.count else {
      page.paragraph(
        "not shown: the file is not on this machine, or was changed since the program was built")
      return
    }
    var shares: [Int: Int64] = [:]
    for row in table.rows {
      guard let item = row.item, case let line = shownIndex.stacks.lines[item],
        shownIndex.stacks.functions[line.function].file == file
      else { continue }
      shares[line.line, default: 0] &+= row.own[unit]
    }
    let shown = max(1, hot.line - Self.context)...min(texts.count, hot.line + Self.context)
    let width = String(shown.upperBound).count
    page.line(Span("% self  \(PlainText.paddedAtLeft("", to: width))  source", .dim))
    for line in shown {
      let share = shares[line].map { Figures.percent($0, of: table.total[unit]) } ?? ""
      let text = PlainText.printable(Self.withoutTabs(texts[line - 1]))
      let label =
        "\(PlainText.paddedAtLeft(share, to: 6))  \(PlainText.paddedAtLeft("\(line)", to: width))"
      let isHot = line == hot.line
      let room = page.width - PlainText.columns(label) - 4
      page.line("\(label) \(isHot ? ">" : " ") \(PlainText.shortenedInMiddle(text, to: room))")
    }
  }

  /// Tabs as four spaces each.
  private static func withoutTabs(_ text: Substring) -> String {
    text.prefix(400).reduce(into: "") { $0 += $1 == "\t" ? "    " : String($1) }
  }
}
