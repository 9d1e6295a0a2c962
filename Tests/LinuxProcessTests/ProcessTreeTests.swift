import Glibc
import ProfileModel
import TestSupport
import Testing

@testable import LinuxProcess

@Suite(.serialized) struct `The tree of processes` {
  @Test func `has children and grandchildren, by both ways to ask for them`() throws {
    // One process prints both numbers, so that they are there when it is ready.
    let script = "sh -c 'echo $$; sleep 600 & echo $!; echo ready; wait' & wait"
    let program = try RunningProgram(["/bin/sh", "-c", script])
    defer { program.kill() }
    let pids = program.greeting.compactMap { Int32($0) }
    #expect(pids.count == 2)
    let processes = try ([program.pid] + pids).map { try ProcessIdentity(of: $0) }
    let found = ProcessTree.descendants(of: [processes[0]])
    #expect(found == Set(processes.dropFirst()))
    try #require(ProcessTree.isListedByKernel)
    let parents = ProcessTree.childrenByParent()
    for process in processes {
      #expect(parents[process.pid] ?? [] == ProcessTree.children(of: process))
    }
    #expect(ProcessTree.descendants(of: [processes[1], processes[0]]).count == 1)
    for pid in pids { kill(pid, SIGKILL) }
  }

  @Test func `leaves out this process, and what is not there`() throws {
    let own = try ProcessIdentity(of: getpid())
    #expect(ProcessTree.descendants(of: [own]) == [])
    #expect(ProcessTree.descendants(of: [ProcessIdentity(pid: .max, startTicks: 1)]) == [])
    let parent = try ProcessIdentity(of: getppid())
    #expect(!ProcessTree.descendants(of: [parent]).contains(own))
  }

  @Test func `tells when a process was born`() throws {
    let before = MonotonicClock.now()
    let program = try RunningProgram(["/bin/sh", "-c", "echo ready; read line"])
    let birth = try ProcessIdentity(of: program.pid).birth
    // The kernel counts in hundredths of a second.
    #expect(birth > before - .milliseconds(20) && birth <= MonotonicClock.now())
  }

  @Test func `tells that a process was born`() throws {
    var births = BirthCounter()
    let isFirst = births.hasChanged()
    #expect(isFirst)
    for _ in 0..<20 {
      _ = births.hasChanged()
      _ = try run(["/bin/true"])
      let hasChanged = births.hasChanged()
      #expect(hasChanged)
    }
  }
}

@Suite(.serialized) struct `A held program` {
  private var mask: SignalMask { SignalMask.block([]) }

  @Test func `runs nothing before it is released, and reports how it ended`() throws {
    let folder = try TemporaryFolder()
    let trace = folder.path + "/trace"
    let held = try HeldProgram.start(["/bin/sh", "-c", "touch '\(trace)'; exit 9"], mask: mask)
    #expect(access(trace, F_OK) != 0)
    #expect(ProcessSearch.threadName(process: held.pid, thread: held.pid) == "sh")
    held.release()
    #expect(try held.waitForEnd() == .exited(9))
    #expect(access(trace, F_OK) == 0)
  }

  @Test func `that is killed while it is held has ended so`() throws {
    let held = try HeldProgram.start(["/bin/sleep", "600"], mask: mask)
    held.send(SIGKILL)
    held.release()
    #expect(try held.waitForEnd() == .killed(signal: SIGKILL))
  }

  @Test func `says why it cannot be started`() {
    #expect(throws: HeldProgram.Failure.notFound) {
      try HeldProgram.start(["/no/such/file"], mask: mask)
    }
    #expect(throws: HeldProgram.Failure.notFound) { try HeldProgram.start([], mask: mask) }
    #expect(
      throws: HeldProgram.Failure.notExecutable(SystemError("exec", code: EACCES), isProgram: false)
    ) {
      try HeldProgram.start(["/etc/passwd"], mask: mask)
    }
  }
}
