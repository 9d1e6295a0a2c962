import Foundation
import TestSupport
import Testing

/// Thread states that one thread has made and another one runs.
extension EndToEnd {
  @Suite struct `Python that another thread has made` {
    @Test(
      arguments: Interpreter.perVersion(["sleep", "compute", "turns"], parts: 3)
        .filter { $0.0.minor >= 8 })
    func `is shown in the thread that runs it`(interpreter: Interpreter, kind: String) throws {
      let program = try interpreter.start("borrowed.py", [kind])
      let hosts = try hosts(of: program)
      var seen: [String: Int64] = [:]
      // On a busy machine one of those that take turns may have the lock for a second.
      for _ in 0..<5 where seen.count < 2 {
        let report = try SprofCommand.report([
          "attach", "\(program.pid)", "--rate", "200", "--duration", "1s",
        ])
        for thread in report.threads {
          for run in thread.runs {
            let names = try report.functions(of: run)
            for (host, tid) in hosts where names.contains(where: { $0 == "inner_\(host)" }) {
              #expect(thread.tid == tid, "\(interpreter), \(kind): \(names)")
              let inner = names.firstIndex(of: "inner_\(host)") ?? 0
              let outer = names.firstIndex(of: "host_\(host)") ?? 0
              #expect(inner < outer, "\(interpreter), \(kind): \(names)")
              seen[host, default: 0] += run.samples
            }
          }
        }
        let main = try #require(report.threads.first { $0.tid == program.pid })
        // It may have been on its way there when the capture began.
        let sampled = main.runs.filter { $0.samples > 0 }
        #expect(try sampled.allSatisfy { try report.functions(of: $0).contains("waiting") })
      }
      #expect(seen.count == 2, "\(interpreter), \(kind): \(seen)")
      try program.assertUntouched()
    }

    @Test(arguments: Interpreter.onePerVersion.filter { $0.minor >= 8 })
    func `is shown in the thread that runs it by a single dump`(interpreter: Interpreter) throws {
      let program = try interpreter.start("borrowed.py", ["sleep"])
      let hosts = try hosts(of: program)
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      for thread in report.threads {
        let names = try report.functions(of: try #require(thread.runs.first))
        let host = hosts.first { $0.value == thread.tid }?.key
        let inner = names.filter { $0.hasPrefix("inner_") || $0.hasPrefix("leaf_") }
        #expect(inner == (host.map { ["leaf_\($0)", "inner_\($0)"] } ?? []), "\(names)")
      }
      #expect(report.threads.count == 3 && report.capture.notes.isEmpty)
      try program.assertUntouched()
    }

    @Test(arguments: Interpreter.onePerLayout.filter { $0.minor >= 8 })
    func `holds the interpreter's lock in the thread that runs it`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("borrowed.py", ["compute"])
      let hosts = try hosts(of: program)
      let outcome = try SprofCommand.run([
        "attach", "\(program.pid)", "--rate", "200", "--duration", "1s", "--view", "threads",
      ])
      let lines = outcome.stdout.split(separator: "\n")
      let table = try #require(lines.firstIndex { $0.contains("(GIL)") })
      var held: [Int32: Double] = [:]
      for line in lines[(table + 2)...].prefix(3) {
        let cells = line.split(separator: " ")
        if let tid = Int32(cells.first ?? ""), cells.count > 2 { held[tid] = Double(cells[1]) }
      }
      #expect(held[program.pid] ?? 0 < 5, "\(interpreter): \(held)")
      let all = hosts.values.map { held[$0] ?? 0 }
      #expect(all.allSatisfy { $0 > 5 }, "\(interpreter): \(held)")
      try program.assertUntouched()
    }

    @Test(
      .enabled(if: !PythonLibrary.shared.isEmpty, "needs a libpython with its headers"),
      arguments: PythonLibrary.shared.filter { $0.minor >= 8 })
    func `is shown in a thread that Python does not know`(library: PythonLibrary) throws {
      let program = try RunningProgram(
        fixture: "borrowed.c", flags: ["-g", "-O1"] + library.flags)
      try program.awaitSleep()
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.threads.count == 2)
      for thread in report.threads {
        let names = try report.functions(of: try #require(thread.runs.first))
        let mine = thread.tid == program.pid ? "main" : "borrowed"
        let python = names.filter { $0.hasSuffix("_leaf") || $0.hasSuffix("_outer") }
        #expect(python == ["\(mine)_leaf", "\(mine)_outer"], "\(library): \(names)")
      }
      try program.assertUntouched()
    }

    private func hosts(of program: RunningProgram) throws -> [String: Int32] {
      let text = try #require(program.greeting.last)
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      return try #require(object?["ids"] as? [String: Int32])
    }
  }
}
