import ProfileModel
import Testing

@testable import CaptureFile

@Suite struct `What a capture says` {
  private static let lines: [LinesProblem] = [
    .tooLarge(section: ".debug_info", size: 5000, limit: 4096),
    .unsupportedCompression(section: ".debug_line"), .unreadable(reason: "no DWARF (really)"),
    .tooSlow(cost: "31 s", limit: "20 s"), .timeOver(limit: "20 s"), .noSplitFile("parts/a.dwo"),
  ]
  private static let problems: [ModuleProblem] =
    [
      .replaced, .deleted, .changed, .otherMachine, .notELF, .unsupportedClass, .cutOff,
      .other("Permission denied"),
    ] + lines.map { .lines($0) }
  private static let notes: [CaptureNote] =
    [
      .noNames(path: "/srv/it is (odd): really.so (deleted)", .deleted),
      .noNames(path: "/srv/a.so", .replaced), .noNames(path: "a", .changed),
      .noDebugData(module: "liba.so", buildID: nil),
      .noDebugData(module: "liba has no lines.so", buildID: "0123abcd"),
      .traced(by: "gdb (pid 7)", pid: 70), .restartedCalls(1), .restartedCalls(20),
      .uncertainSamples(1), .uncertainSamples(2), .unsampledThreads(1), .unsampledThreads(3),
      .skippedTicks(12, by: .pauses(most: "1 %")), .skippedTicks(nil, by: .pauses(most: "0.5 %")),
      .skippedTicks(1, by: .cpu(most: "10 %")), .skippedTicks(nil, by: .cpu(most: "10 %")),
      .repeated(.traced(by: "gdb", pid: 70), count: 3, in: .processes),
      .repeated(
        .repeated(.restartedCalls(2), count: 3, in: .processes), count: 4, in: .captures),
      "A sentence.", "Another (3 processes",
    ] + lines.map { .noLines(module: "liba.so", $0) }

  @Test(arguments: problems) func `about a module is read from the words that are written`(
    problem: ModuleProblem
  ) {
    #expect(ModuleProblem(text: problem.words) == problem)
  }

  @Test(arguments: notes) func `about a capture is read from the words that are written`(
    note: CaptureNote
  ) {
    #expect(CaptureNote(text: note.words) == note)
  }

  @Test(arguments: [
    "", ".", ": no lines:.", "x: no lines: .", "Functions of x are shown as addresses: so.",
    "1 system calls were interrupted by a stop and restarted transparently.", "(3 processes)",
    " (3 processes)", "x (03 captures)", "x (99999999999999999999 captures)",
    "Functions of  are shown as addresses: the file was changed in place since it was loaded.",
    String(repeating: "x (2 processes)", count: 2000),
    String(repeating: "inlined functions are missing: no ", count: 2000),
  ]) func `keeps the words that a file has`(text: String) {
    #expect(CaptureNote(text: text).words == text)
    #expect(ModuleProblem(text: text).words == text)
  }

  @Test(arguments: [
    "no lines: since Tuesday", "lines and inlined functions are missing: why?",
    "inlined functions are missing: so",
  ]) func `is about lines in the words of other versions, too`(text: String) {
    #expect(ModuleProblem(text: text) == .lines(.other(text)))
    #expect(CaptureNote(text: "a.so: \(text).") == .noLines(module: "a.so", .other(text)))
  }

  @Test func `comes back from a capture's file`() throws {
    var profile = `Waits in a capture`.profile()
    profile.capture.notes = Self.notes
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.capture.notes == Self.notes)
  }
}
