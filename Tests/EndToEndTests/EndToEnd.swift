import Foundation
import TestSupport
import Testing

/// All tests that run the sprof binary, one after the other: they watch each other's CPUs.
@Suite(.serialized) enum EndToEnd {}

extension EndToEnd {
  /// Exit codes as docs/commands.md documents them.
  enum ExitCode {
    static let usage: Int32 = 64
    static let badData: Int32 = 65
    static let noTarget: Int32 = 66
    static let internalError: Int32 = 70
    static let cannotWrite: Int32 = 73
    static let noPermission: Int32 = 77
  }
}

/// Expects that `outcome` is an error which names its cause on stderr and prints no data.
func expectError(
  _ outcome: CommandOutcome, code: Int32, naming words: [String],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == code, "\(outcome.stderr)", sourceLocation: sourceLocation)
  #expect(outcome.stdout.isEmpty, sourceLocation: sourceLocation)
  for word in words {
    #expect(
      outcome.stderr.localizedCaseInsensitiveContains(word), "\(outcome.stderr)",
      sourceLocation: sourceLocation)
  }
}

/// Expects that the test's programs are the only children left.
func expectNothingLeftBehind(sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(strayChildren() == [], sourceLocation: sourceLocation)
}

/// The numbers of lines with a marker comment or text in a fixture, counted from 1.
func lines(of source: String, containing text: String) throws -> [Int] {
  let content = try String(
    contentsOfFile: Repository.path("Fixtures/\(source)"), encoding: .utf8)
  return content.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    .filter { $0.element.contains(text) }.map { $0.offset + 1 }
}
