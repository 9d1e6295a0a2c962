import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `A deep recursion of Python` {
    /// What `deep.py` tells of itself.
    private struct DeepThread: Decodable {
      let tid: Int32
    }

    private func thread(of program: RunningProgram) throws -> Int32 {
      let text = try #require(program.greeting.last)
      return try JSONDecoder().decode(DeepThread.self, from: Data(text.utf8)).tid
    }

    @Test(arguments: Interpreter.onePerVersion)
    func `that sleeps is shown with both ends, and how many calls lie between`(
      interpreter: Interpreter
    ) throws {
      // From 3.11 on calls of Python functions take nothing of the C stack.
      let depth = interpreter.minor >= 11 ? 60_000 : 20_000
      let program = try interpreter.start("deep.py", ["\(depth)"])
      let tid = try thread(of: program)
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "--thread", "\(tid)"])
      let lines = outcome.stdout.split(separator: "\n").map { $0.trimmingCharacters(in: [" "]) }
      let gaps = lines.filter { $0.contains("left out") }
      #expect(gaps.count == 1, "\(outcome.stdout)")
      // The recursion, the leaf, and three or four of `threading`, but for 4,096 of them.
      let missing = (depth + 5...depth + 7).map { "… \($0 - 4096) frames left out …" }
      #expect(missing.contains(gaps.first ?? ""), "\(outcome.stdout)")
      #expect(lines.contains { $0.contains("leaf ") })
      #expect(lines.contains { $0.contains("_bootstrap ") })
      #expect(!outcome.stdout.contains("unknown"), "\(outcome.stdout)")
      try program.assertUntouched()
      program.kill()
    }

    // What is learned of the frames further out must not crowd out the functions of the innermost.
    @Test(arguments: Interpreter.onePerLayout)
    func `that runs is shown with the names of its innermost calls`(
      interpreter: Interpreter
    ) throws {
      let depth = interpreter.minor >= 11 ? 20_000 : 8_000
      let program = try interpreter.start("deep.py", ["\(depth)", "spin"])
      let tid = try thread(of: program)
      let report = try SprofCommand.report([
        "attach", "\(program.pid)", "--thread", "\(tid)", "--rate", "50", "--duration", "2s",
      ])
      // On a busy machine it may also run where no sample falls.
      let stacks = report.namedStacks.filter { !$0.names.contains("<ran between samples>") }
      let all = stacks.reduce(0) { $0 + $1.ticks }
      var deep = 0
      for (names, ticks) in stacks {
        #expect(!names.contains { $0.hasPrefix("<code at") }, "\(interpreter): \(names.prefix(20))")
        #expect(names.contains("spin"), "\(interpreter): \(names.prefix(20))")
        if names.count(where: { $0 == "recursion" }) > 100 { deep += ticks }
      }
      #expect(all > 20 && 2 * deep > all, "\(interpreter): \(deep) of \(all)")
      try program.assertUntouched()
      program.kill()
    }

    // Up to 3.9 functions are put among C frames by counting both.
    @Test(arguments: Interpreter.onePerVersion.filter(\.hasSymbols), [20, 6000])
    func `is shown with the built-in function between those that call it and are called by it`(
      interpreter: Interpreter, depth: Int
    ) throws {
      let program = try interpreter.start("deep.py", ["\(depth)", "sort"])
      let tid = try thread(of: program)
      let report = try SprofCommand.report(["dump", "\(program.pid)", "--thread", "\(tid)"])
      let names = try #require(report.namedStacks.first).names
      let order = ["leaf", "key", "builtin_sorted", "recursion"]
      let places = order.compactMap { names.firstIndex(of: $0) }
      #expect(places.count == order.count, "\(interpreter): \(names.prefix(20))")
      #expect(places == places.sorted(), "\(interpreter): \(names.prefix(20))")
      try program.assertUntouched()
      program.kill()
    }
  }
}
