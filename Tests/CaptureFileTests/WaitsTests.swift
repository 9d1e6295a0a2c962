import ProfileAnalysis
import ProfileModel
import Testing

@testable import CaptureFile

@Suite struct `Waits in a capture` {
  /// Waits of every kind, with all that can be known of one, or nothing.
  static func profile() -> Profile {
    var profile = RandomCapture.profile(seed: 7)
    for (number, kind) in WaitKind.allCases.enumerated() {
      let waiter = WaitingThread(
        pid: 4242, tid: Int32(number), name: "t\u{1B}\"\(number)", processName: "app",
        threadCount: number % 2 == 0 ? nil : number, wakingSignal: number % 3 == 0 ? nil : 14)
      var wait = Wait(kind: kind)
      if number % 3 > 0 {
        wait.systemCall = "futex"
        wait.object = WaitObject(
          address: RemoteAddress(.max - UInt64(number)),
          flavor: LockFlavor(rawName: "recursive, of another version"), variable: "v",
          field: "[3].lock", file: "/src/a ü.c", mapping: "[heap]")
        wait.owners = [
          .thread(tid: 1), .process(pid: 2, tid: nil, name: "p"),
          .process(pid: 2, tid: 3, name: ""), .dead(tid: 4), .readers(count: 5),
        ]
        wait.descriptors = WaitDescriptor.Kind.allCases.map {
          WaitDescriptor(
            number: 3, kind: $0, name: "pipe:[1]", peerAddress: "127.0.0.1:80",
            peers: [.process(pid: 2, tid: nil, name: "p")], events: "readable", state: .listening)
        }
        wait.omittedDescriptors = 7
        wait.timeLeft = -3
        wait.isTimed = true
        wait.kernelFunction = "io_schedule"
      }
      profile.blockings.append(
        Blocking(
          waiter: waiter, wait: wait, since: number % 2 == 0 ? nil : -5, firstSeen: 3,
          lastSeen: .max, samples: number))
    }
    return profile
  }

  @Test func `come back as they were`() throws {
    var profile = Self.profile()
    while profile.blockings.count < 250 { profile.blockings += profile.blockings }
    try expectSame(CaptureReader.read(messages(of: profile), name: "x"), profile)
  }

  @Test func `come back with those of each tick`() throws {
    var profile = Self.profile()
    let waits = profile.blockings.map(\.wait)
    profile.waitHistory = WaitHistory(
      waits: waits,
      spans: (0..<5001).map { number in
        WaitHistory.Span(
          thread: 0, wait: number % waits.count, start: Int64(number) * 7 - 3,
          end: Int64(number) * 7 + 2)
      })
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.waitHistory.spans.count == 5001)
    try expectSame(read, profile)
  }

  @Test func `are kept to a limit, which is said`() {
    var profile = Self.profile()
    let last = Blocking(
      waiter: WaitingThread(pid: 1, tid: 2, name: "", processName: ""), wait: Wait(kind: .mutex),
      firstSeen: 0, lastSeen: 9)
    profile.blockings = Array(repeating: last, count: 20)
    let whole = profile.limitingBlockings(to: 20)
    #expect(whole.blockings.count == 20 && whole.capture.notes == profile.capture.notes)
    let part = profile.limitingBlockings(to: 5)
    #expect(part.blockings.count == 5)
    #expect(part.capture.notes.last?.words.contains("20") == true)
    // What has lost owners can end in ways that are not known.
    var wait = Wait(kind: .childProcess, owners: (0..<100).map { .thread(tid: $0) })
    wait.descriptors = (0..<100).map { WaitDescriptor(number: $0, kind: .pipe, name: "") }
    profile.blockings = [
      Blocking(waiter: last.waiter, wait: wait, firstSeen: 0, lastSeen: 1)
    ]
    let cut = profile.limitingBlockings().blockings[0].wait
    #expect(cut.owners.isEmpty)
    #expect(cut.descriptors.count == 64 && cut.omittedDescriptors == 36)
  }
}
