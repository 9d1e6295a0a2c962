internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `A filtered profile` {
  @Test(arguments: [
    ("w-[", true), ("w-[]", true), ("[!", true), ("a[0-9]", false), ("w-\\[", false), ("", false),
    ("[]]", false), ("[a][", true),
  ])
  func `tells a set that no bracket ends`(glob: String, isOpen: Bool) {
    #expect(Glob(glob).hasOpenSet == isOpen)
  }

  static func total(_ profile: Profile) -> Weight {
    profile.runs.reduce(into: Weight()) { $0 += $1.weight }
  }

  static func filtered(_ change: (inout ProfileFilter) throws -> Void) rethrows -> Profile {
    var filter = ProfileFilter()
    try change(&filter)
    return filter.apply(to: Morning.profile())
  }

  @Test func `is the same without any wish`() {
    let profile = Self.filtered { _ in }
    #expect(profile.runs.count == 7 && profile.capture.notes.isEmpty)
  }

  @Test func `has its runs cut in proportion at the ends of a window`() throws {
    let profile = Self.filtered {
      $0.from = 500_000_000
      $0.to = 1_250_000_000
    }
    let main = profile.runs.filter { $0.thread == 0 }
    #expect(main.map(\.start) == [500_000_000, 1_000_000_000])
    #expect(
      main.map(\.weight) == [
        Weight(samples: 50, ticks: 50, cpu: 500_000_000, wall: 500_000_000),
        Weight(samples: 25, ticks: 25, cpu: 0, wall: 250_000_000),
      ])
    #expect(profile.capture.duration == 750_000_000)
    #expect(profile.threads[0].cpu == 500_000_000)
    #expect(profile.threads[0].firstSeen == 500_000_000)
    #expect(profile.threads[0].lastSeen == 1_250_000_000)
  }

  @Test func `has the cost of the whole capture, as a share of the whole`() {
    var whole = Morning.profile()
    whole.capture.cost.stoppedTime = whole.capture.duration / 100
    whole.capture.cost.ownCPU = whole.capture.duration / 20
    var filter = ProfileFilter()
    (filter.from, filter.to) = (500_000_000, 1_250_000_000)
    let part = filter.apply(to: whole)
    #expect(part.capture.duration < whole.capture.duration)
    #expect(abs(part.capture.cost.stoppedShare(of: part.capture.duration) - 0.01) < 1e-9)
    #expect(abs(part.capture.cost.ownShare(of: part.capture.duration) - 0.05) < 1e-9)
    var text = ""
    TextReport(part, options: ReportOptions(views: [.threads])).write(to: &text)
    #expect(text.contains("stopped 1.0 % of the whole capture"))
    #expect(text.contains("(5.0 %)"))
  }

  @Test(arguments: [Int64(1), 3_333_333, 777_777_777, 1_000_000_000, 3_999_999_999])
  func `adds up with the one after it`(cut: Int64) {
    var whole = Morning.profile()
    whole.runs[0].weight.ticks = 7
    var before = ProfileFilter()
    before.to = cut
    var after = ProfileFilter()
    after.from = cut
    let parts = Self.total(before.apply(to: whole)) + Self.total(after.apply(to: whole))
    #expect(parts == Self.total(whole))
  }

  @Test(arguments: [
    (ProfileFilter.State.running, Int64(4)), (.waiting, 2), (.blocked, 2), (.uninterruptible, 0),
  ])
  func `holds the states that were asked for`(state: ProfileFilter.State, seconds: Int64) {
    let profile = Self.filtered { $0.states = [state] }
    #expect(Self.total(profile).wall == seconds * 1_000_000_000)
    #expect(profile.threads.isEmpty == (seconds == 0))
    #expect(profile.runs.allSatisfy { profile.threads.indices.contains($0.thread) })
  }

  @Test(arguments: [
    ("^cook$" as String?, nil as String?, Int64(3)), ("stir", "read", 1), (nil, "wash", 3),
    ("o", nil, 3), ("main", "main", 0),
    ("nothing", nil, 0), ("wash|read", nil, 7),
  ])
  func `goes through the functions in focus and not through those to ignore`(
    focus: String?, ignore: String?, seconds: Int64
  ) throws {
    let profile = try Self.filtered {
      $0.focus = try focus.map { try FunctionPattern($0) }
      $0.ignore = try ignore.map { try FunctionPattern($0) }
    }
    #expect(Self.total(profile).wall == seconds * 1_000_000_000)
  }

  @Test func `goes through a module`() {
    for (glob, seconds) in [("libc*", Int64(2)), ("/lib/libc.so.6", 2), ("*", 8), ("libd", 0)] {
      let profile = Self.filtered { $0.module = Glob(glob) }
      #expect(Self.total(profile).wall == seconds * 1_000_000_000)
    }
  }

  @Test func `says what was left out, and shares of what is left`() throws {
    let profile = try Self.filtered { $0.focus = try FunctionPattern("cook") }
    #expect(
      profile.capture.notes.map(\.words) == [
        "filtered (focus cook): 37.5 % of the threads' wall time; ticks, stops and cost are those "
          + "of the whole capture."
      ])
    let shares = try #require(TimeShares(ProfileIndex(profile), thread: 0))
    #expect((shares.running * 3).rounded() == 100)
  }

  @Test func `holds for threads, too`() {
    let profile = Self.filtered { $0.thread = ThreadFilter(glob: "help*") }
    #expect(profile.threads.map(\.tid) == [11])
    #expect(Self.total(profile).wall == 4_000_000_000)
  }

  @Test func `keeps a bad pattern's reason for the user`() {
    #expect(throws: (any Error).self) { try FunctionPattern("(") }
  }

  @Test func `does not trap on hostile figures`() throws {
    var filter = ProfileFilter()
    (filter.from, filter.to) = (1, .max)
    filter.ignore = try FunctionPattern("nothing of this name")
    let profile = filter.apply(to: HostileReportTestsProfile.profile)
    #expect(profile.runs.count > 0)
  }
}

@Suite struct `A table by unit` {
  static func rows(_ unit: FlatTable.Unit, _ profile: Profile) -> [FlatTable.Row] {
    FlatTable(ProfileIndex(profile), by: unit, threads: Array(profile.threads.indices)).rows
  }

  @Test(arguments: FlatTable.Unit.allCases)
  func `adds up to the runs`(unit: FlatTable.Unit) {
    let profile = OrderServer.attached()
    let own = Self.rows(unit, profile).reduce(into: Weight()) { $0 += $1.own }
    #expect(own == profile.runs.reduce(into: Weight()) { $0 += $1.weight })
  }

  @Test func `counts a recursive function once for a stack`() throws {
    let profile = OrderServer.attached()
    let index = ProfileIndex(profile)
    let walk = try #require(
      Self.rows(.function, profile).first { row in
        row.item.map { index.stacks.functions[$0].name == "Tree::walk(Node*)" } ?? false
      })
    #expect(walk.own.ticks == 0 && walk.cumulative.ticks == 90)
  }

  @Test func `reads as it did`() throws {
    for unit in FlatTable.Unit.allCases {
      let options = ReportOptions(unit: unit, sort: unit == .line ? .cpu : nil, top: 6)
      try Goldens.expect(
        `Text report`.report(OrderServer.attached(), options), toEqual: "report.by-\(unit).txt")
    }
  }
}

@Suite struct `Waits and time` {
  @Test func `read as they did`() throws {
    let options = ReportOptions(views: [.waits, .timeline])
    try Goldens.expect(
      `Text report`.report(Morning.profile(), options), toEqual: "report.waits-timeline.txt")
  }

  @Test func `count the waits and find the longest`() throws {
    var profile = Morning.profile()
    let wait = profile.runs[1]
    profile.runs.append(
      Run(
        thread: 0, stack: wait.stack, end: .complete, activity: wait.activity,
        start: 4_000_000_000, weight: Weight(samples: 1, ticks: 1, wall: 10_000_000)))
    let table = WaitTable(ProfileIndex(profile), threads: [0])
    let entry = try #require(table.entries.first)
    #expect(table.entries.count == 1 && entry.count == 2)
    #expect(entry.longest == 2_000_000_000 && entry.weight.wall == 2_010_000_000)
    #expect(table.waited.wall == 2_010_000_000 && table.total.wall == 4_010_000_000)
  }

  @Test func `show each slot's main state`() {
    let timeline = Timeline(ProfileIndex(Morning.profile()), threads: [0, 1], slots: 4)
    #expect((timeline.start, timeline.end) == (0, 4_000_000_000))
    let main = timeline.slots(of: [0])
    #expect(main.map(\.running) == [1, 0, 0, 1])
    let helper = timeline.slots(of: [1]).map(\.activity)
    #expect(helper == [.waitingForCPU, .running, .waitingForCPU, .running])
  }

  @Test func `leave out what --top hides, and say so`() {
    let options = ReportOptions(views: [.stacks], top: 2)
    let text = `Text report`.report(OrderServer.attached(), options)
    #expect(text.contains("… 15 more stacks with 19.5 % of the time"))
  }
}
