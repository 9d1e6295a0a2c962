import Foundation
import ProfileModel
import TestSupport

/// The length of a stop as the program itself measures it: a gap in a computing loop with a voluntary
/// context switch, which only a tracer's stop causes there.
enum PauseBench {
  private static let rounds = 5
  private static let seconds = 4.0

  static func run() throws {
    for depth in [20, 200] {
      var ratios: [Double] = []
      for round in 1...rounds {
        let bare = try stops(at: depth, during: stopWithBareCalls)
        let sprof = try stops(at: depth, during: sample)
        let ratio = sprof.median / bare.median
        ratios.append(ratio)
        print(
          "depth \(depth), round \(round): bare calls \(bare.words); sprof \(sprof.words); "
            + "ratio \(decimals(ratio)) (\(sprof.note))")
      }
      print("depth \(depth): median ratio of sprof to the bare calls \(decimals(median(ratios)))")
    }
  }

  /// Where only the innermost function is wanted, a stop is to take what reading registers takes.
  static func runWithoutCallers() throws {
    try compareWithRegisters("a thread of C") { body in
      try stops(at: deepest, during: body)
    }
    guard let python = PythonBench.python else { return print(PythonBench.isMissing) }
    try compareWithRegisters("a thread of Python \(python)") { body in
      try stops(of: python, during: body)
    }
  }

  private static let deepest = 20_000

  private static func compareWithRegisters(
    _ name: String, _ measure: ((Int32) throws -> String) throws -> Stops
  ) throws {
    var ratios: [Double] = []
    for round in 1...rounds {
      let bare = try measure(stopForRegisters)
      let sprof = try measure(sampleWithoutCallers)
      ratios.append(sprof.median / bare.median)
      print(
        "\(name), round \(round): registers alone \(bare.words); --no-callers \(sprof.words); "
          + "ratio \(decimals(sprof.median / bare.median)) (\(sprof.note))")
    }
    print("\(name), \(deepest) calls deep: median ratio \(decimals(median(ratios)))")
  }

  /// What a Python thread measures while `body` stops it.
  private static func stops(
    of python: Interpreter, during body: (Int32) throws -> String
  ) throws -> Stops {
    let program = try PythonBench.startCounting(python, threads: 1, depth: deepest)
    defer { program.kill() }
    _ = try program.figures()
    let note = try body(program.pid)
    let figures = try program.figures()
    let median = figures["stop_ns"] ?? 0
    return Stops(
      median: median,
      words: "\(Int(figures["stops"] ?? 0)) stops, p50 \(decimals(median / 1e3, 1)) µs", note: note)
  }

  /// Lets a C program stop the threads that run, and read their registers.
  private static func stopForRegisters(_ pid: Int32) throws -> String {
    let floor = try Fixture.compile(source: "bench/floor.c", flags: ["-O2"])
    let outcome = try TestSupport.run(
      [floor, "\(pid)", "0", "100", "\(seconds)", "0"], timeout: .seconds(60))
    return outcome.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func sampleWithoutCallers(_ pid: Int32) throws -> String {
    let outcome = try TestSupport.run(
      [
        Bench.sprof, "attach", "\(pid)", "--no-callers", "--rate", "100", "--duration",
        "\(seconds)s", "--json",
      ], timeout: .seconds(60))
    let cost = try Report(outcome).cost
    return "by sprof's own clock p50 \(decimals(Double(cost.pauseP50Ns) / 1e3, 1)) µs"
  }

  private struct Stops {
    /// In nanoseconds.
    let median: Double
    let words: String
    let note: String
  }

  /// What a computing thread at a call depth measures while `body` stops it.
  private static func stops(at depth: Int, during body: (Int32) throws -> String) throws -> Stops {
    let spin = try Fixture.compile(source: "spin.c", flags: ["-O1", "-g"])
    let program = try RunningProgram([spin, "1", "\(depth)"])
    defer { program.kill() }
    let note = try body(program.pid)
    let figures = try program.figures()
    let median = figures["p50_ns"] ?? 0
    let p99 = figures["p99_ns"] ?? 0
    let sum = figures["sum_ns"] ?? 0
    return Stops(
      median: median,
      words: "\(Int(figures["voluntary_gaps"] ?? 0)) stops, p50 \(decimals(median / 1e3, 1)) µs, "
        + "p99 \(decimals(p99 / 1e3, 1)) µs, \(decimals(sum / seconds / 1e7)) % stopped",
      note: note)
  }

  /// Lets a C program seize, interrupt, copy and detach the thread.
  private static func stopWithBareCalls(_ pid: Int32) throws -> String {
    guard let tid = thread(named: "spinner-0", of: pid) else { throw TestFailure("no thread") }
    let floor = try Fixture.compile(source: "bench/floor.c", flags: ["-O2"])
    let outcome = try TestSupport.run(
      [floor, "\(pid)", "\(tid)", "100", "\(seconds)"], timeout: .seconds(60))
    return outcome.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func sample(_ pid: Int32) throws -> String {
    let cost = try record(pid, rate: 100, seconds: seconds).capture.cost
    return "by sprof's own clock p50 \(decimals(Double(cost.pauseMedian) / 1e3, 1)) µs, "
      + "p99 \(decimals(Double(cost.pause99) / 1e3, 1)) µs, \(cost.ticksLate) ticks late"
  }
}
