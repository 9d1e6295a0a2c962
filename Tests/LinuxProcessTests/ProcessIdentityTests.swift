import Glibc
import ProfileModel
import TestSupport
import Testing

@testable import LinuxProcess

@Suite(.serialized) struct `The identity of a process` {
  private func sleeper() throws -> RunningProgram {
    try RunningProgram(["/bin/sh", "-c", "sleep 600 & echo $!; echo ready; wait"])
  }

  @Test func `stays the same, and is that of its main thread`() throws {
    let program = try sleeper()
    defer { program.kill() }
    let process = try ProcessIdentity(of: program.pid)
    #expect(try ProcessIdentity(of: program.pid) == process)
    #expect(process.isStillThere)
    #expect(try TaskFolder(process).identity(of: program.pid) == process)
    program.kill()
    #expect(!process.isStillThere)
    #expect(throws: SystemError.self) { try ProcessIdentity(of: program.pid) }
  }

  @Test func `is not that of another with the number, of which nothing is read`() throws {
    let program = try sleeper()
    defer { program.kill() }
    let child = try #require(program.greeting.first.flatMap { Int32($0) })
    defer { kill(child, SIGKILL) }
    let real = try ProcessIdentity(of: program.pid)
    let other = ProcessIdentity(pid: real.pid, startTicks: real.startTicks + 1)
    #expect(real.isStillThere && !other.isStillThere)
    #expect(throws: AccessProblem.noSuchProcess) { try AccessCheck.check(other) }
    #expect(throws: SystemError.self) { try TaskFolder(other) }
    #expect(throws: SystemError.self) { try ProcessMemory(other).maps() }
    let mapping = try #require(try ProcessMemory(real).maps().mappings.first { $0.isFile })
    _ = try ProcessMemory(real).open(mapping)
    #expect(throws: SystemError.self) { try ProcessMemory(other).open(mapping) }
    #expect(ProcessTree.children(of: real)?.map(\.pid) == [child])
    #expect(ProcessTree.children(of: other) == nil)
    #expect(ProcessTree.descendants(of: [real]).map(\.pid) == [child])
    #expect(ProcessTree.descendants(of: [other]) == [])
  }

  @Test func `survives an execve`() throws {
    let program = try RunningProgram(["/bin/sh", "-c", "echo ready; read line; exec sleep 600"])
    defer { program.kill() }
    let process = try ProcessIdentity(of: program.pid)
    try program.send(line: "")
    while ProcessSearch.processName(program.pid) != "sleep" { usleep(1000) }
    #expect(process.isStillThere)
  }

  /// The kernel gives the number after the one in this file (proc_sys_kernel(5), ns_last_pid).
  private static let lastNumber = "/proc/sys/kernel/ns_last_pid"

  @Test(.enabled(if: access(lastNumber, W_OK) == 0, "a number is given again only as root"))
  func `is another when the kernel has given its number again`() throws {
    for _ in 0..<200 {
      let first = try start()
      let identity = try ProcessIdentity(of: first)
      let folder = try TaskFolder(identity)
      end(first)
      // By then the clock has gone on by a tick.
      usleep(20_000)
      let file = open(Self.lastNumber, O_WRONLY)
      let text = "\(first - 1)"
      _ = write(file, text, text.utf8.count)
      close(file)
      let second = try start()
      defer { end(second) }
      // Others may have started a process in between.
      guard second == first else { continue }
      #expect(ProcessSearch.processName(second) != nil)
      #expect(!identity.isStillThere)
      #expect(try ProcessIdentity(of: second) != identity)
      #expect(folder.name(of: first) == nil && folder.threads().isEmpty)
      #expect(folder.count() ?? 0 == 0)
      #expect(throws: SystemError.self) { try ProcessMemory(identity).maps() }
      return
    }
    Issue.record("no number was given again")
  }

  private func start() throws -> Int32 {
    var pid: pid_t = 0
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("600"), nil]
    defer { for argument in arguments { free(argument) } }
    try #require(posix_spawn(&pid, "/bin/sleep", nil, nil, arguments, environ) == 0)
    return pid
  }

  private func end(_ pid: Int32) {
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }
}

@Suite struct `The state of a thread` {
  @Test func `is a letter and back`() {
    for letter in "RSDTtZXIKP".utf8 { #expect(ThreadState(letter: letter).letter == letter) }
    #expect(ThreadState(letter: UInt8(ascii: "Z")).hasEnded)
    #expect(ThreadState(letter: UInt8(ascii: "K")) == .other(UInt8(ascii: "K")))
  }
}
