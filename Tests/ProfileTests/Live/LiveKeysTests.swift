internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

/// What keys do.
extension `Live view` {
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
