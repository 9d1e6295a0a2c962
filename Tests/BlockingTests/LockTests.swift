import Glibc
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

extension Waits {
  @Suite struct `Threads that wait for locks` {
    @Test func `x`() throws {
      for fixture in ["locks", "calls"] {
        let program = try RunningProgram(fixture: "waits.c", [fixture])
        let begin = MonotonicClock.now()
        let waiters = try Waiters(dumping: program.pid)
        print("took \((MonotonicClock.now() - begin) / 1000) us")
        print(waiters.summary)
        try program.assertUntouched()
      }
    }
    @Test func `m`() throws {
      for (fixture, flags) in [("locks", []), ("calls", []), ("locks", ["-static"])] {
        let program = try RunningProgram(fixture: "waits.c", [fixture], compiler: "musl-gcc", flags: ["-g", "-O1"] + flags)
        let waiters = try Waiters(dumping: program.pid)
        print("MUSL", waiters.summary)
        try program.assertUntouched()
      }
    }
  }
}
