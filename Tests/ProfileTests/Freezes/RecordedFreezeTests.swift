internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// A capture of a flight recorder: few samples before a freeze and in its first half, none of them in a stop.
@Suite struct `A recorded freeze` {
  private static let work =
    "work debugCommand processCommand aeApiPoll aeProcessEvents aeMain main"

  /// The freeze lasts from 2.1 s to 3.4 s.
  private func capture(
    _ stack: String = work, _ activity: Activity = .running, quiet: String = "",
    beganBefore: Bool = false
  ) -> FreezeMaker {
    var maker = FreezeMaker(kind: .watch)
    maker.rest(milliseconds: 2000)
    maker.run(quiet, activity, milliseconds: 750)
    maker.run(stack, activity, milliseconds: 650)
    maker.rest(milliseconds: 1000)
    maker.maker.maker.profile.capture.freezes = [
      RecordedFreeze(
        tid: 4242, start: 2_100_000_000, end: 3_400_000_000, isOver: true,
        beganBefore: beganBefore, threshold: 1_000_000_000)
    ]
    return maker
  }

  @Test func `has the length that was measured, and its cause where there are stacks`() {
    for maker in [capture(), capture(quiet: Self.work)] {
      #expect(maker.freezes.map(\.start) == [2_100_000_000])
      #expect(maker.freezes.map(\.length) == [1_300_000_000])
      #expect(maker.freezes.first?.cause.kind == .computed)
      #expect(maker.freezes.first?.handler?.line.function == "debugCommand")
      #expect(maker.words().hasPrefix("Froze once in 4.4 s, for 1.30 s: debugCommand computed"))
      let responses = maker.diagnosis().freezes.threads.first
      #expect(responses?.betweenRests(1) == 1_300_000_000)
      #expect(responses?.unclear.isEmpty == true)
    }
  }

  @Test func `lasted at least so long where nobody saw it begin`() {
    #expect(capture(beganBefore: true).freezes.map(\.isAtLeast) == [true])
    #expect(capture(beganBefore: true).words().contains("for at least 1.30 s"))
  }

  @Test func `of many short sleeps may be of as many handlers`() {
    let save =
      "clock_nanosleep save debugCommand processCommand aeApiPoll aeProcessEvents aeMain main"
    var maker = FreezeMaker(kind: .watch)
    maker.rest(milliseconds: 2000)
    maker.run(save, .asleep(in: "clock_nanosleep"), milliseconds: 1300, slept: .renewed)
    maker.rest(milliseconds: 1000)
    maker.maker.maker.profile.capture.freezes = [
      RecordedFreeze(
        tid: 4242, start: 2_000_000_000, end: 3_300_000_000, isOver: true, threshold: 1_000_000_000)
    ]
    #expect(maker.freezes.map(\.isUnclear) == [true])
    #expect(maker.words().contains("in one long handler of Redis' event loop or many short ones"))
    let report = AbsenceReport(
      maker.maker.maker.profile.window(from: 2_000_000_000, to: 3_300_000_000), tid: 4242)
    #expect(report.doing.hasSuffix("in one long handler or many short ones"))
    // One sample that stands for long is no long sleep.
    var quiet = maker.maker.maker.profile
    quiet.runs[1].unseenSleeps = []
    #expect(
      !AbsenceReport(quiet.window(from: 2_000_000_000, to: 3_300_000_000), tid: 4242).doing
        .hasSuffix("ones"))
    quiet.runs[1].weight.samples = 1
    #expect(
      AbsenceReport(quiet.window(from: 2_000_000_000, to: 3_300_000_000), tid: 4242).doing
        .hasSuffix("ones"))
  }

  @Test func `is cut with its capture`() {
    var filter = ProfileFilter()
    filter.from = 2_500_000_000
    let part = filter.apply(to: capture().maker.maker.profile)
    #expect(part.capture.freezes.map(\.start) == [2_500_000_000])
    #expect(part.capture.freezes.map(\.beganBefore) == [true])
    let window = capture().maker.maker.profile.window(from: 2_000_000_000, to: 3_000_000_000)
    #expect(window.capture.freezes.map(\.start) == [100_000_000])
    #expect(window.capture.freezes.map(\.end) == [1_000_000_000])
    #expect(window.capture.freezes.map(\.isOver) == [false])
  }

  @Test func `keeps what threads waited for, and where they slept unseen, in its part`() {
    var maker = FreezeMaker(kind: .watch)
    maker.rest(milliseconds: 2000)
    maker.run(Self.work, milliseconds: 1000, slept: .within)
    maker.maker.maker.profile.waitHistory = WaitHistory(
      waits: [Wait(kind: .mutex, systemCall: "futex", owners: [.thread(tid: 7)])],
      spans: [WaitHistory.Span(thread: 0, wait: 0, start: 2_100_000_000, end: 2_900_000_000)])
    let part = maker.maker.maker.profile.window(from: 2_000_000_000, to: 3_000_000_000)
    #expect(part.waitHistory.spans.map(\.start) == [100_000_000])
    #expect(part.waitHistory.spans.map(\.end) == [900_000_000])
    #expect(part.runs.map(\.unseenSleeps) == [.within])
  }

  @Test func `has one cause, whatever numbers differ`() throws {
    var maker = FreezeMaker(kind: .watch)
    maker.run(
      "wait4 run debugCommand processCommand aeApiPoll aeProcessEvents aeMain main",
      .asleep(in: "wait4"), milliseconds: 1300)
    maker.maker.wait(
      4242,
      Wait(
        kind: .childProcess, systemCall: "wait4",
        owners: [.process(pid: 4711, tid: nil, name: "sleep")]), from: 0, to: 1_300_000_000)
    let report = AbsenceReport(maker.maker.maker.profile, tid: 4242)
    #expect(report.doing.contains("4711"))
    #expect(!report.summary.contains("4711"), "\(report.summary)")
    var semaphore = FreezeMaker(kind: .watch)
    semaphore.run(
      "sem_wait run debugCommand processCommand aeApiPoll aeProcessEvents aeMain main",
      .asleep(in: "futex"), milliseconds: 1300)
    semaphore.maker.wait(
      4242,
      Wait(
        kind: .semaphore, systemCall: "futex",
        object: WaitObject(address: RemoteAddress(0x5624_e6e2_00f0))),
      from: 0, to: 1_300_000_000)
    let other = AbsenceReport(semaphore.maker.maker.profile, tid: 4242)
    #expect(other.doing.contains("0x5624e6e200f0"), "\(other.doing)")
    #expect(!other.summary.contains("0x"), "\(other.summary)")
  }
}
