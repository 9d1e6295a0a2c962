import LinuxProcess
import ProfileModel
import PythonReading
import RuntimeReading
import TestSupport

/// How much longer a stop takes for the frames of Python: a copy of known frames, against the bare read
/// of as many bytes.
enum PythonCopyBench {
  static func run() throws {
    guard let python = PythonBench.python else { return print(PythonBench.isMissing) }
    for depth in [30, 300, 20_000] { try run(python, depth: depth) }
    for python in Interpreter.onePerVersion where python.minor >= 12 {
      for followsTasks in [false, true] { try runTask(python, followsTasks: followsTasks) }
    }
  }

  private static func run(_ python: Interpreter, depth: Int) throws {
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
  private static func runTask(_ python: Interpreter, followsTasks: Bool) throws {
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
      copies.append(Double((middle - start).rawValue) / 1e3)
      rest.append(Double((MonotonicClock.now() - middle).rawValue) / 1e3)
    }
    let readCount = reader.threadReader(of: thread).copies.readCount
    print(
      "copy of \(words): \(readCount) reads, median \(decimals(median(copies), 1)) µs, shortest "
        + "\(decimals(copies.min() ?? .nan, 1)) µs; bare read of \(plan.byteCount) bytes in "
        + "\(plan.ranges.count) pieces: median \(decimals(median(reads), 1)) µs; names and lines "
        + "afterwards \(decimals(median(rest), 1)) µs")
  }

  private static func microseconds(_ body: () -> Void) -> Double {
    let start = MonotonicClock.now()
    body()
    return Double((MonotonicClock.now() - start).rawValue) / 1e3
  }
}
