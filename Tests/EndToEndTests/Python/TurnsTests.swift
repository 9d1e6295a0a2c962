import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `An entry of a dump` {
    @Test(arguments: Interpreter.few(of: Interpreter.onePerVersion.filter(\.hasSymbols)))
    func `is of one moment where threads take turns`(interpreter: Interpreter) throws {
      let program = try interpreter.start("turns.py")
      var blocked = 0
      var running = 0
      for _ in 0..<(Repository.isTrial ? 200 : 12) {
        let report = try SprofCommand.report(["dump", "\(program.pid)"])
        let waits = Dictionary(
          try #require(report.waits).seen.map { ($0.tid, $0.kind) },
          uniquingKeysWith: { first, _ in first })
        for thread in report.threads {
          let run = try #require(thread.runs.last)
          let names = try report.functions(of: run)
          let words = "\(interpreter): \(run.activity), \(waits[thread.tid] ?? "-"), \(names)"
          // A thread that waits is in a function of the C library that does so.
          let isInLibrary = names.first.map { name in
            ["futex", "wait", "read", "select", "nanosleep"].contains { name.contains($0) }
          }
          if run.activity == "blocked" {
            #expect(isInLibrary ?? false, "\(words)")
            blocked += 1
          } else {
            running += 1
          }
          if waits[thread.tid] == "gil" {
            #expect(names.contains("take_gil") || names.contains("drop_gil"), "\(words)")
          }
        }
      }
      #expect(blocked > 0 && running > 0)
      try program.assertUntouched()
    }
  }
}
