internal import LinuxProcess
internal import PythonReading
internal import TestSupport
internal import Testing

@Suite(.enabled(if: !Interpreter.all.isEmpty, "no Python on this machine"))
struct `Stacks of Python` {
  @Test(arguments: Interpreter.all)
  func `are those that the interpreter itself reports, with names and lines`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("stacks.py")
    let truth = try Truth(program)
    let target = try PythonTarget(pid: program.pid)
    #expect(target.runtime.version.minor == interpreter.minor)
    #expect(truth.threads.count == 26)
    for thread in truth.threads {
      #expect(target.reader.hasThread(thread.tid), "\(thread.name)")
      let stack = try target.sleepingStack(of: thread.tid)
      #expect(
        stack.frames.map(Truth.Line.init) == thread.frames.map(\.cut), "\(thread.name)")
      #expect(stack.end == .complete, "\(thread.name)")
      #expect(stack.elision == nil)
      #expect(stack.groups.reduce(0) { $0 + $1.frameCount } == stack.frames.count)
      #expect(stack.isConsistent)
    }
    try program.assertUntouched()
  }
}
