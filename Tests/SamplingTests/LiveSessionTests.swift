import LinuxProcess
import ProfileModel
import Synchronization
import TestSupport
import Testing

@testable import Sampling

@Suite(.serialized) struct `A live capture` {
  private final class Receiver: Sendable {
    private let all = Mutex<[LiveGrowth]>([])
    func take(_ growth: LiveGrowth) { all.withLock { $0.append(growth) } }
    var growths: [LiveGrowth] { all.withLock { $0 } }
  }

  /// What a live view gets of a program, until it was given so much of it.
  private func watch(_ pid: Int32, rate: Double, seed: UInt32 = 1, turns: Int) throws
    -> [LiveGrowth]
  {
    let receiver = Receiver()
    let session = try LiveSession(
      ProcessIdentity(of: pid), plan: SamplingPlan(rate: rate, seed: seed), receive: receiver.take)
    while receiver.growths.count < turns, session.end == nil {
      MonotonicClock.sleep(for: .milliseconds(20))
    }
    session.stop()
    return receiver.growths
  }

  @Test func `shows waits that go on as they are at the moment`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["4"])
    let growths = try watch(program.pid, rate: 100, turns: 12)
    var seen = 0
    // All are known after the first turns.
    for growth in growths.dropFirst(3) {
      let duration = try #require(growth.growth.capture?.duration)
      for blocking in growth.blockings where blocking.waiter.pid == program.pid {
        #expect(blocking.lastSeen >= duration, "\(blocking.waiter.name)")
        seen += 1
      }
    }
    #expect(seen > 20)
    try program.assertUntouched()
  }

  @Test(arguments: [UInt32(1), 2, 3, 4])
  func `takes no more ticks than were planned`(seed: UInt32) throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["1"])
    let growths = try watch(program.pid, rate: 3, seed: seed, turns: 4)
    for growth in growths {
      let cost = try #require(growth.growth.capture?.cost)
      #expect(cost.ticksTaken <= cost.ticksPlanned)
    }
    #expect(growths.last?.growth.capture?.cost.ticksTaken ?? 0 > 2)
  }
}
