internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `Live view` {
  private func picture(_ change: (inout LivePicture.Request) -> Void = { _ in }) -> LivePicture {
    var request = LivePicture.Request()
    change(&request)
    let live = LiveProfile(OrderServer.attached())
    var picture = LivePicture(live, request)
    picture.longVerdict = LivePicture.LongVerdict(live, request)
    return picture
  }

  private func text(
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

  private func press(_ keys: String, _ view: inout LiveView, _ picture: LivePicture) -> [LiveOrder]
  {
    keys.compactMap { key in
      switch key {
      case "\n": view.take(.enter, picture)
      case "\u{1B}": view.take(.escape, picture)
      case "\t": view.take(.tab, picture)
      default: view.take(.character(key), picture)
      }
    }
  }

  @Test func `goes from pane to pane`() {
    var view = LiveView()
    let picture = picture()
    #expect(press("2", &view, picture).isEmpty)
    #expect(view.pane == .threads)
    _ = press("\t\t", &view, picture)
    #expect(view.pane == .tree)
    _ = press("\t\t", &view, picture)
    #expect(view.pane == .functions)
    _ = view.take(.backTab, picture)
    #expect(view.pane == .stack)
  }

  @Test func `filters, and takes the filter back`() {
    var view = LiveView()
    let picture = picture()
    view.pane = .threads
    let all = view.rows(picture).count
    #expect(press("/worker\n", &view, picture).isEmpty)
    let some = view.rows(picture).count
    #expect(some > 0 && some < all)
    // Keys are text while one types.
    #expect(press("/q", &view, picture).isEmpty)
    #expect(press("\u{1B}\u{1B}", &view, picture).isEmpty)
    #expect(view.rows(picture).count == all)
    #expect(press("tworker-*\n", &view, picture) == [.remake])
    #expect(view.request.thread == "worker-*")
    // Until it is there, the picture of other threads is not shown.
    #expect(text(&view, picture).contains("\n…\n"))
    #expect(press("\u{1B}", &view, picture) == [.remake])
    #expect(view.request.thread == nil)
    #expect(!text(&view, picture).contains("\n…\n"))
  }

  @Test func `keeps the chosen row when rows move`() {
    var view = LiveView()
    var picture = picture()
    view.pane = .threads
    _ = press("j", &view, picture)
    let rows = view.rows(picture)
    let key = rows[view.chosenPlace(in: view.entries(picture))].key
    picture.threads.reverse()
    view.sort = .name
    let moved = view.rows(picture)
    #expect(moved[view.chosenPlace(in: view.entries(picture))].key == key)
    picture.threads.removeAll { "\($0.tid)" == key }
    let left = view.rows(picture)
    #expect(left.indices.contains(view.chosenPlace(in: view.entries(picture))))
    picture.threads = []
    #expect(press("jkgG\n", &view, picture).isEmpty || true)
    #expect(view.rows(picture).isEmpty)
  }

  @Test func `opens the stack of a thread, and goes to who holds it up`() {
    var view = LiveView()
    let picture = picture()
    view.pane = .threads
    let tid = view.rows(picture).first?.thread
    #expect(press("\n", &view, picture).isEmpty)
    #expect(view.pane == .stack)
    #expect(view.focus == tid)
    // It is of the picture that is there, and does not wait for the next.
    #expect(text(&view, picture).contains("\nThread \(tid ?? 0) "))
    #expect(text(&view, picture).contains("#0 "))
    view.focus = 4_000_000
    #expect(text(&view, picture).contains("Thread 4000000 is not there any more"))
    view.pane = .blockers
    guard let row = view.rows(picture).firstIndex(where: { $0.thread != nil }) else { return }
    for _ in 0..<row { _ = press("j", &view, picture) }
    let owner = view.rows(picture)[row].thread
    _ = press("\n", &view, picture)
    #expect(view.pane == .threads)
    let rows = view.rows(picture)
    #expect(rows[view.chosenPlace(in: view.entries(picture))].thread == owner)
  }

  @Test func `hides what a function called, and shows it again`() {
    var view = LiveView()
    let picture = picture()
    view.pane = .tree
    let all = view.rows(picture).count
    _ = press("\n", &view, picture)
    #expect(view.rows(picture).count < all)
    _ = press("\n", &view, picture)
    #expect(view.rows(picture).count == all)
  }

  @Test func `passes on what it cannot do itself`() {
    var view = LiveView()
    let picture = picture()
    #expect(
      press("dwr+-q\u{1A}\u{3}", &view, picture)
        == [.dump, .write, .reset, .faster, .slower, .quit, .suspend, .quit])
    _ = press("p", &view, picture)
    #expect(view.isPaused)
    #expect(text(&view, picture).contains("PAUSED"))
    _ = press("ph", &view, picture)
    #expect(!view.isPaused && view.showsHelp)
    #expect(text(&view, picture).contains("Any key goes back"))
    _ = press("x", &view, picture)
    #expect(!view.showsHelp)
  }

  @Test func `has all of its help in the smallest terminal`() {
    var view = LiveView()
    let picture = picture()
    view.showsHelp = true
    var seen = text(&view, picture, width: 40, height: 10)
    #expect(seen.contains("Arrows scroll"))
    for _ in 0..<100 {
      #expect(view.take(.down, picture) == nil)
      seen += text(&view, picture, width: 40, height: 10)
    }
    for words in ["1 to 5, tab", "enter: ", "clears both", "last minutes as a", "Ctrl-Z: quit"] {
      #expect(seen.contains(words), "\(words)")
    }
    #expect(!seen.contains("…"))
    _ = view.take(.pageUp, picture)
    _ = view.take(.up, picture)
    #expect(view.showsHelp)
    _ = press("x", &view, picture)
    #expect(!view.showsHelp)
    // Where all of it has room, an arrow is a key like any other.
    view.showsHelp = true
    #expect(text(&view, picture).contains("Any key goes back"))
    _ = view.take(.down, picture)
    #expect(!view.showsHelp)
  }

  @Test func `says in a narrow terminal which pane it is, and what is new`() {
    var view = LiveView()
    let picture = picture()
    view.pane = .stack
    view.isPaused = true
    var status = LiveStatus()
    status.end = "the program has ended"
    let lines = LiveScreen.lines(&view, picture, status, width: 60, height: 10)
      .map { $0.map(\.text).joined() }
    #expect(lines[0].contains("PAUSED · the program has ended"), "\(lines[0])")
    // The verdict is cut, and not the indented lines that it would have had.
    #expect(lines[1].hasSuffix("…") && !lines[1].contains("  "), "\(lines[1])")
    #expect(text(&view, picture, width: 40, height: 10).contains("1 2 3 4 5 Stack"))
  }

  @Test func `says how old the verdict on the last minutes is`() throws {
    var picture = picture()
    let long = try #require(picture.longVerdict)
    picture.window = long.length / 2
    var view = LiveView()
    let length = Figures.duration(long.length)
    #expect(text(&view, picture).contains("Last \(length): "))
    picture.elapsed += 4_300_000_000
    #expect(text(&view, picture).contains("Last \(length), 4 s ago: "), "\(text(&view, picture))")
  }

  @Test func `says that tables leave out time at rest, but for CPU time`() {
    var view = LiveView()
    let picture = picture()
    for pane in [LivePane.functions, .tree] {
      view.pane = pane
      view.unit = .wall
      #expect(text(&view, picture).contains(", without time at rest"))
      view.unit = .cpu
      #expect(!text(&view, picture).contains("at rest\n"))
    }
  }

  @Test func `says that nothing was sampled yet`() {
    var view = LiveView()
    let empty = LivePicture(CaptureInfo(kind: .attach, pid: 1, processName: "slow"))
    let lines = LiveScreen.lines(&view, empty, LiveStatus(), width: 80, height: 24)
    let text = lines.map { $0.map(\.text).joined() }.joined(separator: "\n")
    #expect(text.contains("Preparing"))
    #expect(!text.contains("0 threads") && !text.contains("Nothing"), "\(text)")
  }

  @Test func `says that a program ended before a thread was seen`() {
    var view = LiveView()
    var empty = LivePicture(CaptureInfo(kind: .run, pid: 1, processName: "false"))
    empty.elapsed = 10_000_000
    var status = LiveStatus()
    status.end = "the program has ended"
    let text = LiveScreen.lines(&view, empty, status, width: 80, height: 24)
      .map { $0.map(\.text).joined() }.joined(separator: "\n")
    #expect(text.contains("No thread was seen in this time."), "\(text)")
    #expect(text.contains("0 threads · CPU") && !text.contains("were at rest"), "\(text)")
  }

  @Test func `lets rows that read alike be chosen one by one`() {
    var view = LiveView()
    var picture = picture()
    let blocker = LivePicture.Blocker(
      wait: "waiting for a mutex", owner: "", deed: "", ownerThread: nil, lost: 1, waiters: 1)
    picture.blockers = [blocker, blocker, blocker]
    view.pane = .blockers
    for place in 0..<3 {
      #expect(view.chosenPlace(in: view.entries(picture)) == place)
      _ = press("j", &view, picture)
    }
    for pane in LivePane.allCases {
      view.pane = pane
      let keys = view.rows(picture).map(\.key)
      #expect(Set(keys).count == keys.count, "\(pane)")
    }
  }

  @Test func `makes rows anew just when they may differ`() {
    var view = LiveView()
    var picture = picture()
    picture.number = 7
    let keys = ["2", "s", "s", "/work\n", "\u{1B}", "4", "\n", "j\n", "1", "c", "3", "5", "2"]
    for key in keys {
      _ = press(key, &view, picture)
      let known = view.entries(picture).map { view.row($0, picture).text }
      #expect(known == view.rows(picture).map(\.text), "\(key)")
    }
    // The picture of a number is taken to be what it was.
    let before = view.entries(picture).count
    picture.threads.removeLast()
    #expect(view.entries(picture).count == before)
    picture.number = 8
    #expect(view.entries(picture).count == before - 1)
  }

  @Test func `takes any keys in any order`() {
    var generator = SystemRandomNumberGenerator()
    let keys: [LiveKey] =
      [.up, .down, .pageUp, .pageDown, .home, .end, .enter, .escape, .tab, .backTab, .backspace]
      + "12345sc/tprhhjkgGo?é\u{1F600}".map { .character($0) }
    let pictures = [picture(), LivePicture(CaptureInfo(kind: .attach, pid: 1, processName: "x"))]
    var view = LiveView()
    for _ in 0..<5000 {
      guard let key = keys.randomElement(using: &generator),
        let picture = pictures.randomElement(using: &generator)
      else { return }
      _ = view.take(key, picture)
      if Int.random(in: 0..<20, using: &generator) == 0 {
        _ = text(
          &view, picture, width: .random(in: 1...120, using: &generator),
          height: .random(in: 1...50, using: &generator))
      }
    }
  }
}
