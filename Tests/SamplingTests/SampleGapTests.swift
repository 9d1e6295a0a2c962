import LinuxProcess
import ProfileModel
import Testing

@testable import Sampling

@Suite struct `Between two samples a thread` {
  /// Counters of a thread that was put on a CPU so often; the rest of them do not matter here.
  private func counters(_ switches: UInt64) -> ThreadCounters {
    ThreadCounters(switches: switches)
  }

  @Test func `slept unseen when it gave up its CPU more often than for its stop`() {
    var gap = SampleGap()
    gap.note(switches: 40)
    gap.restart()
    gap.noteStop()
    gap.note(switches: 41)
    #expect(
      !gap.hidesSleep(from: counters(7), to: counters(9), wasAsleep: false, isAsleep: false))
    // That it lost its CPU to others is not counted.
    gap.note(switches: 42)
    #expect(gap.hidesSleep(from: counters(7), to: counters(9), wasAsleep: false, isAsleep: false))
    // The sleep that this sample finds it in is no hidden one.
    #expect(
      !gap.hidesSleep(from: counters(7), to: counters(9), wasAsleep: false, isAsleep: true))
  }

  @Test func `needs no question where it was put on a CPU only as often as it must`() {
    var gap = SampleGap()
    gap.note(switches: 40)
    gap.restart()
    gap.noteStop()
    func known(_ switches: UInt64, wasAsleep: Bool = false, isAsleep: Bool = false) -> UInt64? {
      gap.switches(
        from: counters(7), to: counters(switches), wasAsleep: wasAsleep, isAsleep: isAsleep)
    }
    #expect(known(8) == 41)
    #expect(known(8, isAsleep: true) == 42)
    #expect(known(9, wasAsleep: true) == 41)
    #expect(known(9) == nil)
    gap.restart()
    #expect(known(7) == nil, "nothing is known of the sample before")
  }

  @Test func `of which less is known slept when time is missing`() {
    let gap = SampleGap()
    #expect(
      !gap.hidesSleep(from: counters(7), to: counters(7), wasAsleep: false, isAsleep: false))
    #expect(gap.hidesSleep(from: counters(7), to: counters(9), wasAsleep: true, isAsleep: false))
    // It ran for all of the time, and more often than once.
    let busy = ThreadCounters(cpu: .seconds(1), switches: 9)
    #expect(!gap.hidesSleep(from: counters(7), to: busy, wasAsleep: false, isAsleep: false))
  }

  @Test func `fell asleep anew when it was put on a CPU for more than its stops`() {
    var gap = SampleGap()
    #expect(gap.beganSleep(from: counters(7), to: counters(8), wasAsleep: true))
    gap.noteStop()
    // To stop, and to go on.
    #expect(!gap.beganSleep(from: counters(7), to: counters(9), wasAsleep: true))
    #expect(gap.beganSleep(from: counters(7), to: counters(10), wasAsleep: true))
    // The sample was taken in that stop.
    #expect(!gap.beganSleep(from: counters(8), to: counters(9), wasAsleep: false))
    #expect(gap.beganSleep(from: counters(8), to: counters(10), wasAsleep: false))
  }

  @Test func `misses no time while its stack is copied`() {
    let stop = MonotonicClock.now() - .milliseconds(1)
    let ran = ThreadCounters(cpu: .milliseconds(10), switches: 9)
    var gap = SampleGap()
    gap.begin(at: stop - .milliseconds(10))
    #expect(gap.hidesSleep(from: counters(7), to: ran, wasAsleep: false, isAsleep: false))
    gap.end(at: stop)
    #expect(!gap.hidesSleep(from: counters(7), to: ran, wasAsleep: false, isAsleep: false))
  }
}
