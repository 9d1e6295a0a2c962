import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import Sampling

@Suite struct `The account of a thread` {
  private func account() -> ThreadAccount {
    ThreadAccount(
      counters: ThreadCounters(cpu: 100, delay: 10, switches: 1), time: 1000, tick: 1)
  }

  @Test func `leaves what came to nothing to the next sample`() {
    var account = account()
    account.carry(account.takeInterval(until: 2000, tick: 2))
    let interval = account.takeInterval(until: 4000, tick: 3)
    let weight = account.takeSample(
      interval: interval, counters: ThreadCounters(cpu: 700, delay: 40, switches: 3))
    #expect(weight == Weight(samples: 1, ticks: 2, cpu: 600, wall: 3000, delay: 30))
    #expect(account.rest == Weight())
  }

  @Test func `counts a counter that went backwards as unchanged`() {
    var account = account()
    let weight = account.takeSample(
      interval: Weight(ticks: 1, wall: 5), counters: ThreadCounters(cpu: 99, delay: 9))
    #expect(weight == Weight(samples: 1, ticks: 1, wall: 5))
    #expect(account.counters.cpu == 99)
  }

  @Test func `keeps the ticks in which the thread did not run for its last stack`() {
    var account = account()
    account.extend(by: account.takeInterval(until: 2000, tick: 2))
    account.carry(account.takeInterval(until: 2500, tick: 3))
    #expect(account.rest == Weight(samples: 1, ticks: 2, wall: 1500))
  }

  @Test func `tells its counters from those of a thread that has taken over its number`() {
    let second = Nanoseconds.seconds(1)
    let account = ThreadAccount(
      counters: ThreadCounters(cpu: second, delay: 0, switches: 9), time: 0, tick: 0)
    func mayReach(_ cpu: Nanoseconds, _ switches: UInt64) -> Bool {
      account.mayReach(
        ThreadCounters(cpu: cpu, delay: 0, switches: switches), after: Weight(wall: 1_000_000))
    }
    #expect(mayReach(second, 9))
    #expect(mayReach(second + .milliseconds(1), 10))
    #expect(!mayReach(second * 2, 10))
    #expect(!mayReach(.milliseconds(1), 10))
    #expect(!mayReach(second, 8))
  }

  @Test(arguments: [(true, 1000), (false, 300)])
  func `ends a thread that slept at the tick, and one that ran when its CPU time was used`(
    wasAsleep: Bool, wall: Int64
  ) {
    var account = account()
    let interval = account.takeInterval(until: 2000, tick: 2)
    let figures = account.takeEnd(
      interval: interval, counters: ThreadCounters(cpu: 350, delay: 60), wasAsleep: wasAsleep,
      at: 2000)
    #expect(figures.weight == Weight(ticks: 1, cpu: 250, wall: wall, delay: 50))
    #expect(figures.time == 1000 + Nanoseconds(wall))
  }

  @Test func `counts no time after the end of a thread, though the tick's period goes on`() {
    var account = account()
    let interval = account.takeInterval(until: 2000, tick: 2)
    let figures = account.takeEnd(
      interval: interval, counters: ThreadCounters(cpu: 150, delay: 10), wasAsleep: true, at: 1300)
    #expect(figures.weight == Weight(ticks: 1, cpu: 50, wall: 300))
    #expect(figures.time == 1300)
  }
}

@Suite struct `A sampled thread` {
  private func thread(isMain: Bool) throws -> SampledThread {
    let own = OSThread.current
    let files = try ThreadFiles(folder: TaskFolder(process: own), thread: own)
    let account = ThreadAccount(counters: ThreadCounters(), time: 0, tick: 0)
    return SampledThread(files: files, slot: 0, isMain: isMain, account: account)
  }

  @Test func `stays as a zombie only when it is the main thread`() throws {
    let main = try thread(isMain: true)
    main.endWithEntry(interval: Weight(ticks: 1), counters: ThreadCounters(cpu: 5), at: 9)
    #expect(main.isZombie && !main.hasEnded && !main.isAlive)
    #expect(main.lastFigures?.weight.cpu == 5)

    let other = try thread(isMain: false)
    other.endWithEntry(interval: Weight(ticks: 1), counters: ThreadCounters(cpu: 5), at: 9)
    #expect(other.hasEnded && !other.isZombie && !other.isAlive)
    #expect(other.lastFigures?.weight.cpu == 5)
  }

  @Test func `keeps its last figures when another thread takes over its number`() throws {
    let main = try thread(isMain: true)
    main.endWithEntry(interval: Weight(ticks: 1), counters: ThreadCounters(cpu: 5), at: 9)
    main.end()
    #expect(main.hasEnded && main.lastFigures?.weight.cpu == 5)
  }
}
