internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// What each thread waited in, how long, how often, and in which stack.
  func writeWaits(to page: inout TextPage<some TextOutputStream>) {
    page.heading("Waits by thread, longest total first" + resolution)
    let words = WaitWords(profile)
    for row in detailedRows {
      let waits = WaitTable(
        index, whole: options.showsNative ? nil : diagnosis.index, threads: row.threads,
        sortedBy: options.sort ?? .wall)
      page.space()
      page.paragraph(
        """
        \(row.words(profile).capitalizedFirst): waited \(Figures.duration(waits.waited.wall)) \
        of \(Figures.duration(waits.total.wall))
        """, style: .strong)
      for entry in waits.entries.prefix(options.rows) {
        page.paragraph(
          """
            \(Figures.percent(entry.weight.wall, of: waits.total.wall)) % · \
          \(Figures.seconds(entry.weight.wall)) s · \(entry.isAtLeast ? "at least " : "")\
          \(Figures.count(entry.count, "wait")) · \
          longest \(Figures.duration(entry.longest)) · \(entry.activity.words)\
          \(reason(entry, row, words))
          """, indent: 4)
        FrameLines(index, stack: entry.stack, end: entry.end).write(to: &page, indent: 4)
      }
      let hidden = waits.entries.dropFirst(options.rows)
      guard !hidden.isEmpty else { continue }
      let rest = hidden.reduce(Int64(0)) { $0 &+ $1.weight.wall }
      page.line(
        """
          … \(Figures.count(Int64(hidden.count), "more place")) with \
        \(Figures.duration(rest)) (raise --top to see them)
        """)
    }
    writeRest(to: &page)
  }

  /// How right lengths are: a sample stands for the time since the one before.
  private var resolution: String {
    let rate = profile.capture.rate
    guard rate >= 1, rate.isFinite else { return "" }
    return "; lengths within \(Figures.duration(Int64(2e9 / rate)))"
  }

  /// What is waited for, with owner and lock where they are known.
  private func reason(
    _ entry: WaitTable.Entry, _ row: ThreadTable.Row, _ words: WaitWords
  ) -> String {
    let functions = diagnosis.index.frames(of: entry.wholeStack).lazy.map(\.line.function)
    guard let wait = entry.activity.wait(functions) else { return "" }
    let known = row.threads.count == 1 ? diagnosis.wait(of: row.threads[0], like: wait) : nil
    switch wait.kind {
    case .otherCall, .unknown: if known == nil { return "" }
    default: break
    }
    let pid = row.threads.first.map { words.pid(of: $0) } ?? profile.capture.pid
    let told = diagnosis.interpreted(known ?? wait, in: entry.wholeStack)
    return ": " + words.phrase(told.overTime, in: pid)
  }

  /// Threads over time: a row for each thread, a character for each slot of time.
  func writeTimeline(to page: inout TextPage<some TextOutputStream>) {
    let tidWidth = 7
    let names = detailedRows.map { PlainText.columns($0.name) + ($0.isMain ? 7 : 0) }
    let nameWidth = min(max(names.max() ?? 0, 4), 24)
    let slots = page.width - tidWidth - nameWidth - 5
    let timeline = Timeline(index, threads: rows.flatMap(\.threads), slots: slots)
    page.heading("Threads over time")
    guard !timeline.isEmpty else {
      page.paragraph("Nothing to show: the capture has no duration.")
      return
    }
    let margin = String(repeating: " ", count: tidWidth + nameWidth + 4)
    let (first, last) = (Figures.duration(timeline.start), Figures.duration(timeline.end))
    let gap = max(1, slots - PlainText.columns(first) - PlainText.columns(last))
    page.line(Span(margin + first + String(repeating: " ", count: gap) + last, .dim))
    for row in detailedRows {
      let isOne = row.threads.count == 1
      let tid = isOne ? String(profile.threads[row.threads[0]].tid) : "×\(row.threads.count)"
      let name = PlainText.printable(row.name) + (row.isMain ? " (main)" : "")
      let marks = timeline.slots(of: row.threads).map(\.mark).joined()
      page.line(
        """
        \(PlainText.paddedAtLeft(tid, to: tidWidth))  \
        \(PlainText.paddedAtRight(PlainText.shortenedInMiddle(name, to: nameWidth), to: nameWidth)) \
        |\(marks)|
        """)
    }
    let slot = Figures.duration((timeline.end - timeline.start) / Int64(max(slots, 1)))
    page.clauses([
      "# running", "+ running part of the time", "w waiting for a CPU", ". blocked",
      "D uninterruptible", "T stopped", "? unknown", "one character is \(slot)",
    ])
    writeRest(to: &page)
  }
}

extension Timeline.Slot {
  /// A character for what the thread did most; time on a CPU always shows.
  fileprivate var mark: String {
    guard let activity else { return " " }
    if running > 0.5 { return "#" }
    if running > 0.05 { return "+" }
    return switch activity {
    case .running: "#"
    case .waitingForCPU: "w"
    case .blocked: "."
    case .uninterruptible: "D"
    case .stopped: "T"
    case .unknown: "?"
    }
  }
}
