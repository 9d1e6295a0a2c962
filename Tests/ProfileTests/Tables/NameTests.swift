internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `Names in tables` {
  @Test func `are shortened in the middle, and addresses so that they differ`() {
    #expect(PlainText.shortenedInMiddle("handle_request", to: 9) == "hand…uest")
    #expect(PlainText.shortenedInMiddle("0x7f12ab45", to: 10) == "0x7f12ab45")
    #expect(PlainText.shortenedInMiddle("0x7f12ab45", to: 6) == "…2ab45")
    // No address, in spite of its beginning.
    #expect(PlainText.shortenedInMiddle("0xdeadbeefs", to: 9) == "0xde…eefs")
  }

  @Test(arguments: [0, 1, 5, 12, 20, 30, 40, 60])
  func `have room before their places, and never more than there is`(room: Int) {
    let place = SourcePlace(module: "libpricing_without_debug_data.so.2.11.0")
    for name in ["0x7f12ab45cd01", "handle_request", "f"] {
      let shown = place.beside(name, room: room)
      let gap = shown.place.isEmpty ? 0 : 2
      let columns = PlainText.columns(shown.name) + gap + PlainText.columns(shown.place)
      #expect(columns <= room, "\(shown)")
      if name.hasPrefix("0x"), room >= 14 { #expect(shown.name == name) }
    }
    if room >= 60 { #expect(place.beside("f", room: room).place == place.text) }
  }
}

@Suite struct `Rows of a table` {
  /// Functions whose names differ in their middle alone.
  private static let names = ["int", "long", "std::string"].map {
    "orders::detail::very::long::scope::Pipeline<\($0), orders::Settings, orders::Book, orders::Price>"
      + "::run_all_of_the_steps_in_order"
  }

  @Test(arguments: [20, 30, 60, 80, 200])
  func `do not read the same where their names differ`(room: Int) {
    let labels = DistinctLabels.labels(Self.names + [Self.names[0], "f", ""]) { _, name in
      PlainText.shortenedInMiddle(name, to: room)
    }
    #expect(Set(labels).count == 5, "\(labels)")
    #expect(labels[0] == labels[3] && labels[4] == "f" && labels[5] == "")
    #expect(labels.allSatisfy { PlainText.columns($0) <= room })
    if room >= 60 { #expect(labels[1].contains("long"), "\(labels)") }
  }

  @Test func `are told apart in the report`() {
    var maker = ProfileMaker()
    let module = maker.module("/opt/app")
    let thread = maker.thread(4242, "main", isMain: true, cpu: 3_000_000_000)
    for name in Self.names {
      let frame = maker.frame(SourceLine(function: name, file: "/src/a.cpp", line: 7), in: module)
      let stack = maker.stack(outermostFirst: [frame])
      maker.run(thread, stack, .running, ticks: 100, cpu: 1_000_000_000)
    }
    maker.profile.capture.duration = 3_000_000_000
    for unit in [FlatTable.Unit.function, .line, nil] {
      var text = ""
      let options = ReportOptions(unit: unit, width: 80)
      TextReport(maker.profile, options: options).write(to: &text)
      let rows = text.split(separator: "\n").filter { $0.contains("a.cpp") && $0.contains("…") }
        .map { $0.drop { !$0.isLetter } }
      #expect(rows.count >= 3 && Set(rows).count >= 3, "\(text)")
    }
  }

  @Test(arguments: [60, 80, 100])
  func `are told apart in the call tree and in a stack`(width: Int) {
    var maker = ProfileMaker()
    let module = maker.module("/opt/app")
    let thread = maker.thread(4242, "main", isMain: true, cpu: 3_000_000_000)
    let frames = Self.names.map {
      maker.frame(SourceLine(function: $0, file: "/src/a.cpp", line: 7), in: module)
    }
    // Each is called by itself, and all by each other.
    for stack in frames.map({ [$0] }) + [frames] {
      maker.run(
        thread, maker.stack(outermostFirst: stack), .running, ticks: 100, cpu: 1_000_000_000)
    }
    maker.profile.capture.duration = 4_000_000_000
    for view in [ReportView.tree, .stacks] {
      var text = ""
      TextReport(maker.profile, options: ReportOptions(views: [view], width: width))
        .write(to: &text)
      let names = text.split(separator: "\n").filter { $0.contains("…") }.map { line in
        line.drop { !$0.isLetter }.prefix { $0 != " " }
      }
      #expect(names.count >= 3, "\(text)")
      #expect(Set(names).count >= 3, "\(text)")
    }
  }
}
