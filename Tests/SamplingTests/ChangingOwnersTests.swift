internal import ProfileModel
internal import Testing

@testable internal import Sampling

@Suite struct `The owner of a lock that changes hands` {
  private static let lock: UInt64 = 0x5000

  private static func waiter(
    _ tid: Int32, heldBy owner: Int32?, from first: Int64 = 0, to last: Int64 = 1000
  ) -> Blocking {
    Blocking(
      waiter: WaitingThread(pid: 100, tid: tid, name: "t", processName: "p"),
      wait: Wait(
        kind: .mutex, systemCall: "futex", object: WaitObject(address: RemoteAddress(lock)),
        owners: owner.map { [.thread(tid: $0)] } ?? []),
      since: nil, firstSeen: first, lastSeen: last, samples: 2)
  }

  private static func owners(
    _ kind: CaptureInfo.Kind, _ blockings: [Blocking], asking: [Int32] = []
  ) -> [[WaitOwner]] {
    let call = SystemCall(name: "futex", arguments: [lock, 128, 2, 0, 0, 0])
    var profile = Profile(
      capture: CaptureInfo(kind: kind, pid: 100, processName: "p"),
      threads: (101...104).map { tid in
        ThreadInfo(
          tid: tid, name: "t", isMain: false, systemCall: asking.contains(tid) ? call : nil)
      }, blockings: blockings)
    profile.forgetChangingOwners()
    return profile.blockings.map(\.wait.owners)
  }

  @Test(arguments: [CaptureInfo.Kind.dump, .attach])
  func `is told where all agree`(kind: CaptureInfo.Kind) {
    let blockings = [Self.waiter(101, heldBy: 103), Self.waiter(102, heldBy: 103)]
    let owners = Self.owners(kind, blockings, asking: [101, 102])
    #expect(owners == [[.thread(tid: 103)], [.thread(tid: 103)]])
  }

  @Test func `is not told in a dump whose waiters have different ones`() {
    let blockings = [Self.waiter(101, heldBy: 103), Self.waiter(102, heldBy: 104)]
    #expect(Self.owners(.dump, blockings) == [[], []])
  }

  @Test func `is not told in a dump where its own sample waits for the lock`() {
    let blockings = [Self.waiter(101, heldBy: 103), Self.waiter(102, heldBy: 103)]
    #expect(Self.owners(.dump, blockings, asking: [101, 102, 103]) == [[], []])
  }

  @Test func `is told of a capture unless it waited at that time`() {
    let waited = Self.waiter(103, heldBy: nil, from: 0, to: 500)
    let later = [Self.waiter(101, heldBy: 103, from: 0, to: 1000), waited]
    #expect(Self.owners(.attach, later) == [[.thread(tid: 103)], []])
    let meanwhile = [Self.waiter(101, heldBy: 103, from: 0, to: 400), waited]
    #expect(Self.owners(.attach, meanwhile) == [[], []])
  }

  @Test(arguments: [CaptureInfo.Kind.dump, .attach])
  func `is told of one that locks its own lock again`(kind: CaptureInfo.Kind) {
    let blockings = [Self.waiter(101, heldBy: 101), Self.waiter(102, heldBy: 101)]
    let expected: [[WaitOwner]] = [[.thread(tid: 101)], [.thread(tid: 101)]]
    #expect(Self.owners(kind, blockings) == expected)
    #expect(Self.owners(kind, blockings, asking: [101, 102]) == expected)
  }
}
