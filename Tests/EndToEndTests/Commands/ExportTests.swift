import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Every format on a real capture, with the figures of the report on the same part of it.
  @Suite struct `Export of a capture` {
    /// A capture of threads that compute, sleep and wake up.
    private struct Kept {
      let folder: TemporaryFolder
      let program: RunningProgram
      let file: String

      init() throws {
        folder = try TemporaryFolder()
        program = try RunningProgram(fixture: "sleepers.c", ["5", "2"])
        file = folder.path + "/a.pb.gz"
        let outcome = try SprofCommand.run(
          ["attach", "\(program.pid)", "--duration", "1500ms", "-o", file])
        #expect(outcome.status == 0, "\(outcome.stderr)")
      }

      /// The path of the export, and the report on what it holds.
      func export(_ format: String, _ filter: [String]) throws -> (path: String, report: Report) {
        let path = "\(folder.path)/\(format)"
        let outcome = try SprofCommand.run(
          ["export", file, "--to", format, "--force", "-o", path] + filter)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let printed = try SprofCommand.run(["export", file, "--to", format, "-o", "-"] + filter)
        #expect(printed.status == 0 && (format == "pprof" || !printed.stdout.isEmpty))
        // A report on one thread of several holds all of them, a filtered export only its own.
        var report = try SprofCommand.report(["report", file] + filter)
        if let glob = filter.firstIndex(of: "--thread").map({ filter[$0 + 1] }) {
          report.keepThreads(named: glob)
        }
        return (path, report)
      }

      func text(_ format: String, _ filter: [String]) throws -> (text: String, report: Report) {
        let (path, report) = try export(format, filter)
        return (try String(contentsOfFile: path, encoding: .utf8), report)
      }

      func end() throws {
        try program.assertUntouched(progress: "iterations")
        expectNothingLeftBehind()
      }
    }

    static let filters = [
      [], ["--thread", "spinner-0"], ["--from", "300ms", "--until", "900ms"],
      ["--state", "blocked"], ["--thread", "spinner-1", "--from", "500ms"],
    ]

    @Test(.enabled(if: Tool.isInstalled("go"), "needs go tool pprof"))
    func `to pprof agrees with the report to the last digit`() throws {
      let kept = try Kept()
      for filter in Self.filters {
        let (path, report) = try kept.export("pprof", filter)
        for unit in Pprof.units {
          let expected = try Pprof.expected(report, unit)
          #expect(!expected.isEmpty || unit.index == "cpu")
          #expect(try Pprof.top(path, unit) == expected, "\(unit.index) \(filter)")
        }
        let tags = try Pprof.tags(path)
        for thread in report.threads where thread.ticks > 0 {
          #expect(tags["\(thread.name)"] == Double(thread.ticks), "\(thread.name): \(tags)")
        }
        let places = report.threads.flatMap { thread in
          // A piece that a window cut off a run may have time and no tick; pprof lists it, too.
          thread.runs.filter { $0.ticks + $0.samples + $0.wallNs + $0.cpuNs > 0 }.map {
            "\(thread.tid) \($0.stack) \($0.activity) \($0.wait ?? "")"
          }
        }
        #expect(try Pprof.traceCount(path) == Set(places).count)
      }
      try kept.end()
    }

    @Test(.enabled(if: Tool.isInstalled("go"), "needs go tool pprof"))
    func `to pprof holds nothing that only sprof reads`() throws {
      let kept = try Kept()
      let (path, report) = try kept.export("pprof", [])
      let raw = try run(["go", "tool", "pprof", "-raw", "-symbolize=none", path]).stdout
      #expect(!raw.contains("sprof:v1") && !raw.contains("start:"))
      #expect(raw.contains("thread:[spinner-0]") && raw.contains("state:[blocked]"))
      #expect(raw.contains("wall/nanoseconds[dflt]"))
      let lines = raw.split(separator: "\n")
      let mappings = try #require(lines.firstIndex(of: "Mappings"))
      #expect(lines[mappings + 1].contains(try #require(report.capture.executable)))
      // sprof itself reads it as what any other tool wrote.
      let read = try SprofCommand.report(["report", path])
      #expect(read.threads.map(\.ticks).reduce(0, +) == report.threads.map(\.ticks).reduce(0, +))
      let terminal = try run([
        "script", "-qec", "'\(SprofCommand.path)' export '\(kept.file)' --to pprof", "/dev/null",
      ])
      #expect(terminal.stdout.contains("binary data to a terminal"))
      try kept.end()
    }

    @Test func `to folded stacks adds up, thread by thread`() throws {
      let kept = try Kept()
      for filter in Self.filters {
        let (text, report) = try kept.text("folded", filter)
        var sums: [String: Int64] = [:]
        for line in text.split(separator: "\n") {
          let parts = try #require(line.wholeMatch(of: /(.*) (\d+)/), "\(line)")
          let frames = parts.1.split(separator: ";", omittingEmptySubsequences: false)
          #expect(frames.allSatisfy { !$0.isEmpty } && frames.count > 1, "\(line)")
          sums[String(frames[0]), default: 0] += try #require(Int64(parts.2))
        }
        var expected: [String: Int64] = [:]
        for thread in report.threads where thread.ticks > 0 {
          expected["\(thread.name) (tid \(thread.tid))", default: 0] += thread.ticks
        }
        #expect(sums == expected && !sums.isEmpty, "\(filter)")
      }
      try kept.end()
    }

    @Test(
      .enabled(
        if: Tool.isInstalled("callgrind_annotate"), "needs callgrind_annotate, of valgrind"))
    func `to callgrind is read by its own tool, with the same figures`() throws {
      let kept = try Kept()
      for filter in Self.filters {
        let (path, report) = try kept.export("callgrind", filter)
        let outcome = try run(["callgrind_annotate", "--threshold=100", "--auto=no", path])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let lines = outcome.stdout.split(separator: "\n").map { line in
          (line.split(separator: " "), Self.numbers(line))
        }
        let total = try #require(lines.first { $0.0.suffix(2) == ["PROGRAM", "TOTALS"] })
        let runs = report.threads.flatMap(\.runs)
        let sums = [runs.map(\.wallNs).reduce(0, +), runs.map(\.cpuNs).reduce(0, +)]
        // A cost that is 0 altogether is shown without its share, and not as a number here.
        #expect(total.1 == sums.filter { $0 > 0 }, "\(filter)")
        // `12,345 (0.5%) 12,000 (1.0%)  /src/a.c:function [module]`
        var own: Int64 = 0
        for run in runs where try report.functions(of: run).first == "compute" { own += run.wallNs }
        let compute = lines.filter { line in
          line.0.contains { $0.hasSuffix(":compute") || $0.hasSuffix(":compute'2") }
        }
        let told = compute.reduce(0) { $0 + ($1.1.first ?? 0) }
        #expect(told == own, "\(filter)")
      }
      try kept.end()
    }

    /// The whole numbers of a line of callgrind_annotate that are not shares.
    private static func numbers(_ line: Substring) -> [Int64] {
      line.matches(of: /([\d,]+) \(/).compactMap { Int64($0.1.filter(\.isNumber)) }
    }

    @Test func `to speedscope and Firefox holds the time and ticks of each thread`() throws {
      let kept = try Kept()
      for filter in Self.filters {
        let (speedscope, report) = try kept.text("speedscope", filter)
        let scope = try Self.object(speedscope)
        let profiles = try #require(scope["profiles"] as? [[String: Any]])
        let walls = profiles.map { ($0["weights"] as? [Int64] ?? []).reduce(0, +) }
        #expect(walls == report.threads.map { $0.runs.reduce(0) { $0 + $1.wallNs } }, "\(filter)")
        let firefox = try Self.object(try kept.text("firefox", filter).text)
        let threads = try #require(firefox["threads"] as? [[String: Any]])
        #expect(threads.map { $0["tid"] as? Int32 } == report.threads.map(\.tid))
        for (thread, known) in zip(threads, report.threads) {
          let samples = try #require(thread["samples"] as? [String: Any])
          #expect((samples["weight"] as? [Int64])?.reduce(0, +) == known.ticks)
          let cpu = (samples["threadCPUDelta"] as? [Int64])?.reduce(0, +)
          #expect(cpu == known.runs.reduce(0) { $0 + $1.cpuNs })
          let markers = try #require(thread["markers"] as? [String: Any])
          #expect(markers["length"] as? Int == (markers["startTime"] as? [Any])?.count)
        }
      }
      try kept.end()
    }

    private static func object(_ text: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `to perf script and lines of JSON holds every tick`() throws {
      let kept = try Kept()
      for filter in Self.filters {
        let (script, report) = try kept.text("perf-script", filter)
        let events = script.split(separator: "\n").filter { $0.hasSuffix(" ticks:") }
        #expect(events.count == Int(report.threads.reduce(0) { $0 + $1.ticks }), "\(filter)")
        for thread in report.threads {
          let own = events.filter { $0.contains("\(report.capture.pid)/\(thread.tid) ") }
          #expect(own.count == Int(thread.ticks))
        }
        let lines = try kept.text("jsonl", filter).text.split(separator: "\n")
        #expect(lines.count == report.threads.flatMap(\.runs).count)
        let ticks = try lines.map { try Self.object(String($0))["ticks"] as? Int64 ?? 0 }
        #expect(ticks.reduce(0, +) == report.threads.reduce(0) { $0 + $1.ticks })
      }
      try kept.end()
    }
  }

  @Suite struct `Merge of captures` {
    @Test(.enabled(if: Tool.isInstalled("go"), "needs go tool pprof"))
    func `adds up to its sources, for sprof and for pprof`() throws {
      let folder = try TemporaryFolder()
      var sums: [String: [String: [Int64]]] = [:]
      var files: [String] = []
      let programs = try [
        ("spin.c", ["2", "20"]), ("spin.c", ["1", "5"]), ("sleepers.c", ["3", "1"]),
      ]
      .map { try RunningProgram(fixture: $0.0, $0.1) }
      for (number, program) in programs.enumerated() {
        let file = "\(folder.path)/\(number).pb.gz"
        let outcome = try SprofCommand.run(
          ["attach", "\(program.pid)", "--duration", "500ms", "-o", file])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        files.append(file)
        let report = try SprofCommand.report(["report", file])
        for unit in Pprof.units {
          for (function, figures) in try Pprof.expected(report, unit) {
            let known = sums[unit.index]?[function] ?? [0, 0]
            sums[unit.index, default: [:]][function] = zip(known, figures).map { $0 + $1 }
          }
        }
      }
      let merged = folder.path + "/merged.pb.gz"
      for label in ["process", "none"] {
        let outcome = try SprofCommand.run(
          ["merge"] + files + ["--label", label, "--force", "-o", merged])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try SprofCommand.report(["report", merged])
        for unit in Pprof.units {
          #expect(try Pprof.expected(report, unit) == sums[unit.index], "\(label) \(unit.index)")
          #expect(try Pprof.top(merged, unit) == sums[unit.index], "\(label) \(unit.index)")
        }
      }
      let report = try SprofCommand.report(["report", merged])
      #expect(report.capture.notes.contains { $0.hasPrefix("merged from 3 captures") })
      for program in programs { try program.assertUntouched(progress: "iterations") }
      expectNothingLeftBehind()
    }
  }
}

extension Report.Thread {
  fileprivate var ticks: Int64 { runs.reduce(0) { $0 + $1.ticks } }
}
