import Foundation
import LinuxProcess
import ProfileModel
import Sampling
import TestSupport

/// Measures what sprof costs, as ratios to a floor or a peer that runs in the same minute.
@main
struct Bench {
  static let sections: [(name: String, about: String, run: @Sendable () throws -> Void)] = [
    ("pause", "pause per stop, against a C program with the bare calls", PauseBench.run),
    ("rate", "10,000 Hz on one thread for 5 s", RateBench.run),
    ("threads", "64 and 1,000 threads, of which 2 spin", ThreadsBench.run),
    ("unwind", "time per frame when the rules are known", UnwindBench.run),
    ("debug", "sprof dump on 200 MB of debug data", DebugDataBench.run),
    ("file", "what the target loses to attach -o, against attach without it", FileBench.run),
    ("python", "what a Python program loses to sprof, to bare stops, to py-spy", PythonBench.run),
    ("python-threads", "the same of eight threads", PythonBench.runThreads),
    ("tachyon", "the same against Tachyon, of Python 3.15", PythonBench.runTachyon),
    ("python-copy", "the part of a stop for Python's frames; sprof dump", PythonBench.runCopies),
    ("dump", "sprof dump against eu-stack and gdb, from outside", DumpBench.run),
  ]

  static func main() throws {
    let wanted = CommandLine.arguments.dropFirst()
    guard wanted.allSatisfy({ name in sections.contains { $0.name == name } }) else {
      print("usage: sprof-bench [section …], of:")
      for section in sections { print("  \(section.name): \(section.about)") }
      exit(64)
    }
    for section in sections where wanted.isEmpty || wanted.contains(section.name) {
      print("## \(section.name): \(section.about)")
      try section.run()
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
  let plan = SamplingPlan(rate: rate, duration: Int64(seconds * 1e9), stopAll: stopAll)
  return try Capture.record(
    ProcessIdentity(of: pid), plan: plan, control: CaptureControl()
  ).unnamed
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
