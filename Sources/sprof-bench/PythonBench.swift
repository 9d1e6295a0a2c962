import Foundation
import TestSupport

/// What a Python program loses to being sampled, by its own loop count: to nothing, to bare stops,
/// to sprof and to py-spy, in turns within the same minute.
enum PythonBench {
  private static let rounds = 4
  private static let rate = 100
  /// Before the window lies the tool's start, behind it nothing.
  private static let start = 1.5
  private static let window = 3.0
  private static let depth = 30

  private struct Tool {
    let name: String
    let command: (_ pid: Int32, _ seconds: Double) -> [String]
  }

  static func run() throws {
    guard let python = Interpreter.all.first(where: { $0.minor == 11 }) ?? Interpreter.all.last
    else { return print("no Python on this machine") }
    let tools = try Self.tools()
    for threads in [1, 8] {
      let program = try RunningProgram(
        python.command
          + [Repository.path("Fixtures/bench/counting.py"), "\(threads)", "\(depth)"],
        environment: python.environment)
      defer { program.kill() }
      print("Python \(python), \(threads) threads \(depth) calls deep, \(rate) Hz:")
      try measure(program, tools)
    }
    try DumpOfPython.run(python)
  }

  private static func tools() throws -> [Tool] {
    let floor = try Fixture.compile(source: "bench/floor.c", flags: ["-O2"])
    let sprof = Repository.path(".build/release/sprof")
    let spy = ProcessInfo.processInfo.environment["PY_SPY"] ?? "py-spy"
    func attach(_ options: [String]) -> (Int32, Double) -> [String] {
      { pid, seconds in
        [sprof, "attach", "\(pid)", "--rate", "\(rate)", "--duration", "\(seconds)s"] + options
      }
    }
    func record(_ options: [String]) -> (Int32, Double) -> [String] {
      { pid, seconds in
        [
          spy, "record", "-p", "\(pid)", "-r", "\(rate)", "-d", "\(Int(seconds.rounded(.up)))",
          "-f", "raw", "-o", "/dev/null",
        ] + options
      }
    }
    var tools = [
      Tool(name: "floor") { pid, seconds in [floor, "\(pid)", "0", "\(rate)", "\(seconds)"] },
      Tool(name: "sprof attach", command: attach([])),
      Tool(name: "sprof attach --no-native", command: attach(["--no-native"])),
    ]
    if spy.contains("/") || TestSupport.Tool.isInstalled(spy) {
      tools.append(Tool(name: "py-spy record", command: record([])))
      tools.append(Tool(name: "py-spy record --native", command: record(["--native"])))
    } else {
      print("py-spy is not installed")
    }
    return tools
  }

  private static func measure(_ program: RunningProgram, _ tools: [Tool]) throws {
    var slowdowns: [String: [Double]] = [:]
    var costs: [String: [Double]] = [:]
    // What the program does alone is measured before and behind each: the machine's pace drifts.
    var before = try loopsPerSecond(of: program)
    for _ in 1...rounds {
      for tool in tools {
        let cpu = cpuOfChildren()
        let seconds = start + window
        let command = try StartedCommand(tool.command(program.pid, seconds + 1))
        usleep(UInt32(start * 1e6))
        let loops = try loopsPerSecond(of: program)
        let outcome = try command.finish()
        guard outcome.status == 0 else { throw TestFailure("\(tool.name): \(outcome.stderr)") }
        costs[tool.name, default: []].append(
          (cpuOfChildren() - cpu) / (Double(rate) * (seconds + 1)) * 1000)
        let behind = try loopsPerSecond(of: program)
        slowdowns[tool.name, default: []].append((1 - 2 * loops / (before + behind)) * 100)
        before = behind
      }
    }
    let floor = median(slowdowns["floor"] ?? [])
    for tool in tools {
      let all = slowdowns[tool.name] ?? []
      print(
        "  \(tool.name): slowdown \(decimals(median(all))) % "
          + "(\(decimals(all.min() ?? .nan)) to \(decimals(all.max() ?? .nan))), "
          + "\(decimals(median(all) / floor)) times the floor's; "
          + "\(decimals(median(costs[tool.name] ?? []), 3)) s of CPU for 1,000 ticks")
    }
  }

  private static func loopsPerSecond(of program: RunningProgram) throws -> Double {
    let clock = ContinuousClock()
    let (start, before) = (clock.now, try program.figure("loops"))
    usleep(UInt32(window * 1e6))
    let after = try program.figure("loops")
    return (after - before) / ((clock.now - start) / .seconds(1))
  }

  private static func cpuOfChildren() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}

/// `sprof dump` of a Python program, with native frames, from its start to its end.
private enum DumpOfPython {
  static func run(_ python: Interpreter) throws {
    let program = try RunningProgram(
      python.command + [Repository.path("Fixtures/bench/counting.py"), "8", "30"],
      environment: python.environment)
    defer { program.kill() }
    var times: [Double] = []
    for _ in 1...10 {
      let outcome = try TestSupport.run(
        [Repository.path(".build/release/sprof"), "dump", "\(program.pid)"])
      guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
      times.append(outcome.seconds * 1e3)
    }
    print(
      "sprof dump of 8 Python threads: median \(decimals(median(times), 1)) ms, "
        + "longest \(decimals(times.max() ?? .nan, 1)) ms")
  }
}
