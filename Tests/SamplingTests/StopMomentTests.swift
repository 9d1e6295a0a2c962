import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@Suite struct `A stop` {
  /// What each thread was in when a stop came, by its number.
  private func calls(_ program: RunningProgram) throws -> [Int32: StoppedThread.Call?] {
    let stopper = StoppedThreads(process: program.pid)
    var result: [Int32: StoppedThread.Call?] = [:]
    for tid in ProcessStatus.threads(of: program.pid) {
      guard stopper.seize(tid, tag: 0, mayRestartCall: true) == .requested else { continue }
    }
    stopper.interruptAll().forEachStopped { result[$0.stop.tid] = .some($0.call) }
    try waitUntil("all were released") {
      stopper.releaseOverdue()
      return stopper.isEmpty
    }
    return result
  }

  @Test func `says whether it woke a thread up, and from which system call`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["4", "1"])
    var asleep: Set<String> = []
    var isRunningSeen = false
    // Whatever a thread was seen to do before, it may have done something else when the stop came.
    for _ in 0..<200 where asleep.count < 3 || !isRunningSeen {
      for (_, call) in try calls(program) {
        guard let call else {
          isRunningSeen = true
          continue
        }
        if call.wasInterrupted, let name = SystemCallNames.name(of: call.number) {
          asleep.insert(name)
        }
      }
    }
    #expect(isRunningSeen && asleep.count >= 3, "\(asleep)")
    let waits: Set = ["futex", "read", "poll", "clock_nanosleep", "nanosleep", "restart_syscall"]
    #expect(asleep.isSubset(of: waits), "\(asleep)")
    try program.assertUntouched()
  }
}
