internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `Live view` {
  func picture(_ change: (inout LivePicture.Request) -> Void = { _ in }) -> LivePicture {
    var request = LivePicture.Request()
    change(&request)
    let live = LiveProfile(OrderServer.attached())
    var picture = LivePicture(live, request)
    picture.longVerdict = LivePicture.LongVerdict(live, request)
    return picture
  }

  func text(
    _ view: inout LiveView, _ picture: LivePicture, width: Int = 100, height: Int = 30,
    isASCII: Bool = false
  ) -> String {
    var status = LiveStatus()
    status.isReplay = true
    status.isASCII = isASCII
    let lines = LiveScreen.lines(&view, picture, status, width: width, height: height)
    return lines.map { line in
      let text = line.map(\.text).joined()
      return String(text.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  @Test(arguments: LivePane.allCases)
  func `of a server reads as it did`(pane: LivePane) throws {
    var view = LiveView()
    view.pane = pane
    let picture = picture()
    try Goldens.expect(text(&view, picture), toEqual: "top.\(pane.rawValue).100x30.txt")
    try Goldens.expect(
      text(&view, picture, width: 40, height: 10), toEqual: "top.\(pane.rawValue).40x10.txt")
  }

  @Test func `keeps to every size, and to ASCII where there is no more`() {
    let picture = picture()
    for pane in LivePane.allCases {
      for (width, height) in [(40, 10), (41, 12), (80, 24), (133, 40), (300, 100), (1, 1)] {
        var view = LiveView()
        view.pane = pane
        var status = LiveStatus()
        status.isASCII = true
        let lines = LiveScreen.lines(&view, picture, status, width: width, height: height)
        #expect(lines.count == max(4, height))
        for line in lines {
          let text = line.map(\.text).joined()
          #expect(PlainText.columns(text) <= max(20, width), "\(pane) \(text)")
          #expect(text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(text)")
        }
      }
    }
  }

  @Test func `of nothing yet has a screen, too`() {
    var view = LiveView()
    let empty = LivePicture(CaptureInfo(kind: .attach, pid: 1, processName: "\u{1B}[2J\n"))
    for pane in LivePane.allCases {
      view.pane = pane
      let text = text(&view, empty, width: 60, height: 12)
      #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 13)
      #expect(!text.contains("\u{1B}"))
    }
  }

  @Test func `has a verdict on the threads that were chosen`() {
    let all = picture()
    let one = picture { $0.thread = "engine" }
    #expect(one.verdict.contains("engine") && one.verdict != all.verdict, "\(one.verdict)")
    #expect(one.longVerdict?.text.contains("engine") == true)
    let main = picture { $0.thread = "main" }
    #expect(main.verdict == all.verdict)
    let none = picture { $0.thread = "nobody" }
    #expect(none.verdict == "No thread of this time has the name or number nobody.")
  }

  @Test func `says of threads of a program that is over that they are as they were at its end`() {
    var view = LiveView()
    let picture = picture()
    #expect(text(&view, picture).contains("\n34 threads at the end: 2 running"))
    var status = LiveStatus()
    status.end = "the program has ended"
    let lines = LiveScreen.lines(&view, picture, status, width: 100, height: 30)
    let words = lines.map { $0.map(\.text).joined() }.joined(separator: "\n")
    #expect(words.contains("\n34 threads at the end: 2 running"), "\(words)")
    status.end = nil
    let now = LiveScreen.lines(&view, picture, status, width: 100, height: 30)
    #expect(now.contains { $0.first?.text == "34 threads:" })
  }

  @Test func `leaves who holds a lock whole where a line is too long`() {
    var view = LiveView()
    var picture = picture()
    picture.threads = [
      LivePicture.Thread(
        tid: 7, name: "worker", activity: .asleep(in: "futex"), cpu: 0,
        doing: "waiting for mutex orders_of_the_whole_day_lock (a_file_of_orders.cpp)",
        heldBy: ", held by \"network\" (4243)", place: ", in Orders::add", since: 0, isIdle: false,
        strip: [], owner: 4243)
    ]
    view.pane = .threads
    let row = text(&view, picture, width: 90).split(separator: "\n").first { $0.contains("worker") }
    #expect(row?.contains("…, held by \"network\" (4243)") == true, "\(row ?? "")")
    picture.blockers = [
      LivePicture.Blocker(
        wait: "waiting for mutex orders_of_the_whole_day_lock (a_file_of_orders.cpp)",
        owner: "\"network\" (4243)", deed: "waiting to read from a pipe in ask_server",
        ownerThread: 4243, lost: 1, waiters: 1)
    ]
    view.pane = .blockers
    let words = text(&view, picture, width: 90)
    #expect(words.contains("… · \"network\" (4243)"), "\(words)")
  }

  @Test func `of another tool's stacks has no words of threads and times`() {
    var profile = OrderServer.attached()
    profile.capture = CaptureInfo(kind: .imported, pid: 0, processName: "a.folded", rate: 100)
    profile.capture.duration = 10_000_000_000
    let picture = LivePicture(LiveProfile(profile), LivePicture.Request())
    for pane in LivePane.allCases {
      var view = LiveView()
      view.pane = pane
      let words = text(&view, picture)
      #expect(words.contains("a.folded · stacks of another tool"), "\(words)")
      for untrue in ["pid", "Hz", "ticks", "freeze", "asleep", "at rest", "(main)", "stopped"] {
        #expect(!words.contains(untrue), "\(untrue): \(words)")
      }
    }
  }

  @Test func `orders what weighs the same in one way`() {
    var made = ProfileMaker()
    let app = made.module("/opt/app")
    let thread = made.thread(1, "app", isMain: true)
    for place in (0..<40).shuffled() {
      let line = SourceLine(function: "f", file: "/src/\(place)/a\(place).c", line: 1)
      let name = SourceLine(function: "g\(place)", file: "/src/a.c", line: 1)
      for line in [line, name] {
        made.run(thread, made.stack(outermostFirst: [made.frame(line, in: app)]), cpu: 10)
      }
    }
    made.profile.capture.duration = 1_000_000_000
    let picture = LivePicture(LiveProfile(made.profile), LivePicture.Request())
    let names = picture.functions.map { $0.name + " " + $0.place }
    #expect(names.count == 80)
    #expect(names == names.sorted())
  }
}
