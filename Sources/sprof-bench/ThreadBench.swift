import LinuxProcess
import ProfileModel
import Sampling
import TestSupport

/// What captures of programs with few and with many threads cost.
enum ThreadBench {
  /// 270 threads that compute 30 calls deep, once all have started: before that, each new one would
  /// wait its turn behind all others.
  private static let computingPython = """
    from threading import Event, Thread
    from time import sleep
    start = Event()
    def compute(depth):
        if depth: return compute(depth - 1)
        start.wait()
        value = 0
        while True: value += 1
    for _ in range(270): Thread(target=compute, args=(30,), daemon=True).start()
    print("ready", flush=True)
    start.set()
    sleep(900)
    """

  static func runRates() throws {
    let spin = try Fixture.compile(source: "spin.c", flags: ["-O1", "-g"])
    let program = try RunningProgram([spin, "1", "20"])
    defer { program.kill() }
    for rate in [100.0, 1_000, 10_000] {
      printCost(of: try record(program.pid, rate: rate, seconds: 5))
    }
  }

  static func runThreads() throws {
    let sleepers = try Fixture.compile(source: "sleepers.c", flags: ["-O2", "-g"])
    for (blocked, stopAll) in [(62, false), (998, false), (998, true)] {
      let program = try RunningProgram([sleepers, "\(blocked)", "2"])
      defer { program.kill() }
      if stopAll { print("with --stop-all: ", terminator: "") }
      printCost(of: try record(program.pid, rate: 100, seconds: 5, stopAll: stopAll))
    }
  }

  static func runPython() throws {
    guard let python = PythonBench.python else { return print(PythonBench.isMissing) }
    let program = try RunningProgram(
      python.command + ["-c", computingPython], environment: python.environment)
    defer { program.kill() }
    print("Python \(python), ", terminator: "")
    printCost(of: try record(program.pid, rate: 100, seconds: 6))
  }

  private static func printCost(of profile: Profile) {
    let cost = profile.capture.cost
    let seconds = Double(profile.capture.duration) / 1e9
    let late = Double(cost.ticksLate) / Double(max(cost.ticksPlanned, 1)) * 100
    let stops = Double(cost.stops) / Double(max(cost.ticksTaken, 1))
    print(
      "\(profile.threads.count) threads at \(Int(profile.capture.rate)) Hz for "
        + "\(decimals(seconds)) s: \(cost.ticksTaken) of \(cost.ticksPlanned) ticks taken, "
        + "\(decimals(late)) % late, \(decimals(stops)) stops a tick, "
        + "pause p50 \(decimals(Double(cost.pauseMedian) / 1e3, 1)) µs, "
        + "p99 \(decimals(Double(cost.pause99) / 1e3, 1)) µs, "
        + "stopped \(decimals(cost.stoppedShare(of: profile.capture.duration) * 100)) %, "
        + "sprof used \(decimals(Double(cost.ownCPU) / 1e7 / seconds)) % of a core, "
        + "\(cost.samplesDropped) samples dropped")
  }
}

/// Samples a process without looking up names.
func record(_ pid: Int32, rate: Double, seconds: Double, stopAll: Bool = false) throws -> Profile {
  let plan = SamplingPlan(
    rate: rate, duration: Nanoseconds(Int64(seconds * 1e9)),
    options: SampleOptions(stopAll: stopAll))
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
