import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `The Python` {
    @Test(
      .enabled(if: !Interpreter.withGreenlets.isEmpty, "needs gevent: make test-programs"),
      arguments: Interpreter.withGreenlets, ["hub", "plain"])
    func `of a greenlet is behind the C functions that it calls`(
      interpreter: Interpreter, kind: String
    ) throws {
      let program = try interpreter.start("greenlets.py", [kind])
      try program.awaitSleep()
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      let names = try report.functions(of: try #require(try report.thread().runs.first))
      let words = "\(interpreter), \(kind): \(names)"
      let leaf = try #require(names.firstIndex(of: "sleeper_leaf"), "\(words)")
      #expect(names.firstIndex(of: "sleeper_main") == leaf + 1, "\(words)")
      let call = try #require(names.firstIndex(of: "ffi_call"), "\(words)")
      let start = try #require(names.firstIndex { $0.contains("g_initialstub") }, "\(words)")
      #expect(call < leaf && leaf + 1 < start, "\(words)")
      #expect(!names[..<leaf].contains { $0.contains("greenlet") }, "\(words)")
      let verdict = try #require(report.verdict)
      #expect(!verdict.words.contains("switch"), "\(verdict.words)")
      #expect(
        verdict.handlerFunction == (kind == "hub" ? "sleeper_main" : nil), "\(verdict.words)")
      try program.assertUntouched()
    }
  }
}
