import LinuxProcess
import ProfileModel
import Testing

@testable import BlockingAnalysis

@Suite struct `Threads that may be in a cycle` {
  private func sample(_ tid: Int32, pid: Int32 = 1, _ owners: [WaitOwner]) -> SleepSample {
    SleepSample(
      thread: WaitingThread(pid: pid, tid: tid, name: "", processName: ""), place: nil, switches: 1,
      state: .sleeping, time: MonotonicClock.Instant(0),
      wait: Wait(kind: .mutex, owners: owners))
  }

  private func suspects(_ samples: [SleepSample]) -> [Int32] {
    CycleSuspects(samples).indexes.map { samples[$0].thread.tid }
  }

  @Test func `are those of the cycle, and those behind it`() {
    let samples = [
      sample(1, [.thread(tid: 2)]), sample(2, [.thread(tid: 3)]), sample(3, [.thread(tid: 2)]),
      sample(4, []), sample(5, [.thread(tid: 4)]), sample(6, [.thread(tid: 99)]),
    ]
    #expect(suspects(samples) == [1, 2, 3])
  }

  @Test func `are those who wait for themselves, or for somebody who is gone`() {
    let samples = [
      sample(1, [.thread(tid: 1)]), sample(2, [.dead(tid: 9)]), sample(3, [.readers(count: 2)]),
      sample(4, [.thread(tid: 2)]),
    ]
    #expect(suspects(samples) == [1, 2, 4])
  }

  @Test func `are none of a process whose threads may all proceed`() {
    let other = WaitOwner.process(pid: 7, tid: nil, name: "other")
    let samples = [sample(1, [other]), sample(7, pid: 7, [])]
    #expect(suspects(samples) == [])
    #expect(suspects([samples[0]]) == [])
  }

  @Test func `are those of two processes in a cycle, but not behind their own pipes`() {
    let own = WaitOwner.process(pid: 1, tid: nil, name: "own")
    let other = WaitOwner.process(pid: 7, tid: nil, name: "other")
    #expect(suspects([sample(1, [other]), sample(7, pid: 7, [own]), sample(2, [own])]) == [1, 7])
  }

  @Test func `are found in a chain of many threads`() {
    let samples = (1...5000).map { sample($0, [.thread(tid: $0 % 5000 + 1)]) }
    #expect(suspects(samples).count == 5000)
    #expect(suspects(Array(samples.dropLast())).isEmpty)
  }
}
