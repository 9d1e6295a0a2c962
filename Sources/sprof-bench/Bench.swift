import Foundation

/// Measures what sprof costs, relative to a peer or to bare system calls in the same minutes.
@main
struct Bench {
  /// One thing to measure, by a name on the command line.
  struct Part {
    let name: String
    let summary: String
    let run: @Sendable () throws -> Void
  }

  static let parts = [
    Part(
      name: "pause", summary: "length of a stop, against bare system calls", run: PauseBench.run),
    Part(
      name: "rate", summary: "100 to 10,000 Hz on one computing thread", run: ThreadBench.runRates),
    Part(
      name: "threads", summary: "64 and 1,000 threads, 2 of them computing",
      run: ThreadBench.runThreads),
    Part(name: "unwind", summary: "unwinding with known rules", run: UnwindBench.run),
    Part(
      name: "file", summary: "what attach -o costs the program, against attach", run: FileBench.run),
    Part(name: "dump", summary: "sprof dump, against eu-stack and gdb", run: DumpBench.run),
    Part(name: "debug", summary: "sprof dump with 200 MB of debug data", run: DebugDataBench.run),
    Part(
      name: "python", summary: "a Python thread, against bare stops and py-spy",
      run: PythonBench.runSpies),
    Part(
      name: "python-threads", summary: "the same with eight threads",
      run: PythonBench.runThreads),
    Part(
      name: "python-many", summary: "270 Python threads that take turns for the GIL",
      run: ThreadBench.runPython),
    Part(
      name: "python-copy", summary: "copying Python frames during a stop",
      run: PythonCopyBench.run),
    Part(
      name: "python-dump", summary: "sprof dump of Python, against py-spy",
      run: DumpBench.runPython),
    Part(
      name: "tachyon", summary: "a Python 3.15 thread, against Tachyon", run: PythonBench.runTachyon
    ),
  ]

  private static var help: String {
    let width = parts.map(\.name.count).max() ?? 0
    let lines = parts.map { part in
      "  " + part.name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + part.summary
    }
    return """
      Usage: sprof-bench [PART …]

      Measures what sprof costs on this machine. Without a part, all of them run in turn,
      which takes about an hour. sprof itself is taken from .build/release/sprof.

      \(lines.joined(separator: "\n"))
      """
  }

  static func main() {
    let names = CommandLine.arguments.dropFirst()
    if let first = names.first, ["help", "--help", "-h"].contains(first) { return print(help) }
    if let unknown = names.first(where: { name in !parts.contains { $0.name == name } }) {
      print("sprof-bench has no part '\(unknown)'.\n\n\(help)")
      exit(64)
    }
    for part in parts where names.isEmpty || names.contains(part.name) {
      print("## \(part.name): \(part.summary)")
      do {
        try part.run()
      } catch {
        print("sprof-bench \(part.name): \(error)")
        exit(1)
      }
      print("")
    }
  }
}

/// A number with two decimals.
func decimals(_ value: Double, _ places: Int = 2) -> String {
  String(format: "%.\(places)f", value)
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return .nan }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

func record(_ pid: Int32, rate: Double, seconds: Double, stopAll: Bool = false) throws -> Profile {
  let plan = SamplingPlan(
    rate: rate, duration: Int64(seconds * 1e9), options: SampleOptions(stopAll: stopAll))
  return try Capture.record(pid: pid, plan: plan, control: CaptureControl()).unnamed
}

/// The tid of the first thread of that name.
func thread(named name: String, of pid: Int32) -> Int32? {
  TestSupport.ProcessStatus.threads(of: pid).first {
    ProcessSearch.threadName(process: pid, thread: $0) == name
  }
}

// MARK: - Pause

/// The pause as the target itself meters it: gaps in its loop with a voluntary context switch.
enum PauseBench {
  static let rounds = 5
  static let seconds = 4.0

  static func run() throws {
    let spin = try Fixture.compile(source: "spin.c", flags: ["-O1", "-g"])
    let floor = try Fixture.compile(source: "bench/floor.c", flags: ["-O2"])
    for depth in [20, 200] {
      var ratios: [Double] = []
      for round in 1...rounds {
        let base = try metered(spin, depth) { pid in
          guard let tid = thread(named: "spinner-0", of: pid) else { return "no thread" }
          let outcome = try TestSupport.run(
            [floor, "\(pid)", "\(tid)", "100", "\(seconds)"], timeout: .seconds(60))
          return outcome.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let ours = try metered(spin, depth) { pid in
          let cost = try record(pid, rate: 100, seconds: seconds).capture.cost
          return "own view p50 \(decimals(Double(cost.pauseMedian) / 1e3, 1)) µs, "
            + "p99 \(decimals(Double(cost.pause99) / 1e3, 1)) µs, late \(cost.ticksLate)"
        }
        ratios.append(ours.median / base.median)
        print(
          "depth \(depth) round \(round): floor \(base.words); sprof \(ours.words); "
            + "ratio \(decimals(ours.median / base.median)) (\(ours.note))")
      }
      print("depth \(depth): median ratio sprof/floor \(decimals(median(ratios)))")
    }
  }

  private struct Metered {
    let median: Double
    let words: String
    let note: String
  }

  private static func metered(
    _ spin: String, _ depth: Int, _ body: (Int32) throws -> String
  ) throws -> Metered {
    let program = try RunningProgram([spin, "1", "\(depth)"])
    defer { program.kill() }
    let note = try body(program.pid)
    let figures = try program.figures()
    let (count, p50, p99, sum) = (
      figures["voluntary_gaps"] ?? 0, figures["p50_ns"] ?? 0, figures["p99_ns"] ?? 0,
      figures["sum_ns"] ?? 0
    )
    return Metered(
      median: p50,
      words: "\(Int(count)) stops p50 \(decimals(p50 / 1e3, 1)) p99 \(decimals(p99 / 1e3, 1)) µs, "
        + "\(decimals(sum / seconds / 1e7)) % lost",
      note: note)
  }
}

// MARK: - Rates and threads

enum RateBench {
  static func run() throws {
    let program = try RunningProgram([
      Fixture.compile(source: "spin.c", flags: ["-O1", "-g"]), "1", "20",
    ])
    defer { program.kill() }
    for rate in [100.0, 1_000, 10_000] {
      printCost(try record(program.pid, rate: rate, seconds: 5))
    }
  }
}

enum ThreadsBench {
  static func run() throws {
    let sleepers = try Fixture.compile(source: "sleepers.c", flags: ["-O2", "-g"])
    for blocked in [62, 998] {
      let program = try RunningProgram([sleepers, "\(blocked)", "2"])
      defer { program.kill() }
      printCost(try record(program.pid, rate: 100, seconds: 5))
    }
    let program = try RunningProgram([sleepers, "998", "2"])
    defer { program.kill() }
    print("the same with --stop-all:")
    printCost(try record(program.pid, rate: 100, seconds: 5, stopAll: true))
  }
}

func printCost(_ profile: Profile) {
  let cost = profile.capture.cost
  let seconds = Double(profile.capture.duration) / 1e9
  let ticks = Double(max(cost.ticksPlanned, 1))
  print(
    "\(profile.threads.count) threads at \(Int(profile.capture.rate)) Hz for \(decimals(seconds)) s: "
      + "\(cost.ticksTaken) of \(cost.ticksPlanned) ticks, "
      + "\(decimals(Double(cost.ticksLate) / ticks * 100)) % late, "
      + "\(decimals(Double(cost.stops) / Double(max(cost.ticksTaken, 1)))) stops a tick, "
      + "pause p50 \(decimals(Double(cost.pauseMedian) / 1e3, 1)) "
      + "p99 \(decimals(Double(cost.pause99) / 1e3, 1)) µs, "
      + "stopped \(decimals(cost.stoppedShare(of: profile.capture.duration) * 100)) %, "
      + "sprof used \(decimals(Double(cost.ownCPU) / 1e7 / seconds)) % of a core, "
      + "\(cost.samplesDropped) looks dropped")
}

// MARK: - Dump

enum DumpBench {
  static func run() throws {
    let sprof = Repository.path(".build/release/sprof")
    let program = try RunningProgram([
      Fixture.compile(source: "sleepers.c", flags: ["-O2", "-g"]), "7", "0",
    ])
    defer { program.kill() }
    let tools: [(name: String, command: [String])] = [
      ("sprof dump", [sprof, "dump", "\(program.pid)"]),
      ("eu-stack -l -s -i", ["eu-stack", "-l", "-s", "-i", "-p", "\(program.pid)"]),
      (
        "gdb",
        [
          "gdb", "-p", "\(program.pid)", "-batch", "-nx", "-ex", "thread apply all bt",
        ]
      ),
    ]
    var times: [String: [Double]] = [:]
    for _ in 1...7 {
      for tool in tools where tool.command[0].contains("/") || Tool.isInstalled(tool.command[0]) {
        let outcome = try TestSupport.run(tool.command, timeout: .seconds(60))
        times[tool.name, default: []].append(outcome.seconds * 1e3)
      }
    }
    for tool in tools {
      guard let known = times[tool.name] else {
        print("\(tool.name): not installed")
        continue
      }
      print("8 threads: \(tool.name): median \(decimals(median(known), 1)) ms")
    }
  }
}
