import Foundation
import LinuxProcess
import PythonReading
import RuntimeReading
import TestSupport

/// What a Python program loses to being sampled, by its own loop count: to nothing, to bare stops,
/// to sprof, and to py-spy or Tachyon, in turns within the same minute.
enum PythonBench {
  private static let rounds = 3
  private static let rate = 100
  /// Before the window lies the tool's start, behind it its end.
  private static let start = 1.5
  private static let window = 12.5
  /// Long enough for what is done once, at the start and the end, to weigh little, as in most captures.
  private static let capture = 30.0
  private static let depth = 30

  private struct Tool {
    let name: String
    let command: (_ pid: Int32, _ seconds: Double) -> [String]
  }

  static func run() throws {
    guard let python else { return print("no Python on this machine") }
    let tools = try Self.tools() + Self.spies()
    try measure(python, tools, threads: 1)
    try measure(python, tools, threads: 1, isSuite: true)
  }

  static func runThreads() throws {
    guard let python else { return print("no Python on this machine") }
    try measure(python, try Self.tools() + Self.spies(), threads: 8)
  }

  /// Tachyon reads programs of its own version only.
  static func runTachyon() throws {
    guard
      let newest = Interpreter.onePerVersion.first(where: { $0.has(module: "profiling.sampling") })
    else { return print("Tachyon (profiling.sampling, Python 3.15) is not installed") }
    for threads in [1, 8] {
      try measure(newest, try Self.tools() + Self.tachyon(of: newest), threads: threads)
    }
  }

  static func runCopies() throws {
    guard let python else { return print("no Python on this machine") }
    for depth in [30, 300, 20_000] { try CopyOfPython.run(python, depth: depth) }
    for python in Interpreter.onePerVersion where python.minor >= 12 {
      for followsTasks in [false, true] {
        try CopyOfPython.runTask(python, followsTasks: followsTasks)
      }
    }
    try DumpOfPython.run(python, against: pathOfSpy())
  }

  private static var python: Interpreter? {
    Interpreter.all.first { $0.minor == 11 } ?? Interpreter.all.last
  }

  private static func measure(
    _ python: Interpreter, _ tools: [Tool], threads: Int, isSuite: Bool = false
  ) throws {
    let program = try RunningProgram(
      python.command
        + [Repository.path("Fixtures/bench/counting.py"), "\(threads)", "\(isSuite ? 3 : depth)"]
        + (isSuite ? ["suite"] : []),
      environment: python.environment)
    defer { program.kill() }
    let kind = isSuite ? "a suite of small tasks" : "\(threads) threads \(depth) calls deep"
    print("Python \(python), \(kind), \(rate) Hz:")
    try measure(program, tools)
  }

  private static func tools() throws -> [Tool] {
    let floor = try Fixture.compile(source: "bench/floor.c", flags: ["-O2"])
    let sprof = Repository.path(".build/release/sprof")
    func attach(_ options: [String]) -> (Int32, Double) -> [String] {
      { pid, seconds in
        [sprof, "attach", "\(pid)", "--rate", "\(rate)", "--duration", "\(seconds)s"] + options
      }
    }
    return [
      Tool(name: "floor") { pid, seconds in [floor, "\(pid)", "0", "\(rate)", "\(seconds)"] },
      Tool(name: "sprof attach", command: attach([])),
      Tool(name: "sprof attach --no-native", command: attach(["--no-native"])),
    ]
  }

  /// The program itself: a version manager puts a script of its own on PATH, whose CPU time (60 ms)
  /// would count as py-spy's.
  private static func pathOfSpy() -> String? {
    if let asked = ProcessInfo.processInfo.environment["PY_SPY"] { return asked }
    let folders = Interpreter.all.compactMap(\.command.first)
      .map { URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/py-spy" }
    return ([TestSupport.Tool.path("py-spy")].compactMap { $0 } + folders).first {
      FileManager.default.contents(atPath: $0)?.starts(with: [0x7f, 0x45, 0x4c, 0x46]) == true
    }
  }

  private static func spies() -> [Tool] {
    guard let spy = pathOfSpy() else {
      print("py-spy is not installed")
      return []
    }
    return [[], ["--native"]].map { options in
      Tool(name: (["py-spy record"] + options).joined(separator: " ")) { pid, seconds in
        [
          spy, "record", "-p", "\(pid)", "-r", "\(rate)", "-d", "\(Int(seconds.rounded(.up)))",
          "-f", "raw", "-o", "/dev/null",
        ] + options
      }
    }
  }

  /// Of all threads; without `--blocking` it stops none, and stacks may be mixed up.
  private static func tachyon(of python: Interpreter) -> [Tool] {
    let environment = python.environment.map { "\($0.key)=\($0.value)" }
    return [[], ["--blocking"]].map { options in
      Tool(name: (["Tachyon"] + options).joined(separator: " ")) { pid, seconds in
        ["env"] + environment + python.command + ["-m", "profiling.sampling", "attach", "-a"]
          + ["-r", "\(rate)", "-d", "\(Int(seconds.rounded(.up)))", "--collapsed"]
          + ["-o", "/dev/null"] + options + ["\(pid)"]
      }
    }
  }

  private static func measure(_ program: RunningProgram, _ tools: [Tool]) throws {
    var slowdowns: [String: [Double]] = [:]
    var costs: [String: [Double]] = [:]
    var stops: [String: [Double]] = [:]
    // What the program does alone is measured before and behind each: the machine's pace drifts.
    var before = try loopsAndStops(of: program).loops
    for round in 1...rounds {
      for tool in tools {
        print("  turn \(round) of \(rounds), \(tool.name): ", terminator: "")
        // All takes half an hour: what is known is told at once, in a pipe, too.
        fflush(nil)
        let cpu = cpuOfChildren()
        let command = try StartedCommand(tool.command(program.pid, capture))
        usleep(UInt32(start * 1e6))
        _ = try program.figures()
        let (loops, lost) = try loopsAndStops(of: program)
        stops[tool.name, default: []].append(lost)
        let outcome = try command.finish()
        guard outcome.status == 0 else { throw TestFailure("\(tool.name): \(outcome.stderr)") }
        let cost = (cpuOfChildren() - cpu) / (Double(rate) * capture) * 1000
        costs[tool.name, default: []].append(cost)
        print("\(decimals(cost, 3)) s of CPU for 1,000 ticks")
        let behind = try loopsAndStops(of: program).loops
        slowdowns[tool.name, default: []].append((1 - 2 * loops / (before + behind)) * 100)
        before = behind
      }
    }
    print("  medians:")
    let floor = median(stops["floor"] ?? [])
    for tool in tools {
      let all = slowdowns[tool.name] ?? []
      let lost = median(stops[tool.name] ?? [])
      let metered =
        floor > 0
        ? "\(decimals(lost)) % lost in stops, \(decimals(lost / floor)) times the floor's; " : ""
      print(
        "  \(tool.name): \(metered)loops slower by \(decimals(median(all))) % "
          + "(\(decimals(all.min() ?? .nan)) to \(decimals(all.max() ?? .nan))); "
          + "\(decimals(median(costs[tool.name] ?? []), 3)) s of CPU for 1,000 ticks")
    }
  }

  /// Loops a second, and the percents of the time that a single thread lost in stops, by its own
  /// meter: the median of a stop times their number.
  private static func loopsAndStops(
    of program: RunningProgram
  ) throws -> (loops: Double, lost: Double) {
    let clock = ContinuousClock()
    let (start, before) = (clock.now, try program.figures())
    usleep(UInt32(window * 1e6))
    let after = try program.figures()
    let seconds = (clock.now - start) / .seconds(1)
    return (
      ((after["loops"] ?? 0) - (before["loops"] ?? 0)) / seconds,
      (after["stops"] ?? 0) * (after["stop_ns"] ?? 0) / seconds / 1e7
    )
  }

  private static func cpuOfChildren() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}

/// What a stop takes longer for the frames of Python: a copy of those that are known, against the
/// bare read of as many bytes.
private enum CopyOfPython {
  static func run(_ python: Interpreter, depth: Int) throws {
    let program = try python.start("deep.py", ["\(depth)"])
    defer { program.kill() }
    let memory = ProcessMemory(tid: program.pid)
    guard case .found(let runtime) = PythonSearch(memory: memory, maps: try memory.maps()).run()
    else {
      throw TestFailure("no interpreter found")
    }
    let reader = PythonReader(runtime, process: program.pid)
    _ = reader.refreshThreads(from: memory)
    guard let thread = reader.threads.first(where: { $0.tid != program.pid && $0.tid != nil })
    else { throw TestFailure("no thread") }
    try measure(reader, thread, memory, "\(depth) known frames", count: depth > 1000 ? 50 : 2000)
  }

  /// The same of a thread that runs a task, with and without the tasks that wait for it.
  static func runTask(_ python: Interpreter, followsTasks: Bool) throws {
    let program = try python.start("awaiting.py", ["several", "held"])
    defer { program.kill() }
    let memory = ProcessMemory(tid: program.pid)
    guard case .found(let runtime) = PythonSearch(memory: memory, maps: try memory.maps()).run()
    else {
      throw TestFailure("no interpreter found")
    }
    let reader = PythonReader(runtime, process: program.pid)
    _ = reader.refreshThreads(from: memory)
    if followsTasks { _ = reader.followTasks(in: memory) }
    guard let thread = reader.threads.first(where: { $0.tid == program.pid }) else {
      throw TestFailure("no thread")
    }
    let words = followsTasks ? "with three tasks" : "without its tasks"
    try measure(reader, thread, memory, "a task of Python \(python) \(words)", count: 2000)
  }

  private static func measure(
    _ reader: PythonReader, _ thread: PythonThread, _ memory: ProcessMemory, _ words: String,
    count: Int
  ) throws {
    guard let tid = thread.tid, let known = reader.thread(tid) else {
      throw TestFailure("no thread")
    }
    known.warmUp(from: memory)
    let plan = reader.threadReader(of: thread).plan
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plan.byteCount, alignment: 64)
    defer { buffer.deallocate() }
    var copies: [Double] = []
    var reads: [Double] = []
    var rest: [Double] = []
    for _ in 0..<count {
      reads.append(microseconds { _ = memory.read(plan.ranges[...], into: buffer) })
      guard let prepared = PreparedRuntimeSample([known]) else { continue }
      let start = MonotonicClock.now()
      let copied = prepared.copy(from: memory)
      let middle = MonotonicClock.now()
      var stack = copied.finish()
      stack.forget(reader.refuted(from: memory))
      let end = MonotonicClock.now()
      copies.append(Double(middle - start) / 1e3)
      rest.append(Double(end - middle) / 1e3)
    }
    print(
      "copy of \(words): \(reader.threadReader(of: thread).copies.readCount) reads, median \(decimals(median(copies), 1)) µs, shortest "
        + "\(decimals(copies.min() ?? .nan, 1)) µs; bare read of \(plan.byteCount) bytes in "
        + "\(plan.ranges.count) pieces: median \(decimals(median(reads), 1)) µs; names and lines "
        + "afterwards \(decimals(median(rest), 1)) µs")
  }

  private static func microseconds(_ body: () -> Void) -> Double {
    let start = MonotonicClock.now()
    body()
    return Double(MonotonicClock.now() - start) / 1e3
  }
}

/// `sprof dump` of a Python program, with native frames, from its start to its end; in turns with py-spy's.
private enum DumpOfPython {
  static func run(_ python: Interpreter, against spy: String?) throws {
    let program = try RunningProgram(
      python.command + [Repository.path("Fixtures/bench/counting.py"), "8", "30"],
      environment: python.environment)
    defer { program.kill() }
    var tools = [
      ("sprof dump", [Repository.path(".build/release/sprof"), "dump", "\(program.pid)"])
    ]
    if let spy {
      tools.append(("py-spy dump --native", [spy, "dump", "--native", "--pid", "\(program.pid)"]))
    }
    var times: [String: [Double]] = [:]
    for _ in 1...15 {
      for (name, command) in tools {
        let outcome = try TestSupport.run(command)
        guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
        times[name, default: []].append(outcome.seconds * 1e3)
      }
    }
    for (name, _) in tools {
      let all = times[name] ?? []
      print(
        "\(name) of 8 threads of Python \(python): median \(decimals(median(all), 1)) ms, "
          + "longest \(decimals(all.max() ?? .nan, 1)) ms")
    }
  }
}
