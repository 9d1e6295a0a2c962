import CaptureFile
import Foundation
import ProfileAnalysis
import ProfileExport
import ProfileModel
import TestSupport
import Testing

/// What is printed of the captures of `Tests/Corpus`.
@Suite struct `Reports of the corpus` {
  private struct Brief: Decodable {
    struct Thread: Decodable {
      struct Frame: Decodable {
        let function: String
      }
      let wait: String?
      let frames: [Frame]
    }
    let schema: Int
    let kind: String?
    let verdict: String?
    let chain: [String]
    let threads: [Thread]
  }

  private static func captures() throws -> [(program: CorpusCase, profile: Profile)] {
    try CorpusCase.all.flatMap { program in
      try ["dump", "attach"].compactMap { command in
        let path = Repository.path("Tests/Corpus/captures/\(program.name).\(command).sprof")
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return (program, try CaptureReader.read(path: path))
      }
    }
  }

  @Test func `are brief, with the cause of each hang`() throws {
    var hangs = 0
    let schema = try JSONSchema(of: "brief")
    for (program, profile) in try Self.captures() {
      let report = BriefReport(profile)
      var (text, json) = ("", "")
      report.write(asJSON: false, to: &text)
      report.write(asJSON: true, to: &json)
      #expect(text.utf8.count < 2048 && json.utf8.count < 2048, "\(program.name)")
      let problems = try schema.problems(of: json)
      #expect(problems.isEmpty, "\(program.name): \(problems)")
      let brief = try JSONDecoder().decode(Brief.self, from: Data(json.utf8))
      #expect(brief.threads.allSatisfy { $0.frames.count <= 5 })
      let verdict = Diagnosis(profile).verdict
      #expect(brief.kind == verdict.kind.rawValue)
      guard program.truth == .hung || program.truth == .deadlock, verdict.kind.isHang,
        let wait = verdict.wait?.kind ?? (verdict.kind == .deadlock ? .mutex : nil),
        program.causes.contains(where: { $0 == wait.rawValue })
      else { continue }
      hangs += 1
      #expect(
        brief.threads.contains { thread in program.causes.contains { $0 == thread.wait ?? "" } },
        "\(program.name): \(json)")
      guard let handler = (verdict.overdue)?.line.function else { continue }
      #expect(
        "\(brief.verdict ?? "") \(brief.chain)".contains(handler)
          || brief.threads.contains { $0.frames.contains { $0.function == handler } },
        "\(program.name): \(json)")
    }
    #expect(hangs >= 30)
  }

  @Test func `fit a screen or two, with the handler of each hang in the first 25 lines`() throws {
    var handlers = 0
    for (program, profile) in try Self.captures() {
      var text = ""
      let shown = profile.withShortNames()
      if profile.capture.kind == .dump {
        DumpReport(shown).write(to: &text)
      } else {
        TextReport(shown).write(to: &text)
      }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      #expect(lines.count < (profile.threads.count > 9 ? 90 : 60), "\(program.name): \(text)")
      let diagnosis = Diagnosis(shown)
      let situation = diagnosis.verdict.thread.flatMap { diagnosis.situations[$0] }
      guard program.truth == .hung || program.truth == .deadlock,
        let handler = (diagnosis.verdict.overdue ?? situation?.handler)?.line.function
      else { continue }
      handlers += 1
      #expect(lines.prefix(25).contains { $0.contains(handler) }, "\(program.name): \(text)")
    }
    #expect(handlers >= 30)
  }

  @Test func `are as their schema has them, as JSON`() throws {
    let schema = try JSONSchema(of: "report")
    for (program, profile) in try Self.captures() {
      var json = ""
      JSONReport(profile).write(to: &json)
      let problems = try schema.problems(of: json)
      #expect(problems.isEmpty, "\(program.name): \(problems)")
    }
  }

  @Test func `have the same verdicts with short names`() throws {
    for (program, profile) in try Self.captures() {
      let (full, short) = (Diagnosis(profile).verdict, Diagnosis(profile.withShortNames()).verdict)
      #expect(full.kind == short.kind && full.rule == short.rule, "\(program.name)")
      #expect(full.wait == short.wait && full.thread == short.thread, "\(program.name)")
    }
  }
}

extension Verdict.Kind {
  fileprivate var isHang: Bool {
    switch self {
    case .deadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung: true
    case .possibleDeadlock, .froze, .busyLoop, .starved, .slow, .running, .waiting, .idle, .frozen,
      .stopped, .inconclusive:
      false
    }
  }
}
