import ELFReading
import Foundation
import GoReading
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

/// Programs in Go, and what is read of them.
@Suite(.enabled(if: !GoToolchain.all.isEmpty, "needs Go")) struct `Go` {}

extension `Go` {
  /// The program of a process.
  static func program(of pid: Int32) throws -> GoProgram {
    let memory = ProcessMemory(tid: pid)
    guard case .found(let program) = GoSearch(memory: memory, maps: try memory.maps()).run() else {
      throw TestFailure("no Go found in \(pid)")
    }
    return program
  }

  static func file(_ path: String) throws -> MappedFile {
    MappedFile(copying: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
  }

  /// Starts the fixture with goroutines that are stuck, and waits until they are.
  static func start(
    _ mode: String, _ toolchain: GoToolchain, _ form: GoToolchain.Form = .plain
  ) throws -> RunningProgram {
    let program = try RunningProgram([toolchain.build("goroutines.go", form), mode])
    Thread.sleep(forTimeInterval: 0.1)
    return program
  }
}
