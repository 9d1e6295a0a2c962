import LinuxProcess
import ProfileModel
import Testing

@testable import Sampling

@Suite struct `Captures of several processes` {
  /// A process with one thread that was seen in a stack of two frames of `path`.
  private func member(_ pid: Int32, _ name: String, path: String, shift: Nanoseconds)
    -> FamilyProfile.Member
  {
    var builder = ProfileBuilder()
    let thread = builder.add(
      ThreadInfo(tid: pid, name: name, isMain: true, lastSeen: 500, cpu: 10))
    var stack = StackID.empty
    for address in [UInt64(0x10), 0x20] {
      let frame = Frame.code(CodeAddress(module: ModuleID(1), address: FileAddress(address)))
      stack = builder.stacks.stack(of: builder.stacks.id(of: frame), calledBy: stack)
    }
    builder.sample(
      thread: thread, stack: stack, end: .complete, activity: .running, time: 100,
      weight: Weight(samples: 1, ticks: 1, cpu: 10, wall: 100))
    var info = CaptureInfo(kind: .run, pid: pid, processName: "before exec", duration: 500)
    info.cost.ticksTaken = 5
    info.cost.ownCPU = 7
    info.notes = ["A note."]
    var pauses = PauseMeter()
    pauses.add(pause: Nanoseconds(Int64(pid)))
    let profile = builder.finish(
      capture: info, modules: [Module(path: "/bin/other\(pid)"), Module(path: path, buildID: "ab")])
    return FamilyProfile.Member(
      profile: profile, files: [:], pauses: pauses, shift: shift, isPeer: false)
  }

  private func whole(_ members: [FamilyProfile.Member]) -> Profile {
    var family = FamilyProfile(modules: SharedModules())
    for member in members { family.add(member) }
    let own = CaptureInfo(kind: .run, pid: 4, processName: "make", duration: 600)
    return family.finish(capture: own, notes: ["About all."])
  }

  @Test func `become one profile on one clock, with shared frames once`() {
    let profile = whole([
      member(9, "cc", path: "/lib/c", shift: 300), member(4, "make", path: "/lib/c", shift: 0),
      member(7, "as", path: "/lib/d", shift: 200),
    ])
    #expect(profile.threads.map(\.title) == ["make[4]/make", "as[7]/as", "cc[9]/cc"])
    #expect(profile.runs.map(\.start) == [0, 200, 300])
    #expect(profile.runs.map(\.thread) == [0, 1, 2])
    #expect(profile.threads.map(\.lastSeen) == [500, 700, 800])
    #expect(profile.modules.map(\.path).sorted() == ["/lib/c", "/lib/d"])
    #expect(profile.stacks.frames.count == 4)
    #expect(profile.runs[0].stack == profile.runs[2].stack)
    #expect(profile.runs[0].stack != profile.runs[1].stack)
    #expect(profile.capture.duration == 800)
    #expect(profile.capture.cost.ticksTaken == 15)
    #expect(profile.capture.cost.stops == 3 && profile.capture.cost.pauseMax == 9)
    #expect(
      profile.capture.notes == ["About all.", .repeated("A note.", count: 3, in: .processes)])
  }

  @Test func `say the same once, with the sum of its numbers`() {
    var notes = FamilyNotes()
    let budget = TickBudget.cpu(most: "1 %")
    let all: [CaptureNote] = [
      .restartedCalls(1), .restartedCalls(3), .skippedTicks(8, by: budget),
      .skippedTicks(nil, by: budget), "A note.",
    ]
    for note in all { notes.add(note) }
    #expect(
      notes.notes.map(\.words) == [
        "Ticks were skipped to spare the machine: sprof may use at most 1 % of a core to sample "
          + "(--max-cpu). (2 processes)",
        "A note.", "4 system calls were interrupted by a stop and restarted transparently.",
      ])
  }

  @Test func `of one alone name no process`() {
    #expect(whole([member(4, "make", path: "/lib/c", shift: 0)]).threads.map(\.title) == ["make"])
  }

  @Test func `have their pauses counted together`() {
    var (one, two) = (PauseMeter(), PauseMeter())
    for value in 1...50 { one.add(pause: Nanoseconds(Int64(value))) }
    for value in 51...100 { two.add(pause: Nanoseconds(Int64(value))) }
    two.add(held: 30)
    one.add(two)
    #expect(one.count == 100 && one.longest == 100 && one.heldTime == 30)
    #expect(one.percentile(0.5) == 50)
  }
}

@Suite struct `Waits of several processes` {
  private func wait(_ kind: WaitKind, at address: UInt64 = 0x100, variable: String? = nil) -> Wait {
    var object = WaitObject(address: RemoteAddress(address))
    object.variable = variable
    return Wait(kind: kind, systemCall: "futex", object: object)
  }

  private func blocking(
    _ wait: Wait, of pid: Int32, since: Int64?, seen: ClosedRange<Int64>, samples: Int = 1
  ) -> Blocking {
    Blocking(
      waiter: WaitingThread(pid: pid, tid: pid + 1, name: "t", processName: "p"), wait: wait,
      since: since, firstSeen: seen.lowerBound, lastSeen: seen.upperBound, samples: samples)
  }

  private func waits(_ own: [Blocking], fromOutside: [Blocking]) -> [Blocking] {
    var waits = FamilyWaits()
    waits.add(fromOutside, capturedBy: 9)
    waits.add(own, capturedBy: 4)
    return waits.finish()
  }

  @Test func `are told once where others looked at them, too, by the capture with the stacks`() {
    let own = blocking(wait(.semaphore, variable: "work"), of: 4, since: -50, seen: 10...20)
    let later = blocking(wait(.futex), of: 4, since: -49, seen: 60...70, samples: 2)
    let all = waits([own], fromOutside: [later])
    #expect(all.count == 1)
    #expect(all.first?.wait == own.wait)
    #expect(all.first?.since == -50)
    #expect(all.first?.firstSeen == 10 && all.first?.lastSeen == 70)
    #expect(all.first?.samples == 3)
  }

  @Test func `are two where the thread has run between, for one and the same`() {
    let own = blocking(wait(.semaphore, variable: "work"), of: 4, since: -50, seen: 10...20)
    for since in [Int64(55), nil] {
      let again = blocking(wait(.futex), of: 4, since: since, seen: 60...70)
      let all = waits([own], fromOutside: [again])
      #expect(all.map(\.wait) == [own.wait, own.wait])
      #expect(all.map(\.firstSeen) == [10, 60] && all.map(\.samples) == [1, 1])
    }
  }

  @Test func `are as they were seen from outside where nobody else looked`() {
    let own = blocking(wait(.semaphore, variable: "work"), of: 4, since: -50, seen: 10...20)
    let elsewhere = blocking(wait(.futex, at: 0x200), of: 4, since: -50, seen: 60...70)
    let other = blocking(wait(.futex), of: 7, since: -50, seen: 60...70)
    #expect(waits([own], fromOutside: [elsewhere, other]) == [own, elsewhere, other])
  }
}
