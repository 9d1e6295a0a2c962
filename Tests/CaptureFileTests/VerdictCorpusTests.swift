import CaptureFile
import Foundation
import ProfileAnalysis
import ProfileModel
import TestSupport
import Testing

/// Captures of real programs whose state is known (`Tests/Corpus`), and what is said of them.
@Suite struct `The corpus of verdicts` {
  private static let judged = Result { try CorpusCase.all.flatMap { try $0.judged() } }

  @Test func `has no verdict that is false`() throws {
    let rows = try Self.judged.get()
    #expect(rows.count >= 340)
    #expect(Set(rows.map(\.name)).count >= 170)
    for row in rows where row.grade == .wrong { Issue.record("\(row)") }
    if Repository.isTrial { print(Self.table(of: rows)) }
  }

  @Test func `names the causes and handlers of hangs`() throws {
    let rows = try Self.judged.get()
    let hung = rows.filter { $0.truth == .hung && $0.grade == .right }
    let causes = hung.filter(\.namesCause)
    #expect(Double(causes.count) >= Double(hung.count) * 0.95, "\(hung.filter { !$0.namesCause })")
    let handled = rows.filter { $0.namesHandler != nil }
    let named = handled.filter { $0.namesHandler == true }
    #expect(Double(named.count) >= Double(handled.count) * 0.9)
  }

  /// Verdict by truth, in captures.
  private static func table(of rows: [JudgedCapture]) -> String {
    let kinds = Verdict.Kind.allCases.filter { kind in rows.contains { $0.kind == kind } }
    var lines = ["truth | " + kinds.map(\.rawValue).joined(separator: " | ")]
    for truth in CorpusCase.Truth.allCases {
      let counts = kinds.map { kind in rows.count { $0.truth == truth && $0.kind == kind } }
      lines.append("\(truth.rawValue) | " + counts.map(String.init).joined(separator: " | "))
    }
    return lines.joined(separator: "\n")
  }
}

/// A program of the corpus, and what is true of it.
struct CorpusCase {
  enum Truth: String, CaseIterable {
    case idle
    /// At rest in a loop that a handler runs.
    case dialog
    case hung, deadlock, busy
    /// A program whose business it is to wait.
    case waits
    /// One of a runtime that sprof does not read.
    case unseen
  }

  let name: String
  let truth: Truth
  /// The kinds of wait by one of which the cause of a hang is told.
  let causes: [Substring]
  /// Empty where there is none.
  let handler: String

  static var all: [CorpusCase] {
    get throws {
      let text = try String(
        contentsOfFile: Repository.path("Tests/Corpus/cases.tsv"), encoding: .utf8)
      return try text.split(separator: "\n").map { line in
        let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
        try #require(cells.count == 4, "\(line)")
        return CorpusCase(
          name: String(cells[0]), truth: try #require(Truth(rawValue: String(cells[1]))),
          causes: cells[2].split(separator: " "), handler: String(cells[3]))
      }
    }
  }

  func judged() throws -> [JudgedCapture] {
    try ["dump", "attach"].compactMap { command in
      let path = Repository.path("Tests/Corpus/captures/\(name).\(command).sprof")
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      let diagnosis = Diagnosis(try CaptureReader.read(path: path))
      return JudgedCapture(self, command: command, diagnosis)
    }
  }
}

/// What is said of a capture of the corpus.
struct JudgedCapture: CustomStringConvertible {
  enum Grade { case right, weak, wrong }

  let name: String
  let command: String
  let truth: CorpusCase.Truth
  let kind: Verdict.Kind
  let grade: Grade
  let namesCause: Bool
  /// Nil where there is no handler to be named.
  let namesHandler: Bool?
  private let wait: WaitKind?
  private let handler: String?

  var description: String {
    "\(name).\(command): \(truth.rawValue), said \(kind.rawValue) on \(wait?.rawValue ?? "nothing"), "
      + "handler \(handler ?? "none")"
  }

  init(_ program: CorpusCase, command: String, _ diagnosis: Diagnosis) {
    let verdict = diagnosis.verdict
    let situation = verdict.thread.flatMap { diagnosis.situations[$0] }
    name = program.name
    self.command = command
    truth = program.truth
    kind = verdict.kind
    wait = verdict.wait?.kind
    handler = (verdict.overdue ?? situation?.handler)?.line.function
    grade = Self.grade(program.truth, verdict)
    namesCause = program.causes.contains { $0 == verdict.wait?.kind.rawValue ?? "" }
    namesHandler =
      program.handler.isEmpty ? nil : handler?.hasSuffix(program.handler) ?? false
  }

  private static func grade(_ truth: CorpusCase.Truth, _ verdict: Verdict) -> Grade {
    switch (truth, verdict.kind) {
    case (.unseen, .idle), (.unseen, .waiting), (.unseen, .slow), (.unseen, .inconclusive):
      verdict.unseen == nil ? .wrong : .right
    case (.idle, .idle), (.dialog, .idle), (.waits, .waiting), (.waits, .idle): .right
    case (.idle, .waiting), (.idle, .slow), (.idle, .running), (.idle, .inconclusive): .weak
    case (.idle, .starved), (.dialog, .starved), (.waits, .starved), (.waits, .running): .weak
    case (.dialog, .waiting), (.dialog, .slow), (.dialog, .running), (.dialog, .inconclusive): .weak
    case (.hung, .hung), (.hung, .hungOnLock), (.hung, .hungOnIO), (.hung, .orphanedLock): .right
    case (.hung, .waiting), (.hung, .inconclusive), (.hung, .slow): .weak
    case (.deadlock, .deadlock): .right
    case (.deadlock, .possibleDeadlock), (.deadlock, .hung), (.deadlock, .hungOnLock),
      (.deadlock, .waiting):
      .weak
    case (.busy, .busyLoop), (.busy, .slow), (.busy, .running), (.busy, .starved): .right
    case (.busy, .waiting), (.busy, .inconclusive): .weak
    default: .wrong
    }
  }
}
