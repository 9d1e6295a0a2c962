import ProfileModel
import Testing

@testable import BlockingAnalysis

@Suite struct `Threads that may stand in a ring` {
  private func look(_ tid: Int32, pid: Int32 = 1, _ owners: [WaitOwner]) -> SleepLook {
    SleepLook(
      thread: WaitingThread(pid: pid, tid: tid, name: "", processName: ""), place: nil, switches: 1,
      state: UInt8(ascii: "S"), time: 0, wait: Wait(kind: .mutex, owners: owners))
  }

  private func suspects(_ looks: [SleepLook]) -> [Int32] {
    RingSuspects(looks).indexes.map { looks[$0].thread.tid }
  }

  @Test func `are those of the ring, and those behind it`() {
    let looks = [
      look(1, [.thread(tid: 2)]), look(2, [.thread(tid: 3)]), look(3, [.thread(tid: 2)]),
      look(4, []), look(5, [.thread(tid: 4)]), look(6, [.thread(tid: 99)]),
    ]
    #expect(suspects(looks) == [1, 2, 3])
  }

  @Test func `are those who wait for themselves, or for somebody who is gone`() {
    let looks = [
      look(1, [.thread(tid: 1)]), look(2, [.dead(tid: 9)]), look(3, [.readers(count: 2)]),
      look(4, [.thread(tid: 2)]),
    ]
    #expect(suspects(looks) == [1, 2, 4])
  }

  @Test func `are none of a process whose threads may all act`() {
    let other = WaitOwner.process(pid: 7, tid: nil, name: "other")
    let looks = [look(1, [other]), look(7, pid: 7, [])]
    #expect(suspects(looks) == [])
    #expect(suspects([looks[0]]) == [])
  }

  @Test func `are those of two processes in a ring, but not behind their own pipes`() {
    let own = WaitOwner.process(pid: 1, tid: nil, name: "own")
    let other = WaitOwner.process(pid: 7, tid: nil, name: "other")
    #expect(suspects([look(1, [other]), look(7, pid: 7, [own]), look(2, [own])]) == [1, 7])
  }

  @Test func `are found in a chain of many threads`() {
    let looks = (1...5000).map { look($0, [.thread(tid: $0 % 5000 + 1)]) }
    #expect(suspects(looks).count == 5000)
    #expect(suspects(Array(looks.dropLast())).isEmpty)
  }
}
