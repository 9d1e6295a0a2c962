import Glibc
import ProfileModel
import TestSupport
import Testing

@testable import LinuxProcess

@Suite(.serialized) struct `A process seen from outside` {
  private func sleeper() throws -> RunningProgram {
    try RunningProgram([try Fixture.compile(source: "sleepers.c", flags: ["-O2"]), "2", "1"])
  }

  @Test func `lists its threads, and their count without listing them`() throws {
    let program = try sleeper()
    defer { program.kill() }
    let folder = try TaskFolder(process: program.pid)
    let (threads, count) = (folder.threads(), folder.count())
    #expect(threads.count == count)
    #expect(threads.contains(program.pid) && threads.count >= 3)
  }

  @Test func `tells a sleeping thread by unchanged counters and a running one by its call`() throws
  {
    let program = try sleeper()
    defer { program.kill() }
    var asleep = 0
    var running = 0
    for tid in try TaskFolder(process: program.pid).threads() {
      let files = try ThreadFiles(process: program.pid, thread: tid)
      let spins = ProcessSearch.threadName(process: program.pid, thread: tid) == "spinner-0"
      // The main thread goes to sleep right after it has said that it is ready.
      while !spins, files.systemCall() == .running {}
      let counted = files.counters()
      let before = try #require(counted)
      switch files.systemCall() {
      case .running: running += 1
      case .asleep(_, _, let stackPointer, let pc):
        asleep += 1
        let (after, state) = (files.counters(), files.state())
        #expect(after == before)
        #expect(state == .sleeping)
        let memory = ProcessMemory(tid: tid)
        let maps = try memory.maps()
        #expect(maps.mapping(containing: pc)?.isExecutable == true)
        #expect(maps.mapping(containing: stackPointer)?.isWritable == true)
        #expect(memory.read(at: stackPointer, count: 64)?.count == 64)
      case .unavailable: Issue.record("no system call file")
      }
    }
    #expect(asleep >= 3 && running == 1)
  }

  @Test func `reads the same of a thread whose files are opened for each read`() throws {
    let program = try sleeper()
    defer { program.kill() }
    try waitUntil("the main thread sleeps") {
      TestSupport.ProcessStatus(pid: program.pid)?.state == "S"
    }
    let folder = try TaskFolder(process: program.pid)
    let kept = try ThreadFiles(folder: folder, thread: program.pid)
    let reopened = try ThreadFiles(folder: folder, thread: program.pid, mayKeep: false)
    #expect(!kept.areReopened && reopened.areReopened)
    let (counters, state, call) = (kept.counters(), kept.state(), kept.systemCall())
    #expect(counters != nil && reopened.counters() == counters)
    #expect(state == .sleeping && reopened.state() == state)
    #expect(call != .unavailable && reopened.systemCall() == call)
    #expect(reopened.details() == kept.details())
    #expect(!kept.isGone && !reopened.isGone)
    program.kill()
    #expect(kept.isGone && reopened.isGone)
    #expect(reopened.counters() == nil && reopened.state() == nil && reopened.details() == nil)
    #expect(reopened.systemCall() == .unavailable)
  }

  @Test func `falls back to context switches without scheduler statistics`() throws {
    let program = try sleeper()
    defer { program.kill() }
    let folder = try TaskFolder(process: program.pid)
    let files = try ThreadFiles(folder: folder, thread: program.pid)
    // It goes to sleep right after it has said that it is ready.
    while files.systemCall() == .running {}
    let first = try #require(ThreadCounters(contextSwitchesOf: program.pid, in: folder))
    #expect(first.switches > 0)
    #expect(ThreadCounters(contextSwitchesOf: program.pid, in: folder) == first)
    #expect(ThreadCounters(contextSwitchesOf: 1, in: folder) == nil)
  }

  @Test(.enabled(if: Repository.isRoot, "map_files wants privileges"))
  func `opens the very file that is mapped, also after it was deleted`() throws {
    let path = try Fixture.compile(source: "sleepers.c", flags: ["-O2"])
    let copy = path + ".deleted"
    unlink(copy)
    let copying = try run(["cp", path, copy], timeout: .seconds(10))
    #expect(copying.status == 0)
    let program = try RunningProgram([copy, "1", "0"])
    defer { program.kill() }
    unlink(copy)
    let memory = ProcessMemory(tid: program.pid)
    let code = try #require(
      try memory.maps().mappings.first { $0.isExecutable && $0.path.hasPrefix(copy) })

    let file = try memory.open(code)
    let start = try #require(file.pointer.first)
    #expect(start == 0x7f)
  }

  @Test func `reads less than was asked at the end of memory, and nothing behind it`() throws {
    let program = try sleeper()
    defer { program.kill() }
    let memory = ProcessMemory(tid: program.pid)
    let stack = try #require(try memory.maps().mappings.first { $0.path == "[stack]" })
    let nearEnd = stack.end.advanced(by: -4096)
    #expect(memory.read(at: nearEnd, count: 1 << 20)?.count == 4096)
    #expect(memory.read(at: RemoteAddress(16), count: 64) == nil)
    #expect(memory.read(at: RemoteAddress(.max - 8), count: 64) == nil)
  }
}

@Suite struct `Access to a process` {
  @Test func `is refused with the cause`() {
    #expect(throws: AccessProblem.isItself) {
      try AccessCheck.check(ProcessIdentity(of: getpid()))
    }
    #expect(throws: AccessProblem.noSuchProcess) {
      try AccessCheck.check(ProcessIdentity(pid: .max, startTicks: 1))
    }
  }

  @Test func `finds a process by name and not itself`() throws {
    let program = try RunningProgram([
      try Fixture.compile(source: "sleepers.c", flags: ["-O2"]), "1", "0",
    ])
    defer { program.kill() }
    let status = try ProcessStatus(of: program.pid)
    let found = ProcessSearch.processes(named: status.name)
    #expect(found.contains { $0.pid == program.pid })
    #expect(ProcessSearch.processes(named: "no program has this name").isEmpty)
  }
}
