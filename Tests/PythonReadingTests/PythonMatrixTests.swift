import TestSupport
import Testing

/// The tests of Python have a case for each one that is installed.
///
/// One that is not drops out of all of them, which nobody would see: these tests are skipped then.
@Suite struct `Pythons under test` {
  @Test(.enabled(if: isWhole(7...13), words(7...13)))
  func `are all of 3.7 to 3.13`() throws { try expectVersions(7...13) }

  @Test(.enabled(if: isWhole(14...15), words(14...15)))
  func `are all of 3.14 and 3.15`() throws { try expectVersions(14...15) }

  @Test(
    .enabled(
      if: Interpreter.onePerVersion.contains { $0.hasSymbols },
      "no Python of pyenv, whose C functions have names"))
  func `are some with the names of their C functions`() throws {
    let interpreter = try #require(Interpreter.onePerVersion.first { $0.hasSymbols })
    #expect(try version(of: interpreter) == interpreter.minor)
  }

  private func expectVersions(_ minors: ClosedRange<Int>) throws {
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

private func isWhole(_ minors: ClosedRange<Int>) -> Bool {
  Interpreter.missing(of: minors).isEmpty
}

private func words(_ minors: ClosedRange<Int>) -> Comment {
  let missing = Interpreter.missing(of: minors).map { "3.\($0)" }.joined(separator: ", ")
  return "no CPython \(missing) on this machine: no test ran against it"
}
