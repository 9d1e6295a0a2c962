internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `Text report` {
  static func report(_ profile: Profile, _ options: ReportOptions = ReportOptions()) -> String {
    var text = ""
    TextReport(profile, options: options).write(to: &text)
    return text
  }

  static func dump(_ profile: Profile, _ options: ReportOptions = ReportOptions()) -> String {
    var text = ""
    DumpReport(profile, options: options).write(to: &text)
    return text
  }

  @Test func `of a server reads as it did`() throws {
    let profile = OrderServer.attached()
    try Goldens.expect(Self.report(profile), toEqual: "report.default.txt")
    for view in ReportView.allCases {
      let text = Self.report(profile, ReportOptions(views: [view], top: 5))
      try Goldens.expect(text, toEqual: "report.\(view.rawValue).top5.txt")
    }
    let filter = ThreadFilter(glob: "worker-*")
    let text = Self.report(profile, ReportOptions(threadFilter: filter))
    try Goldens.expect(text, toEqual: "report.thread-worker.txt")
    try Goldens.expect(
      Self.report(profile, ReportOptions(views: [.summary, .tree], color: true)),
      toEqual: "report.color.txt")
  }

  @Test func `of a dump reads as it did`() throws {
    try Goldens.expect(Self.dump(OrderServer.dumped()), toEqual: "dump.txt")
  }
}
