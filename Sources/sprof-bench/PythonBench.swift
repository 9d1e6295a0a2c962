import Foundation
import TestSupport

/// What a Python program loses to being sampled, by its own count of loops: to bare stops, to sprof,
/// and to py-spy or Tachyon, in turns within the same minutes.
enum PythonBench {
  private static let rounds = 3
  /// A tool starts and ends outside of the window.
  private static let start = 1.5
  private static let window = 12.5
  /// Long enough for start and end to weigh little, as in most captures.
  private static let capture = 30.0
  private static let depth = 30

  static func runSpies() throws {
    guard let python else { return print(isMissing) }
    let tools = try PythonTool.bareStopsAndSprof() + PythonTool.spies()
    try measure(python, tools, threads: 1)
    try measure(python, tools, threads: 1, isSuite: true)
  }

  static func runThreads() throws {
    guard let python else { return print(isMissing) }
    try measure(python, PythonTool.bareStopsAndSprof() + PythonTool.spies(), threads: 8)
  }

  /// Tachyon reads programs of its own version only.
  static func runTachyon() throws {
    guard
      let newest = Interpreter.onePerVersion.first(where: { $0.has(module: "profiling.sampling") })
    else { return print("Tachyon (profiling.sampling, Python 3.15) is not installed") }
    for threads in [1, 8] {
      let tools = try PythonTool.bareStopsAndSprof() + PythonTool.tachyon(of: newest)
      try measure(newest, tools, threads: threads)
    }
  }

  /// The interpreter that most parts measure.
  static var python: Interpreter? {
    Interpreter.all.first { $0.minor == 11 } ?? Interpreter.all.last
  }

  static let isMissing = "there is no Python on this machine"

  /// A program whose threads count their loops so many calls deep.
  static func startCounting(
    _ python: Interpreter, threads: Int, depth: Int, isSuite: Bool = false
  ) throws -> RunningProgram {
    try RunningProgram(
      python.command + [Repository.path("Fixtures/bench/counting.py"), "\(threads)", "\(depth)"]
        + (isSuite ? ["suite"] : []),
      environment: python.environment)
  }

  private static func measure(
    _ python: Interpreter, _ tools: [PythonTool], threads: Int, isSuite: Bool = false
  ) throws {
    let program = try startCounting(
      python, threads: threads, depth: isSuite ? 3 : depth, isSuite: isSuite)
    defer { program.kill() }
    let kind = isSuite ? "a suite of small tasks" : "\(threads) threads \(depth) calls deep"
    print("Python \(python), \(kind), \(PythonTool.rate) Hz:")
    var results: [String: [Result]] = [:]
    // The program alone is measured before and after each tool: the machine's pace drifts.
    var before = try Loops(of: program, for: window).rate
    for round in 1...rounds {
      for tool in tools {
        print("  round \(round) of \(rounds), \(tool.name): ", terminator: "")
        // Everything takes half an hour: show at once what is known, through a pipe, too.
        fflush(nil)
        var result = try run(tool, on: program)
        print("\(decimals(result.cpu, 3)) s of CPU for 1,000 ticks")
        let after = try Loops(of: program, for: window).rate
        result.slowdown = (1 - 2 * result.loops.rate / (before + after)) * 100
        before = after
        results[tool.name, default: []].append(result)
      }
    }
    printMedians(tools.map { ($0.name, results[$0.name] ?? []) })
  }

  /// One run of one tool.
  private struct Result {
    let loops: Loops
    /// Seconds of the tool's CPU time for 1,000 ticks.
    let cpu: Double
    /// Percent by which the program was slower than before and after.
    var slowdown = 0.0
  }

  private static func run(_ tool: PythonTool, on program: RunningProgram) throws -> Result {
    let cpu = cpuOfChildren()
    let command = try StartedCommand(tool.command(program.pid, capture))
    usleep(UInt32(start * 1e6))
    _ = try program.figures()
    let loops = try Loops(of: program, for: window)
    let outcome = try command.finish()
    guard outcome.status == 0 else { throw TestFailure("\(tool.name): \(outcome.stderr)") }
    let ticks = Double(PythonTool.rate) * capture
    return Result(loops: loops, cpu: (cpuOfChildren() - cpu) / ticks * 1000)
  }

  private static func printMedians(_ results: [(tool: String, runs: [Result])]) {
    print("  medians:")
    let bare = results.first { $0.tool == PythonTool.bareStops }?.runs.map(\.loops.stopped) ?? []
    for (tool, runs) in results {
      let slowdowns = runs.map(\.slowdown)
      let stopped = median(runs.map(\.loops.stopped))
      var words = ""
      if median(bare) > 0 {
        words =
          "\(decimals(stopped)) % stopped, \(decimals(stopped / median(bare))) times the bare stops; "
      }
      print(
        "  \(tool): \(words)loops slower by \(decimals(median(slowdowns))) % "
          + "(\(decimals(slowdowns.min() ?? .nan)) to \(decimals(slowdowns.max() ?? .nan))); "
          + "\(decimals(median(runs.map(\.cpu)), 3)) s of CPU for 1,000 ticks")
    }
  }

  /// What a counting program did for a while.
  private struct Loops {
    /// A second.
    let rate: Double
    /// Percent of the time that a single thread spent in stops, by its own clock: the median of a stop
    /// times their number.
    let stopped: Double

    init(of program: RunningProgram, for window: Double) throws {
      let clock = ContinuousClock()
      let (start, before) = (clock.now, try program.figures())
      usleep(UInt32(window * 1e6))
      let after = try program.figures()
      let seconds = (clock.now - start) / .seconds(1)
      rate = ((after["loops"] ?? 0) - (before["loops"] ?? 0)) / seconds
      stopped = (after["stops"] ?? 0) * (after["stop_ns"] ?? 0) / seconds / 1e7
    }
  }

  private static func cpuOfChildren() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}
