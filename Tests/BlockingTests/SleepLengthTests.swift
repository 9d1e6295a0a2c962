import BlockingAnalysis
import TestSupport
import Testing

extension Waits {
  @Suite struct `The length of a sleep` {
    // Each CPU's clock leaves out other times, so that they drift apart by minutes.
    @Test func `is right on every CPU, and never too long`() throws {
      let program = try RunningProgram(fixture: "pinned.c")
      let figures = try program.figures()
      // Several times, for ours runs now on this CPU, now on that.
      for index in (0..<8).flatMap({ _ in 0..<Int(figures["count"] ?? 0) }) {
        let inspector = SleepInspector(pid: program.pid, liveThread: program.pid)
        let tid = Int32(try #require(figures["tid-\(index)"]))
        let truth = Int64(try #require(figures["asleep-\(index)"]))
        let look = try #require(inspector.look(at: tid))
        let since = try #require(look.since)
        #expect(since > truth - 1_000_000, "CPU \(index): \(truth - since) ns too long")
        // Short of a machine that was stopped just then.
        #expect(since < truth + 10_000_000_000, "CPU \(index): \(since - truth) ns too short")
      }
      try program.assertUntouched()
    }
  }
}
