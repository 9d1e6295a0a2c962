internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `Time at rest` {
  /// Eight threads that sleep, and each work for 1 % of 10 s; where `isSeen`, samples have met them at work.
  private func sleepers(isSeen: Bool = true) -> Profile {
    var maker = ProfileMaker()
    let program = maker.module("/opt/app/sleepers")
    let library = maker.module("/usr/lib/libc.so.6")
    let loop = maker.frame(SourceLine(function: "serve", file: "s.c", line: 9), in: program)
    let work = maker.frame(SourceLine(function: "work", file: "s.c", line: 3), in: program)
    let sleep = maker.frame(SourceLine(function: "clock_nanosleep"), in: library)
    let asleep = maker.stack(outermostFirst: [loop, sleep])
    let atWork = maker.stack(outermostFirst: [loop, work])
    for number in 0..<8 {
      let thread = maker.thread(
        4242 + Int32(number), "server-\(number)", isMain: number == 0, cpu: 100_000_000)
      if isSeen {
        maker.run(thread, atWork, .running, ticks: 10, cpu: 100_000_000)
        maker.run(
          thread, asleep, .asleep(in: "clock_nanosleep"), ticks: 990, start: 100_000_000)
      } else {
        maker.run(
          thread, asleep, .asleep(in: "clock_nanosleep"), ticks: 1000, cpu: 100_000_000)
      }
    }
    maker.profile.capture.duration = 10_000_000_000
    return maker.profile
  }

  private func report(_ profile: Profile, sort: WeightUnit? = nil) -> String {
    var text = ""
    TextReport(profile, options: ReportOptions(sort: sort)).write(to: &text)
    return text
  }

  @Test func `does not hide what its threads do on a CPU`() {
    let picture = LivePicture(LiveProfile(sleepers()), LivePicture.Request())
    #expect(abs(picture.cpu - 0.08) < 0.001)
    let work = picture.functions.first { $0.name == "work" }
    #expect(work?.own.cpu == 800_000_000)
    #expect(work?.own.wall == 800_000_000)
    #expect(work?.ownOfAll.wall == 800_000_000)
    let sleep = picture.functions.first { $0.name == "clock_nanosleep" }
    #expect((sleep?.own.wall ?? 0) == 0 && (sleep?.ownOfAll.wall ?? 0) == 0)
    #expect(picture.calls.contains { $0.name == "work" && $0.total.wall == 800_000_000 })
  }

  @Test func `is less than the CPU time that was used meanwhile`() {
    let picture = LivePicture(LiveProfile(sleepers(isSeen: false)), LivePicture.Request())
    let sleep = picture.functions.first { $0.name == "clock_nanosleep" }
    #expect(sleep?.own.cpu == 800_000_000)
    #expect(sleep?.own.wall == 800_000_000)
    for unit in [WeightUnit.cpu, .wall] {
      for pane in [LivePane.functions, .tree] {
        var view = LiveView()
        (view.unit, view.pane) = (unit, pane)
        let lines = LiveScreen.lines(&view, picture, LiveStatus(), width: 100, height: 30)
          .map { $0.map(\.text).joined() }
        #expect(lines.contains { $0.contains("CPU 8.0 %") })
        #expect(lines.contains { $0.contains("clock_nanosleep") }, "\(unit) \(pane)")
        #expect(!lines.contains { $0.contains("at rest in this time") })
      }
    }
  }

  @Test func `is left out of a report by time alone`() {
    let byCPU = report(sleepers())
    #expect(byCPU.contains("Functions by CPU time\n"), "\(byCPU)")
    #expect(byCPU.contains("work  s.c"), "\(byCPU)")
    let byTime = report(sleepers(), sort: .wall)
    #expect(byTime.contains("Functions by time, without time at rest\n"), "\(byTime)")
    #expect(byTime.contains("work  s.c"), "\(byTime)")
    let tables = byTime.split(separator: "Functions by").dropFirst().joined()
    #expect(!tables.contains("clock_nanosleep"), "\(byTime)")
    // Together they use too much of a CPU to be passed over.
    #expect(!byCPU.contains("At rest:") && byCPU.contains("server-* ×7"), "\(byCPU)")
  }

  @Test func `is no sleep with a lock in hand that others wait for`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "clock_nanosleep pause_a_bit main", .asleep(in: "clock_nanosleep"))
    let owner = maker.thread(
      4250, "owner", "clock_nanosleep load_file start_thread clone3",
      .asleep(in: "clock_nanosleep"), share: 0.5)
    maker.locked(4251, "victim", by: .thread(tid: 4250))
    // It sleeps there at other times, too, when no wait was looked up.
    maker.run(
      owner, ["clock_nanosleep", "load_file", "start_thread", "clone3"],
      .asleep(in: "clock_nanosleep"), from: 5 * WaitMaker.second)
    let diagnosis = maker.diagnosis
    var waits = RunWaits(diagnosis)
    let resting = maker.profile.runs.filter { waits.finding(of: $0)?.isAtRest ?? false }
    #expect(Set(resting.map(\.thread)) == [0])
    let text = report(maker.profile)
    #expect(text.contains("clock_nanosleep"), "\(text)")
  }

  @Test func `is said to be all where nothing used a CPU`() {
    var profile = sleepers(isSeen: false)
    for thread in profile.threads.indices { profile.threads[thread].cpu = 0 }
    for run in profile.runs.indices { profile.runs[run].weight.cpu = 0 }
    let picture = LivePicture(LiveProfile(profile), LivePicture.Request())
    var view = LiveView()
    let text = LiveScreen.block(view, picture, LiveStatus())
    #expect(text.contains("All threads were at rest in this time."), "\(text)")
    view.unit = .cpu
    let byCPU = LiveScreen.block(view, picture, LiveStatus())
    #expect(byCPU.contains("No thread used a CPU in this time."), "\(byCPU)")
    #expect(report(profile).contains("At rest:"))
  }
}
