internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// The freezes in the order of time, their causes, and how long threads stayed away from their loops.
  func writeFreezes(to page: inout TextPage<some TextOutputStream>) {
    let table = diagnosis.freezes
    page.heading("Freezes of \(Figures.duration(table.rule.threshold)) and more")
    guard table.isKnown else {
      page.paragraph(
        "Not known: the capture has no order in time, or was made by an older version of sprof.")
      return
    }
    let chosen = Set(rows.flatMap(\.threads))
    let freezes = table.freezes.filter { chosen.contains($0.thread) }
    if freezes.isEmpty { page.paragraph("None.") }
    for freeze in freezes.prefix(options.rows) { write(freeze, to: &page) }
    let rest = freezes.dropFirst(options.rows)
    if !rest.isEmpty {
      page.space()
      page.line(
        """
        … \(Figures.count(Int64(rest.count), "more freeze")) (raise --top, or use --json, to see \
        them)
        """)
    }
    if !freezes.isEmpty { writeFreezeCauses(freezes, to: &page) }
    writeRestTimes(table.threads.filter { chosen.contains($0.thread) }, to: &page)
  }

  /// A freeze with its time as `--from` and `--until` take it.
  private func write(_ freeze: Freeze, to page: inout TextPage<some TextOutputStream>) {
    let (first, last) = (freeze.start / 1_000_000, freeze.stop.addingRounded / 1_000_000)
    page.space()
    page.paragraph(
      """
      \(Figures.seconds(first * 1_000_000))s to \(Figures.seconds(last * 1_000_000))s · \
      \(freeze.isAtLeast ? "at least " : "")\(FreezeWords.length(freeze.length)) · \
      \(WaitWords(profile).thread(freeze.thread)) · \
      \(FreezeWords(diagnosis).phrase(freeze, namesLoop: true))
      """, style: .strong)
    let frames = diagnosis.index.frames(of: freeze.stack, withNative: options.showsNative)
    FrameLines(profile, frames, end: freeze.stackEnd).write(to: &page, indent: 2)
  }

  private func writeFreezeCauses(
    _ freezes: [Freeze], to page: inout TextPage<some TextOutputStream>
  ) {
    page.heading("Freezes by cause")
    let words = FreezeWords(diagnosis)
    for row in FreezeTable.rows(of: freezes) {
      page.paragraph(
        """
        \(row.count) × · \(row.isAtLeast ? "at least " : "")\
        \(FreezeWords.length(row.total)) in total · longest \
        \(FreezeWords.length(row.longest.length)) · \
        \(words.phrase(row, namesLoop: true))
        """, indent: 4)
    }
  }

  /// For each thread with a loop the lengths of the times between two rests.
  private func writeRestTimes(
    _ threads: [ThreadResponses], to page: inout TextPage<some TextOutputStream>
  ) {
    let looping = threads.filter { $0.loop != nil }
    guard !looping.isEmpty else { return }
    page.heading("Times between two rests in the event loop")
    let words = WaitWords(profile)
    for thread in looping.prefix(options.rows) {
      let name = words.thread(thread.thread) + (thread.loop.map { ", " + $0.name } ?? "")
      page.paragraph("\(name): \(restWords(of: thread))", indent: 4)
      guard let longest = thread.unclear.max(by: { $0.length < $1.length }) else { continue }
      page.paragraph(
        """
        \(Figures.count(Int64(thread.unclear.count), "stretch", plural: "stretches")) of up to \
        \(FreezeWords.length(longest.length)) without a rest may be one long handler or many short \
        ones: samples cannot tell; in the longest \
        \(FreezeWords(diagnosis).phrase(longest, namesLoop: false, isUnclear: false))
        """, indent: 4)
    }
  }

  private func restWords(of thread: ThreadResponses) -> String {
    guard let median = thread.betweenRests(0.5), let high = thread.betweenRests(0.99),
      let longest = thread.betweenRests(1)
    else { return "none sampled" }
    return """
      \(Figures.count(Int64(thread.betweenRests.count), "time")), p50 \(Figures.duration(median)), \
      p99 \(Figures.duration(high)), longest \(Figures.duration(longest))
      """
  }
}

extension Int64 {
  /// Rounded up to whole milliseconds when these are cut off.
  fileprivate var addingRounded: Int64 { self > .max - 999_999 ? .max : self + 999_999 }
}
