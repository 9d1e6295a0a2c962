import TestSupport

/// How long `sprof dump` takes from its start to its end, in turns with other tools.
enum DumpBench {
  private typealias Tool = (name: String, command: [String])

  private static let sprof = Bench.sprof
  /// Prints `ready` when its threads sleep.
  private static let sleepingPython = """
    from threading import Thread
    from time import sleep
    for _ in range(8): Thread(target=sleep, args=(900,), daemon=True).start()
    print("ready", flush=True)
    sleep(900)
    """

  static func run() throws {
    for threads in [8, 1001] {
      let program = try RunningProgram([
        Fixture.compile(source: "sleepers.c", flags: ["-O2", "-g"]), "\(threads - 1)", "0",
      ])
      defer { program.kill() }
      let pid = "\(program.pid)"
      var tools: [Tool] = [("sprof dump", [sprof, "dump", pid])]
      if threads == 8 {
        tools += [
          ("eu-stack -l -s -i", ["eu-stack", "-l", "-s", "-i", "-p", pid]),
          ("gdb", ["gdb", "-p", pid, "-batch", "-nx", "-ex", "thread apply all bt"]),
        ]
      }
      try measure(tools, of: "\(threads) sleeping threads", rounds: 7)
    }
  }

  static func runPython() throws {
    guard PythonBench.python != nil else { return print(PythonBench.isMissing) }
    if PythonTool.pathOfSpy() == nil { print("py-spy is not installed") }
    for python in Interpreter.onePerVersion where [8, 11, 13].contains(python.minor) {
      let asleep = try RunningProgram(
        python.command + ["-c", sleepingPython], environment: python.environment)
      defer { asleep.kill() }
      try measure(asleep.pid, of: "8 sleeping threads of Python \(python)")
      let busy = try PythonBench.startCounting(python, threads: 8, depth: 30)
      defer { busy.kill() }
      try measure(busy.pid, of: "8 threads of Python \(python) that take turns for the GIL")
    }
  }

  private static func measure(_ pid: Int32, of subject: String) throws {
    var tools: [Tool] = [("sprof dump", [sprof, "dump", "\(pid)"])]
    if let spy = PythonTool.pathOfSpy() {
      tools.append(("py-spy dump --native", [spy, "dump", "--native", "--pid", "\(pid)"]))
    }
    try measure(tools, of: subject, rounds: 15)
  }

  /// Runs the tools in turn; prints the median and the longest time of each.
  private static func measure(_ tools: [Tool], of subject: String, rounds: Int) throws {
    var times: [String: [Double]] = [:]
    for _ in 1...rounds {
      for (name, command) in tools
      where command[0].contains("/") || TestSupport.Tool.isInstalled(command[0]) {
        let outcome = try TestSupport.run(command, timeout: .seconds(60))
        // eu-stack fails for a thread that it cannot unwind to the end.
        guard outcome.status == 0 || command[0] != sprof else { throw TestFailure(outcome.stderr) }
        times[name, default: []].append(outcome.seconds * 1e3)
      }
    }
    for (name, _) in tools {
      guard let all = times[name] else {
        print("\(name): not installed")
        continue
      }
      print(
        "\(subject): \(name): median \(decimals(median(all), 1)) ms, longest "
          + "\(decimals(all.max() ?? .nan, 1)) ms")
    }
  }
}
