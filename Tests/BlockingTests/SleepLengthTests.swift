import BlockingAnalysis
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

extension Waits {
  @Suite struct `The length of a sleep` {
    private func inspector(of pid: Int32) throws -> SleepInspector {
      let process = try ProcessIdentity(of: pid)
      return SleepInspector(try TaskFolder(process), liveThread: process)
    }

    // Each CPU's clock leaves out other times, so that they drift apart by minutes.
    @Test func `is right on every CPU, and never too long`() throws {
      let program = try RunningProgram(fixture: "pinned.c")
      let figures = try program.figures()
      // Several times, for ours runs now on this CPU, now on that.
      for index in (0..<8).flatMap({ _ in 0..<Int(figures["count"] ?? 0) }) {
        let inspector = try inspector(of: program.pid)
        let tid = Int32(try #require(figures["tid-\(index)"]))
        let truth = MonotonicClock.Instant(
          Int64(try #require(figures["asleep-\(index)"])))
        let sample = try #require(inspector.sample(tid))
        let since = try #require(sample.since)
        #expect(since > truth - .milliseconds(1), "CPU \(index): \(truth - since) too long")
        // Short of a machine that was stopped just then.
        #expect(since < truth + .seconds(10), "CPU \(index): \(since - truth) too short")
      }
      try program.assertUntouched()
    }

    // Its last run is forgotten from its wake-up until it runs: taken as 0, it would have slept since the
    // machine was started.
    @Test func `is never the machine's age for a thread that is just woken on another CPU`() throws
    {
      let begin = MonotonicClock.now()
      let program = try RunningProgram(fixture: "moved.c")
      let tid = Int32(try #require(try program.figures()["tid"]))
      let inspector = try inspector(of: program.pid)
      var told = 0
      for _ in 0..<Repository.trials(short: 8_000, full: 500_000) {
        guard let since = inspector.sample(tid)?.since else { continue }
        told += 1
        #expect(since > begin, "since \(since), the program's start \(begin)")
      }
      #expect(told > 500)
      try program.assertUntouched()
    }
  }
}
