import Glibc
import ProfileModel
import TestSupport
import Testing

@testable import LinuxProcess

@Suite(.serialized) struct `The end of a process` {
  private var later: MonotonicClock.Instant { MonotonicClock.now() + .seconds(60) }

  @Test func `wakes who sleeps, once, while its parent has not collected it`() throws {
    let program = try RunningProgram(["/bin/sh", "-c", "sleep 600 & echo $!; echo ready; exec cat"])
    defer { program.kill() }
    let child = try #require(program.greeting.first.flatMap { Int32($0) })
    // Its parent, `cat`, never collects it.
    var end = ProcessEnd(of: child)
    let soon = MonotonicClock.now() + .milliseconds(20)
    let early = end.sleep(until: soon)
    #expect(!early)
    #expect(MonotonicClock.now() >= soon)
    kill(child, SIGKILL)
    let deadline = later
    let ended = end.sleep(until: deadline)
    #expect(ended)
    #expect(MonotonicClock.now() < deadline)
    let again = end.sleep(until: MonotonicClock.now() + .milliseconds(1))
    #expect(!again)
  }

  @Test func `is not awaited of a process that was never there`() {
    var end = ProcessEnd(of: .max)
    let soon = MonotonicClock.now() + .milliseconds(5)
    let ended = end.sleep(until: soon)
    #expect(!ended)
    #expect(MonotonicClock.now() >= soon)
  }
}
