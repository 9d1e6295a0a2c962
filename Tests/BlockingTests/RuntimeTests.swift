import Foundation
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

extension Waits {
  @Suite struct `Threads of other runtimes` {
    private func start(_ source: String, _ command: [String]) throws -> RunningProgram {
      try RunningProgram([Fixture.build(runtime: source, command)])
    }

    @Test(.enabled(if: Tool.isInstalled("rustc"), "needs rustc"))
    func `of Rust are told without a claim of an owner`() throws {
      let program = try start("parking.rs", ["rustc", "-g", "-O"])
      let waiters = try Waiters(dumping: program.pid)
      #expect(try waiters.wait("mutex").kind == .mutex)
      #expect(try waiters.wait("read_lock").kind == .readLock)
      #expect(try waiters.wait("condition").kind == .conditionVariable)
      #expect(try waiters.wait("parking").kind == .parking)
      #expect(waiters.claims(besides: []) == [])
      try program.assertUntouched()
    }

    @Test func `of Swift name the holder of a mutex`() throws {
      let program = try start("parking.swift", ["swiftc", "-g", "-O"])
      let waiters = try Waiters(dumping: program.pid)
      let wait = try waiters.wait("mutex")
      #expect(wait.kind == .mutex && wait.object?.flavor?.rawName == "priority-inheriting")
      #expect(wait.owners == [try waiters.owner("holder")])
      #expect(waiters.claims(besides: ["mutex"]) == [])
      try program.assertUntouched()
    }

    @Test(.enabled(if: Tool.isInstalled("go"), "needs Go"))
    func `of Go without work are parked`() throws {
      let program = try start("parking.go", ["go", "build"])
      let waiters = try Waiters(dumping: program.pid)
      let futexes = waiters.profile.blockings.filter { $0.wait.systemCall == "futex" }
      #expect(!futexes.isEmpty)
      #expect(futexes.allSatisfy { $0.wait.kind == .parking }, "\(waiters.summary)")
      #expect(futexes.allSatisfy { $0.wait.owners.isEmpty })
      try program.assertUntouched()
    }
  }
}
