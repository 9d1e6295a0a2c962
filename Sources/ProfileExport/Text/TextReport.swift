internal import ProfileAnalysis
package import ProfileModel

/// What a capture over time saw, as plain text for a person.
package struct TextReport {
  let index: ProfileIndex
  let options: ReportOptions
  let rows: [ThreadTable.Row]
  let diagnosis: Diagnosis

  var profile: Profile { index.profile }

  /// A report on `profile`; most of the work is done here, once.
  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    diagnosis = Diagnosis(profile, freezes: options.freezes)
    index = diagnosis.shownIndex(withNative: options.showsNative)
    self.options = options
    let threads = index.threads(matching: options.threadFilter)
    rows = ThreadTable(index, threads: threads).rows.sorted(by: options.sort, index)
  }

  /// Writes the report; each line ends with a newline and stays within the width of the options.
  package func write(to output: inout some TextOutputStream) {
    var page = TextPage(output, width: options.width, color: options.color)
    if options.showsVerdict && profile.capture.hasVerdict {
      VerdictWords(diagnosis).write(to: &page, explains: options.explainsVerdict)
    }
    let isSummary = options.unit == nil && options.views == [.summary]
    let summary = Summary(self)
    if isSummary {
      Summary.writeCapture(profile.capture, notes: summary.limits.notes, to: &page)
    } else {
      writeCapture(to: &page)
    }
    if rows.isEmpty {
      page.space()
      page.paragraph(noThreads)
    } else if let unit = options.unit {
      writeFlatTable(by: unit, to: &page)
    } else {
      if options.views.contains(.summary) { summary.write(to: &page) }
      if options.views.contains(.threads) {
        writeProcesses(to: &page)
        writeThreads(to: &page)
      }
      if options.views.contains(.lines) { writeLines(to: &page) }
      if options.views.contains(.tree) { writeTree(to: &page) }
      if options.views.contains(.waits) { writeWaits(to: &page) }
      if options.views.contains(.blame) { writeBlame(to: &page) }
      if options.views.contains(.blockers) { writeBlockers(to: &page) }
      if options.views.contains(.timeline) { writeTimeline(to: &page) }
      if options.views.contains(.freezes) { writeFreezes(to: &page) }
      if options.views.contains(.stacks) { writeStacks(to: &page) }
    }
    output = page.output
  }

  /// Whether a file that begins with `bytes` is a report of sprof's on a program, as text or JSON.
  package static func isReport(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
    if text.hasPrefix("{\"sprof\":") { return true }
    // The verdict stands before what was captured.
    return text.split(separator: "\n").prefix(40).contains { line in
      ["sprof attach: ", "sprof run: ", "sprof dump: ", "sprof watch: "].contains {
        line.hasPrefix($0)
      }
    }
  }

  private var noThreads: String {
    options.threadFilter.map { "No thread matches \"\($0.glob.replacingQuotes)\"." }
      ?? "No threads were sampled."
  }

  // MARK: - Threads in detail

  /// The rows whose lines and call tree are shown: all, unless there are very many.
  var detailedRows: ArraySlice<ThreadTable.Row> { rows.prefix(max(50, options.rows)) }

  /// Says how many threads the lines and the tree leave out.
  func writeRest(to page: inout TextPage<some TextOutputStream>) {
    let rest = rows.dropFirst(detailedRows.count)
    guard !rest.isEmpty else { return }
    let count = rest.reduce(0) { $0 + $1.threads.count }
    let cpu = rest.reduce(0) { $0 &+ $1.cpu }
    page.space()
    page.paragraph(
      """
      … \(Figures.count(Int64(count), "more thread")) with \(Figures.seconds(cpu)) s CPU in total \
      (raise --top, or use --thread or --json, to see them)
      """)
  }

  // MARK: - What was captured and what it cost

  private func writeCapture(to page: inout TextPage<some TextOutputStream>) {
    let capture = profile.capture
    guard capture.kind != .imported else { return writeImported(to: &page) }
    page.paragraph(capture.sentence, style: .strong)
    page.clauses(capture.costClauses)
    for freeze in capture.freezes { page.paragraph(words(of: freeze), indent: 2) }
    page.notes(of: capture)
  }

  /// A freeze that the capture was kept for.
  private func words(of freeze: RecordedFreeze) -> String {
    let thread = profile.threads.lastIndex { $0.tid == freeze.tid && $0.process == nil }
    let subject = thread.map { WaitWords(profile).thread($0) } ?? "thread \(freeze.tid)"
    let length = Figures.duration(freeze.length)
    let verb =
      (freeze.isOver ? "froze for" : "was frozen for") + (freeze.isAtLeast ? " at least" : "")
    return "\(subject.capitalizedFirst) \(verb) \(length), from "
      + "\(Figures.seconds(freeze.start)) s to \(Figures.seconds(freeze.end)) s"
  }

  /// What is known of a profile that another tool made: nothing of its cost.
  private func writeImported(to page: inout TextPage<some TextOutputStream>) {
    page.paragraph(profile.capture.sentence, style: .strong)
    page.notes(of: profile.capture)
  }

  // MARK: - Every stack

  private func writeStacks(to page: inout TextPage<some TextOutputStream>) {
    for row in detailedRows {
      let stacks = DistinctStacks(index, threads: row.threads, sortedBy: options.sort ?? .wall)
      page.heading(
        """
        Stacks of \(row.words(profile)): \
        \(Figures.count(Int64(stacks.entries.count), "distinct stack"))
        """)
      for (position, entry) in stacks.entries.prefix(options.rows).enumerated() {
        if position > 0 { page.space() }
        let weight = entry.weight
        page.paragraph(
          """
          \(Figures.percent(weight.wall, of: stacks.total.wall)) % · \
          \(Figures.seconds(weight.wall)) s wall · \(Figures.seconds(weight.cpu)) s CPU · \
          \(Figures.count(weight.ticks, "tick")) · \(Figures.count(weight.samples, "sample")) · \
          \(entry.activity.words)
          """, style: .strong)
        FrameLines(index, stack: entry.stack, end: entry.end).write(to: &page, indent: 2)
      }
      let hidden = stacks.entries.dropFirst(options.rows)
      guard !hidden.isEmpty else { continue }
      let rest = hidden.reduce(into: Weight()) { $0 += $1.weight }
      page.space()
      page.line(
        """
        … \(Figures.count(Int64(hidden.count), "more stack")) with \
        \(Figures.percent(rest.wall, of: stacks.total.wall)) % of the time (raise --top, or use \
        --json, to see them)
        """)
    }
    writeRest(to: &page)
  }
}

extension [ThreadTable.Row] {
  /// Heaviest first; in their own order without a unit.
  fileprivate func sorted(by unit: WeightUnit?, _ index: ProfileIndex) -> [ThreadTable.Row] {
    guard let unit else { return self }
    let weights = map { row in
      row.threads.reduce(Int64(0)) { $0 &+ index.weight(of: $1)[unit] }
    }
    return indices.sorted { (weights[$0], $1) > (weights[$1], $0) }.map { self[$0] }
  }
}

extension CaptureInfo {
  /// Whether there can be a verdict: a merged capture and one of another tool hold too little.
  var hasVerdict: Bool { kind != .imported && pid > 0 }

  /// The program in a sentence; a merged capture has no pid.
  var program: String { pid > 0 ? "\(processName.shortName) (pid \(pid))" : processName.shortName }

  /// What was captured, for how long, and why the capture ended.
  var sentence: String {
    let length = "\(Figures.duration(duration))\(rateWords)"
    guard kind != .imported else {
      return "\(processName.shortName), \(length), profiled by another tool: "
        + Figures.count(cost.ticksTaken, "sample")
    }
    return "sprof \(kind.rawValue): \(program), \(length), \(endingWords)"
  }

  /// What the capture cost the program, and sprof.
  var costClauses: [String] {
    [
      """
      \(Figures.count(cost.ticksPlanned, "tick")) planned, \(cost.ticksTaken) taken, \
      \(cost.ticksLate) late
      """,
      cost.sampleWords,
      cost.pauseWords,
      "stopped \(Figures.percent(cost.stoppedShare(of: duration))) % of \(costTime)",
      "sprof itself used \(Figures.seconds(cost.ownCPU)) s CPU\(ownShare)",
    ].compactMap { $0 }
  }

  private var rateWords: String { rate > 0 ? " at \(Figures.plain(rate)) Hz" : "" }

  /// What the cost is of: a part of a capture has that of the whole.
  private var costTime: String { cost.wholeDuration == nil ? "the time" : "the whole capture" }

  private var ownShare: String {
    guard duration > 0 else { return "" }
    return " (\(Figures.percent(cost.ownShare(of: duration))) %)"
  }
}

extension CaptureCost {
  /// How many samples there were, and how many stops they took.
  var sampleWords: String {
    let samples = Figures.count(samplesWithoutStop, "sample")
    if stops > 0 {
      let halts = Figures.count(stops, "stop")
      return samplesWithoutStop > 0 ? "\(samples) without a stop, \(halts)" : halts
    }
    return samplesWithoutStop > 0 ? "\(samples), no stop needed" : samples
  }

  /// How long stops lasted; nil when there were none.
  var pauseWords: String? {
    guard stops > 0 else { return nil }
    return """
      pause p50 \(Figures.duration(pauseMedian)), p99 \(Figures.duration(pause99)), \
      max \(Figures.duration(pauseMax))
      """
  }
}

extension TextPage {
  /// What to know about how the capture was made, a note a line.
  mutating func notes(of capture: CaptureInfo, atMost limit: Int = .max) {
    let dropped = capture.cost.samplesDropped
    if dropped > 0 {
      paragraph("note: \(Figures.count(dropped, "sample")) dropped: sprof could not keep up")
    }
    for note in capture.notes.prefix(limit) { paragraph("note: \(note.words)", indent: 6) }
    let rest = capture.notes.count - min(limit, capture.notes.count)
    if rest > 0 { paragraph("note: \(Figures.count(Int64(rest), "more note")) (--view threads)") }
  }
}

extension String {
  /// A process or thread name within a sentence: printable, without quotation marks, and not long.
  var shortName: String { PlainText.shortenedInMiddle(replacingQuotes, to: 40) }
}
