import Foundation
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

extension Waits {
  @Suite struct `Threads of other runtimes` {
    /// Compiles a program of `Fixtures/runtimes` with the compiler of its language.
    private func start(_ source: String, _ command: [String]) throws -> RunningProgram {
      let folder = Repository.path(".build/fixtures/runtimes")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let program = "\(folder)/\(source).program"
      let path = Repository.path("Fixtures/runtimes/\(source)")
      let outcome = try run(command + ["-o", program, path], timeout: .seconds(300))
      guard outcome.status == 0 else { throw TestFailure("\(command): \(outcome.stderr)") }
      return try RunningProgram([program])
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
      #expect(wait.kind == .mutex && wait.object?.flavor == "priority-inheriting")
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
