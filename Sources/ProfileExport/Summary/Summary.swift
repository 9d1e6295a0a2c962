internal import ProfileAnalysis
internal import ProfileModel

/// The first screen of a report: after the verdict what was captured, the stacks that the verdict is
/// about, the functions and lines that took the time, the threads, and how to see more.
///
/// It has so many lines, whatever the program: everything else is a view.
struct Summary {
  /// Rows of a part; a program of very many threads has a second screen.
  struct Limits {
    let stackLines: Int
    let functions: Int
    let lines: Int
    let threads: Int
    let notes: Int

    static let oneScreen = Limits(stackLines: 14, functions: 6, lines: 4, threads: 7, notes: 3)
    static let twoScreens = Limits(stackLines: 24, functions: 10, lines: 6, threads: 14, notes: 6)
  }

  let report: TextReport
  let limits: Limits
  /// The threads that are shown.
  let groups: ThreadGroups
  /// With interpreted frames alone in the stacks that have any.
  let shownIndex: ProfileIndex

  var diagnosis: Diagnosis { report.diagnosis }
  var profile: Profile { report.profile }

  init(_ report: TextReport) {
    self.report = report
    let threads = report.rows.flatMap(\.threads)
    limits = threads.count > 20 ? .twoScreens : .oneScreen
    groups = ThreadGroups(report.diagnosis, report.index, threads: threads)
    shownIndex =
      report.options.showsNative && report.profile.hasInterpretedFrames
      ? report.diagnosis.shownIndex(withNative: false) : report.index
  }

  func write(to page: inout TextPage<some TextOutputStream>) {
    guard !report.rows.isEmpty else { return }
    if profile.capture.kind != .imported { writeStacks(to: &page) }
    writeTables(to: &page)
    if hasThreadFigures { writeThreads(to: &page) }
    writeViews(to: &page)
  }

  /// What was captured, and what that cost, as a report of a fault needs it.
  static func writeCapture(
    _ capture: CaptureInfo, notes limit: Int, to page: inout TextPage<some TextOutputStream>
  ) {
    page.paragraph(capture.sentence, style: .strong)
    if capture.kind != .imported { page.clauses(capture.briefCost) }
    // A program that writes its title over its arguments leaves blanks behind it.
    let words = capture.commandLine.flatMap { $0.split(separator: " ") }.joined(separator: " ")
    let program = PlainText.shortenedAtRight(PlainText.printable(words), to: page.width - 40)
    let parts = [
      capture.startTime > 0 ? CalendarTime(capture.startTime).words : nil,
      program.isEmpty ? capture.executable : program,
      "sprof \(SprofVersion.current)",
    ].compactMap { $0 }
    page.clauses(parts)
    page.notes(of: capture, atMost: limit)
  }

  /// Whether more is known of threads than the stacks of one, as of those in another tool's file.
  private var hasThreadFigures: Bool {
    profile.capture.kind != .imported || profile.threads.count > 1
      || profile.threads.contains { $0.cpu > 0 }
  }

  private func writeViews(to page: inout TextPage<some TextOutputStream>) {
    page.space()
    let views = ReportView.allCases.filter { $0 != .summary }.map(\.rawValue)
    let file = report.options.file.map { "sprof report \($0.replacingQuotes) " } ?? ""
    page.paragraph("More: \(file)--view \(views.joined(separator: ", "))", indent: 6, style: .dim)
    page.line(Span("      --by line · --thread NAME", .dim))
  }
}

extension CaptureInfo {
  /// What the capture cost the program, and sprof, in a line.
  fileprivate var briefCost: [String] {
    let late = cost.ticksLate > 0 ? ", \(cost.ticksLate) late" : ""
    return [
      "\(cost.ticksTaken) of \(Figures.count(cost.ticksPlanned, "tick"))\(late)",
      cost.sampleWords,
      cost.stops > 0
        ? """
        stopped \(Figures.percent(cost.stoppedShare(of: duration))) %, p99 \
        \(Figures.duration(cost.pause99))
        """ : nil,
      duration > 0
        ? "sprof used \(Figures.percent(cost.ownShare(of: duration))) % of a CPU" : nil,
    ].compactMap { $0 }
  }
}

extension Profile {
  /// Whether any stack has a frame of a language that an interpreter runs.
  fileprivate var hasInterpretedFrames: Bool {
    (1..<max(stacks.stackCount, 1)).contains { number in
      guard let frame = stacks.innermostFrame(of: StackID(UInt32(number))) else { return false }
      if case .interpreted = stacks[frame] { return true }
      return false
    }
  }
}
