internal import ProfileModel
internal import Testing

@testable internal import ProfileAnalysis

@Suite struct `Live profile` {
  /// A capture that grows in turns of half a second: what the profile's runs say, in pieces.
  private func grown(_ profile: Profile, history: Int64 = 300_000_000_000) -> LiveProfile {
    var live = LiveProfile(profile.capture, history: history)
    let period: Int64 = 500_000_000
    let end = profile.runs.map { $0.start + $0.weight.wall }.max() ?? 0
    for time in stride(from: Int64(0), through: end, by: Int64.Stride(period)) {
      var growth = ProfileGrowth()
      var capture = profile.capture
      capture.duration = min(time + period, end)
      growth.capture = capture
      growth.modules = profile.modules
      if time == 0 {
        growth.threads = profile.threads.enumerated().map { ($0.offset, $0.element) }
        growth.frames = profile.stacks.frames.enumerated().map {
          (FrameID(UInt32($0.offset)), $0.element)
        }
        growth.symbols = profile.symbols
      }
      for run in profile.runs {
        guard let part = run.part(from: time, to: time + period) else { continue }
        growth.stacks[run.stack] = profile.stacks.frames(of: run.stack)
        growth.runs.append(
          Run(
            thread: run.thread, stack: run.stack, end: run.end, activity: run.activity,
            start: run.start, weight: part.weight, unseenSleeps: run.unseenSleeps))
      }
      live.add(growth)
    }
    return live
  }

  private func weights(_ profile: Profile) -> [String: Weight] {
    let index = ProfileIndex(profile)
    let table = FlatTable(index, by: .function, threads: Array(profile.threads.indices))
    var result: [String: Weight] = [:]
    for row in table.rows {
      guard let item = row.item else { continue }
      result[index.stacks.functions[item].name, default: Weight()] += row.own
    }
    return result
  }

  @Test func `has the runs that it got in pieces`() {
    let profile = OrderServer.attached()
    let live = grown(profile)
    let part = live.last(.max)
    #expect(part.runs.count == profile.runs.count)
    #expect(weights(part) == weights(profile))
    #expect(weights(live.whole()) == weights(profile))
    #expect(
      Set(part.threads.map(\.tid)) == Set(profile.runs.map { profile.threads[$0.thread].tid }))
  }

  @Test
  func `shows a wait of the moment for an interpreter's lock, but none that is short or over`() {
    var made = ProfileMaker()
    let app = made.module("/usr/bin/python3")
    let stack = made.stack(outermostFirst: [made.frame(SourceLine(function: "f"), in: app)])
    let asks = Activity.blocked(WaitReason(systemCall: "futex", isInterpreterLock: true))
    for tid in [7, 8, 9, 11, 12] as [Int32] {
      made.run(made.thread(tid, "t\(tid)"), stack, asks, ticks: 300)
    }
    var live = grown(made.profile)
    let lock = Wait(kind: .gil, systemCall: "futex", owners: [.thread(tid: 10)])
    live.add(lock, of: 7, from: 500_000_000, to: 2_800_000_000)
    live.add(lock, of: 8, from: 2_750_000_000, to: 2_800_000_000)
    live.add(lock, of: 9, from: 500_000_000, to: 1_500_000_000)
    // The lock goes from hand to hand, and what is known of waits is older than the samples.
    for time in stride(from: Int64(1_000_000_000), to: 2_500_000_000, by: 100_000_000) {
      let holder: Int32 = time % 200_000_000 == 0 ? 10 : 12
      let wait = Wait(kind: .gil, systemCall: "futex", owners: [.thread(tid: holder)])
      live.add(wait, of: 11, from: time, to: time + 100_000_000)
      let own = Wait(kind: .gil, systemCall: "futex", owners: [.thread(tid: 10)])
      if holder == 10 { live.add(own, of: 12, from: time, to: time + 50_000_000) }
    }
    let all = live.last(2_000_000_000).blockings
    #expect(all.map(\.waiter.tid) == [7, 11])
    #expect(all.last?.wait.owners == [.thread(tid: 10)])
    #expect(all.last?.lastSeen == 2_000_000_000)
    let blockings = all.filter { $0.waiter.tid == 7 }
    #expect(blockings.first?.wait == lock)
    // It began half a second before the window.
    #expect(blockings.first?.since == -500_000_000)
    #expect(blockings.first?.lastSeen == 2_000_000_000)
  }

  @Test func `gives the last seconds as the window of the whole does`() {
    let profile = OrderServer.attached()
    var live = LiveProfile(profile)
    let length: Int64 = 3_000_000_000
    let window = profile.window(
      from: profile.capture.duration - length, to: profile.capture.duration)
    #expect(weights(live.last(length)) == weights(window))
    #expect(live.last(length).capture.duration == min(length, profile.capture.duration))
    live.resetSums()
    #expect(live.whole().runs.isEmpty)
  }

  @Test func `forgets the times of what is long past, and keeps its sums`() {
    let profile = OrderServer.attached()
    let live = grown(profile, history: 1_000_000_000)
    #expect(live.kept <= 1_000_000_000)
    #expect(weights(live.whole()) == weights(profile))
    let whole = live.last(live.kept).runs.reduce(Int64(0)) { $0 + $1.weight.wall }
    #expect(whole < profile.runs.reduce(Int64(0)) { $0 + $1.weight.wall })
  }

  @Test func `forgets the program that another was executed in place of`() {
    let profile = OrderServer.attached()
    var live = grown(profile)
    var growth = ProfileGrowth()
    growth.programStart = live.duration - 1_000_000_000
    live.add(growth)
    #expect(live.last(.max).capture.duration == 1_000_000_000)
    #expect(live.kept <= 1_000_000_000)
    #expect(live.whole().runs.isEmpty)
    // The same is said again with each growth.
    let late = live.last(.max).runs.count
    live.add(growth)
    #expect(live.last(.max).runs.count == late)
  }

  @Test func `takes growth that refers to nothing for nothing`() {
    var live = LiveProfile(
      CaptureInfo(kind: .attach, pid: 1, processName: "x"), history: .max)
    var growth = ProfileGrowth()
    growth.threads = [(7, ThreadInfo(tid: 7, name: "far", isMain: false))]
    growth.frames = [(FrameID(9), .elided())]
    growth.runs = [
      Run(
        thread: 7, stack: StackID(3), end: .complete, activity: .running, start: .max,
        weight: Weight(samples: 1, ticks: 1, cpu: .max, wall: .max)),
      Run(
        thread: -1, stack: .empty, end: .complete, activity: .unknown, start: .min,
        weight: Weight()),
    ]
    live.add(growth)
    live.add(Wait(kind: .mutex), of: 9, from: 5, to: 5)
    live.add(Wait(kind: .mutex), of: 9, from: .min, to: .max)
    #expect(live.last(.max).runs.isEmpty)
    #expect(live.whole().runs.isEmpty)
  }

  @Test func `shows a wait that goes on as one stretch`() throws {
    var live = LiveProfile(OrderServer.attached())
    let tid = live.threads[0].tid
    for time in stride(from: Int64(0), to: 5_000_000_000, by: 500_000_000) {
      live.add(Wait(kind: .mutex), of: tid, from: time, to: time + 500_000_000)
    }
    let history = live.last(.max).waitHistory
    let spans = history.spans.filter { history.waits[$0.wait].kind == .mutex }
    #expect(spans.contains { $0.end - $0.start == 5_000_000_000 })
  }
}
