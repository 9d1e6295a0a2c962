import LinuxProcess
import ProfileModel
import Testing

@testable import Sampling

@Suite struct `A stop takes a thread's time` {
  private let requested = MonotonicClock.Instant(1_000_000_000)

  @Test func `from its request where the thread had a CPU`() {
    let start = StopStart(noticed: requested + .microseconds(20))
    #expect(start.time(requested: requested) == requested)
  }

  @Test func `from when it got the CPU in which it stopped`() {
    // It had waited before the request, too.
    let start = StopStart(noticed: requested + .milliseconds(8), delay: .milliseconds(11))
    #expect(start.time(requested: requested) == requested + .milliseconds(8))
    let late = StopStart(noticed: requested + .milliseconds(8), delay: .milliseconds(5))
    #expect(late.time(requested: requested) == requested + .milliseconds(5))
  }

  @Test func `from its request where it was not found to have stopped`() {
    let start = StopStart(noticed: requested - .milliseconds(10), delay: .milliseconds(4))
    #expect(start.time(requested: requested) == requested)
    #expect(StopStart(noticed: requested, delay: -1).time(requested: requested) == requested)
  }
}
