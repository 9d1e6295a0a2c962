import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import BlockingAnalysis

@Suite struct `A process that a wait leads to` {
  @Test func `is read of only while its number is its own`() throws {
    let program = try RunningProgram(["/bin/sh", "-c", "echo ready; read line"])
    defer { program.kill() }
    let peers = PeerProcesses()
    #expect(peers.owner(program.pid) == .process(pid: program.pid, tid: nil, name: "sh"))
    let identity = try ProcessIdentity(of: program.pid)
    #expect(peers.identity(of: program.pid) == identity)
    program.kill()
    #expect(peers.identity(of: program.pid) == nil)
  }
}
