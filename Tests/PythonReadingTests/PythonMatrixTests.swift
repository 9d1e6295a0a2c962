import TestSupport
import Testing

@testable import PythonReading

/// The tests of Python have a case for each one that is installed.
///
/// One that is not drops out of all of them, which nobody would see: these tests are skipped then.
@Suite struct `Pythons under test` {
  @Test func `are the versions that sprof has offsets of, each in every table`() {
    #expect(PythonOffsets.minors == Interpreter.minors)
    #expect(PythonReader.versions == Interpreter.versions)
    for (field, offsets) in PythonOffsets.rows {
      #expect(offsets.count == PythonOffsets.minors.count, "\(field)")
    }
    for (field, positions) in PythonDebugOffsets.rows {
      #expect(positions.count == PythonDebugOffsets.minors.count, "\(field)")
    }
    #expect(PythonDebugOffsets.collectors.count == PythonDebugOffsets.minors.count)
  }

  @Test(.enabled(if: isWhole(older), words(older)))
  func `are all those that a distribution or pyenv has`() throws { try expectVersions(older) }

  @Test(.enabled(if: isWhole(Interpreter.released), words(Interpreter.released)))
  func `are all those that the script of releases unpacks`() throws {
    #expect(!Interpreter.released.isEmpty)
    try expectVersions(Interpreter.released)
  }

  @Test(
    .enabled(
      if: Interpreter.onePerVersion.contains { $0.hasSymbols },
      "no Python of pyenv, whose C functions have names"))
  func `are some with the names of their C functions`() throws {
    let interpreter = try #require(Interpreter.onePerVersion.first { $0.hasSymbols })
    #expect(try version(of: interpreter) == interpreter.minor)
  }

  private func expectVersions(_ minors: [Int]) throws {
    for minor in minors {
      let interpreter = try #require(Interpreter.onePerVersion.first { $0.minor == minor })
      #expect(try version(of: interpreter) == minor)
    }
  }

  private func version(of interpreter: Interpreter) throws -> Int? {
    let outcome = try run(
      interpreter.command + ["-c", "import sys; print(sys.version_info[1], end='')"],
      environment: interpreter.environment)
    return Int(outcome.stdout)
  }
}

private let older = Interpreter.minors.filter { !Interpreter.released.contains($0) }

private func isWhole(_ minors: [Int]) -> Bool {
  Interpreter.missing(of: minors).isEmpty
}

private func words(_ minors: [Int]) -> Comment {
  let missing = Interpreter.missing(of: minors).map { "3.\($0)" }.joined(separator: ", ")
  return "no CPython \(missing) on this machine: no test ran against it"
}
