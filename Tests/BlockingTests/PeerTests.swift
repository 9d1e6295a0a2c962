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

  @Test(arguments: [
    ("postgres: joe shop [local] UPDATE waiting", true),
    ("postgres: main: joe shop 10.0.0.7(4711) SELECT waiting", true),
    ("postgres: joe shop [local] idle", false),
    ("postgres: startup recovering 000000010000000000000003 waiting for 0/3000000", false),
    ("postgres: joe shop [local] UPDATE", false), ("vim waiting", false), ("", false),
  ])
  func `says in PostgreSQL's title whether it waits for a lock`(title: String, waits: Bool) {
    #expect(PostgresTitle.saysWaiting([title]) == waits)
    #expect(!PostgresTitle.saysWaiting([]))
  }
}
