internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `A merged profile` {
  static func total(_ profile: Profile) -> Weight {
    profile.runs.reduce(into: Weight()) { $0 += $1.weight }
  }

  @Test func `adds up to its sources`() {
    var merge = Merge()
    merge.add(OrderServer.attached(), label: "a")
    merge.add(Morning.profile(), label: "b")
    merge.add(OrderServer.attached(), label: "a")
    let merged = merge.finish()
    let once = Self.total(OrderServer.attached())
    #expect(Self.total(merged) == once + once + Self.total(Morning.profile()))
    #expect(merged.threads.count == OrderServer.attached().threads.count + 2)
    #expect(merged.threads.first?.name == "a/orderd")
    #expect(merged.threads.first?.cpu == 24_600_000)
    #expect(merged.threads.first?.lastSeen == 20_000_000_000)
    #expect(merged.capture.duration == 24_000_000_000)
    #expect(merged.capture.cost.stops == 1922)
    #expect(merged.capture.notes.first?.words.hasPrefix("merged from 3 captures of") == true)
  }

  @Test func `says of one source what that said, in every view`() throws {
    var merge = Merge()
    let source = OrderServer.attached()
    merge.add(source, label: "")
    let merged = merge.finish()
    for view in [ReportView.summary, .threads, .lines, .tree] {
      let options = ReportOptions(views: [view])
      #expect(`Text report`.report(merged, options) == `Text report`.report(source, options))
    }
  }

  @Test func `lets the runs of a thread follow each other`() {
    var merge = Merge()
    for label in ["a", "b", "a"] { merge.add(Morning.profile(), label: label) }
    let merged = merge.finish()
    for thread in merged.threads.indices {
      var clock = Int64(0)
      for run in merged.runs where run.thread == thread {
        #expect(run.start == clock)
        clock += run.weight.wall
      }
      #expect(clock == merged.threads[thread].lastSeen)
    }
  }

  @Test func `keeps different code at one address apart`() {
    func profile(_ name: String) -> Profile {
      var maker = ProfileMaker()
      let app = maker.module("/bin/app")
      let frame = maker.frame(SourceLine(function: name), in: app)
      let jit = maker.frame(SourceLine(function: "jit_\(name)"), in: .anonymous)
      let thread = maker.thread(1, "t", isMain: true)
      maker.run(thread, maker.stack(outermostFirst: [frame, jit]), ticks: 1)
      return maker.profile
    }
    var merge = Merge()
    for name in ["old", "new", "old"] { merge.add(profile(name), label: "") }
    let merged = merge.finish()
    let index = ProfileIndex(merged)
    let stacks = merged.runs.map { run in index.frames(of: run.stack).map(\.line.function) }
    #expect(stacks == [["jit_old", "old"], ["jit_new", "new"]])
    #expect(merged.runs.map(\.weight.ticks) == [2, 1])
    #expect(merged.modules.map(\.path) == ["/bin/app", "/bin/app", "[no file 1]"])
  }

  @Test func `names what one source could not`() {
    func profile(named: Bool) -> Profile {
      var maker = ProfileMaker()
      let app = maker.module("/bin/app")
      let frame =
        named ? maker.frame(SourceLine(function: "main"), in: app) : maker.unnamedFrame(in: app)
      let thread = maker.thread(1, "t", isMain: true)
      maker.run(thread, maker.stack(outermostFirst: [frame]), ticks: 1)
      return maker.profile
    }
    for order in [[true, false], [false, true]] {
      var merge = Merge()
      for named in order { merge.add(profile(named: named), label: "") }
      let merged = merge.finish()
      #expect(merged.runs.count == 1)
      #expect(merged.symbols.map { $0.lines.first?.function } == ["main"])
    }
  }

  @Test func `of hostile sources neither traps nor loses their runs`() {
    var merge = Merge()
    for label in ["\u{1B}[31m", "a/b"] {
      merge.add(HostileReportTestsProfile.profile, label: label)
    }
    let merged = merge.finish()
    #expect(merged.threads.count == 2 * `A report on a hostile program`.names.count)
    #expect(!merged.runs.isEmpty)
    #expect(!`Text report`.report(merged).isEmpty)
  }

  @Test func `of nothing is empty`() {
    let merged = Merge().finish()
    #expect(merged.threads.isEmpty && merged.runs.isEmpty)
  }
}
