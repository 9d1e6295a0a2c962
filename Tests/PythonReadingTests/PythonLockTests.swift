internal import LinuxProcess
internal import RuntimeReading
internal import TestSupport
internal import Testing

@testable internal import PythonReading

@Suite(.enabled(if: !Interpreter.all.isEmpty, "no Python on this machine"))
struct `The interpreter's lock` {
  @Test(arguments: Interpreter.onePerVersion)
  func `is free while all threads wait`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("stacks.py")
    let target = try PythonTarget(pid: program.pid)
    let locks = target.reader.lockStates(from: target.memory)
    #expect(locks.count == 1)
    #expect(locks.first?.isLocked == false)
    #expect(locks.first?.holderID == nil)
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion)
  func `belongs to the thread that computes`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("running.py", ["flat"])
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let target = try PythonTarget(pid: program.pid)
    // The main thread has or wants the lock when it says "ready", until it waits for input: read(2),
    // which is number 0.
    try waitUntil("the main thread waits for input") {
      let files = try ThreadFiles(process: program.pid, thread: program.pid)
      guard case .asleep(0, _, _, _) = files.systemCall() else { return false }
      return true
    }
    try waitUntil("the lock is taken again") {
      target.reader.lockStates(from: target.memory).first?.isLocked ?? false
    }
    let locks = try #require(target.reader.lockStates(from: target.memory).first)
    #expect(locks.isLocked)
    #expect(locks.holderID == tid)
    let stack = try #require(RunningStacks(target: target, tid: tid).take(1).first)
    #expect(stack.holdsLock == true)
    try program.assertUntouched()
  }

  // Compiled from the headers of 3.7.16, and of those with the shorter head of the collector's lists.
  @Test func `lies elsewhere before 3.7.4`() throws {
    func holder(_ micro: Int?) throws -> Int? {
      try #require(PythonOffsets.layout(of: PythonVersion(minor: 7, micro: micro)))[
        .runtimeGILHolder]
    }
    #expect(try [3, 4, 16, nil].map(holder) == [1184, 1272, 1272, nil])
    let newer = try #require(PythonOffsets.layout(of: PythonVersion(minor: 8, micro: 0)))
    #expect(newer == PythonOffsets.layout(minor: 8))
  }
}
