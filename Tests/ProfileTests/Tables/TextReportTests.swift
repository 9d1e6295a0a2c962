internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

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

  @Test func `says the same in colour`() {
    let profile = OrderServer.attached()
    let plain = Self.report(profile, ReportOptions(views: Set(ReportView.allCases)))
    let colored = Self.report(profile, ReportOptions(views: Set(ReportView.allCases), color: true))
    #expect(colored != plain)
    #expect(colored.replacing(/\u{1B}\[[0-9]+m/, with: "") == plain)
  }

  @Test(
    arguments: [
      (9_999_000_000, "10.00 s"), (599_990_000_000, "599.99 s"), (600_000_000_000, "10 min 0 s"),
      (3_599_400_000_000, "59 min 59 s"), (25_527_820_000_000, "7 h 5 min"),
      (180_000_000_000_000, "2 d 2 h"), (-25_527_820_000_000, "-7 h 5 min"),
      (.max, "106752 d 0 h"), (.min, "-106752 d 0 h"),
    ] as [(Int64, String)])
  func `gives long times in the two units that suit them`(nanoseconds: Int64, words: String) {
    #expect(Figures.duration(nanoseconds) == words)
  }

  @Test(arguments: [(45.2, "46 s"), (591, "10 min"), (43_032, "12 h"), (260_000, "3 days")])
  func `gives estimates in round figures`(seconds: Double, words: String) {
    #expect(Figures.roughly(seconds: seconds) == words)
  }

  @Test func `never parts a figure from its unit`() {
    let words = ["ran", "(31.4 %", "of 7 h 5 min);", "12 threads", "-0.002 s/s,", "4 x"]
    for width in 60...110 {
      var page = TextPage("", width: width, color: false)
      page.paragraph(
        Array(repeating: words.joined(separator: " "), count: 9).joined(separator: " "))
      let lines = page.output.split(separator: "\n").map { $0.drop { $0 == " " } }
      #expect(lines.allSatisfy { !$0.hasPrefix("%") && !$0.hasPrefix("s/s") }, "\(lines)")
      #expect(lines.allSatisfy { !$0.hasPrefix("h ") && !$0.hasPrefix("min") }, "\(lines)")
      #expect(lines.allSatisfy { $0.count <= width } && !page.output.contains("\u{A0}"))
    }
  }

  @Test func `heads the line table with the words that its users know`() {
    let header = "cpu_time (cum) ticks (cum) samples (cum) filename:lineno function"
    let text = Self.report(OrderServer.attached(), ReportOptions(views: [.lines]))
    let lines = text.split(separator: "\n")
    #expect(lines.filter { $0 == header }.count == 5)
  }

  @Test func `keeps the columns apart however large the figures`() throws {
    var maker = ProfileMaker()
    let app = maker.module("/bin/large")
    let frame = maker.frame(SourceLine(function: "main", file: "main.c", line: 1), in: app)
    let thread = maker.thread(1, "large", isMain: true)
    let stack = maker.stack(outermostFirst: [frame])
    maker.run(thread, stack, ticks: 123_456_789, cpu: 1_234_567_890_123_456)
    let text = Self.report(maker.profile, ReportOptions(views: [.lines]))
    let row = try #require(text.split(separator: "\n").first { $0.hasSuffix("main.c:1 main") })
    #expect(
      row.split(separator: " ") == [
        "1234567.890", "1234567.890", "123456789", "123456789", "123456789", "123456789",
        "main.c:1", "main",
      ])
  }

  @Test func `shows the busiest thread where the verdict is about none that is shown`() {
    let options = ReportOptions(threadFilter: ThreadFilter(glob: "engine"))
    let text = Self.report(OrderServer.attached(), options)
    #expect(text.contains("Where it is\nThread 4250 \"engine\""))
    #expect(!text.contains("Thread 4242"))
  }

  @Test func `begins with a screen that has the verdict's threads, the functions and the rest`() {
    let text = Self.report(OrderServer.attached())
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count < 60)
    #expect(lines.prefix(25).contains { $0.contains("Book::onClick") })
    #expect(text.contains("At rest: ") && text.contains("worker-* ×31"))
    #expect(text.contains("More: --view "))
    var options = ReportOptions()
    options.file = "slow.pb.gz"
    #expect(
      Self.report(OrderServer.attached(), options).contains("More: sprof report slow.pb.gz "))
  }

  @Test func `has everything with the view all`() {
    let all = Self.report(OrderServer.attached(), ReportOptions(views: [.all]))
    for view in ReportView.allCases where view != .all {
      let part = Self.report(OrderServer.attached(), ReportOptions(views: [view]))
      let last = part.split(separator: "\n").last { !$0.hasPrefix("More: ") } ?? ""
      #expect(all.contains(last), "\(view)")
    }
  }

  @Test func `says that no thread matches`() {
    let options = ReportOptions(threadFilter: ThreadFilter(glob: "nobody\u{1B}"))
    let sentence = "No thread matches \"nobody\\u{1B}\"."
    #expect(Self.report(OrderServer.attached(), options).contains(sentence))
    #expect(Self.dump(OrderServer.dumped(), options).contains(sentence))
  }

  @Test func `shows a few threads in detail when there are very many`() {
    var maker = ProfileMaker()
    let app = maker.module("/bin/many")
    let frame = maker.frame(SourceLine(function: "spin"), in: app)
    let stack = maker.stack(outermostFirst: [frame])
    for tid in 1...300 {
      let thread = maker.thread(Int32(tid), "spin", isMain: tid == 1, cpu: 1_000_000_000)
      maker.run(thread, stack, ticks: 1000, cpu: 1_000_000_000)
    }
    let options = ReportOptions(views: [.threads, .lines, .tree])
    let text = Self.report(maker.profile, options)
    #expect(text.contains("… 250 more threads with 250.000 s CPU in total"))
    #expect(text.split(separator: "\n").filter { $0.hasSuffix("running") }.count == 300)
    let all = Self.report(
      maker.profile, ReportOptions(views: [.threads, .lines, .tree], top: 300))
    #expect(!all.contains("more threads"))
  }

  @Test(arguments: [
    (UInt64(0), "0"), (64, "64"), (65_535, "65535"), (65_536, "0x10000"), (.max, "-1"),
    (0xffff_ffff, "-1"), (0xffff_ff9c, "-100"), (0xffff_0000, "0xffff0000"),
    (UInt64(bitPattern: -4096), "-4096"), (UInt64(bitPattern: -4097), "0xffffffffffffefff"),
  ])
  func `writes an argument of a system call as a reader expects it`(
    argument: UInt64, words: String
  ) {
    var maker = ProfileMaker(kind: .dump)
    let call = SystemCall(name: "poll", arguments: [argument])
    let thread = maker.thread(1, "one", isMain: true, systemCall: call)
    maker.run(thread, .empty, .asleep(in: "poll"), end: .truncated(.noStack))
    #expect(Self.dump(maker.profile).contains("  in poll(\(words))\n"))
  }

  @Test func `merges threads of a dump only when more than four share a stack`() {
    for count in 4...5 {
      var maker = ProfileMaker(kind: .dump)
      let app = maker.module("/bin/pool")
      let stack = maker.stack(outermostFirst: [
        maker.frame(SourceLine(function: "idle"), in: app)
      ])
      for number in 0...count {
        let thread = maker.thread(Int32(number + 1), "pool", isMain: number == 0)
        maker.run(thread, stack, .asleep(in: "futex"))
      }
      let all = Self.dump(maker.profile, ReportOptions(views: [.all]))
      let headings = all.split(separator: "\n").filter { $0.hasPrefix("Thread") }
      #expect(headings.count == (count == 4 ? 5 : 2))
      #expect(Self.dump(maker.profile).contains("\nThreads ×\(count) "))
    }
  }
}
