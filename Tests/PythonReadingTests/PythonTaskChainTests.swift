internal import LinuxProcess
internal import ProfileModel
internal import PythonReading
internal import RuntimeReading
internal import TestSupport
internal import Testing

@Suite(.enabled(if: !TaskReading.interpreters.isEmpty, "no Python from 3.12 on on this machine"))
struct `The tasks that wait for the running one` {
  static let kinds: [(kind: String, chain: [String])] = [
    ("plain", ["<task computes>", "plain", "main", "<task main>"]),
    ("unnamed", ["<task>", "unnamed", "main", "<task main>"]),
    ("gather", ["<task computes>", "gather", "main", "<task main>"]),
    ("wait", ["<task computes>", "_wait", "wait", "wait", "main", "<task main>"]),
    ("shield", ["<task computes>", "shield", "main", "<task main>"]),
    ("wrapped", ["<task computes>", "awaits", "yields", "wrapped", "main", "<task main>"]),
    ("group", ["<task computes>", "TaskGroup.__aexit__", "group", "main", "<task main>"]),
    (
      "several",
      [
        "<task computes> (awaited by several)", "awaits", "<task waiter>", "TaskGroup.__aexit__",
        "several", "main", "<task main>",
      ]
    ),
  ]

  @Test(arguments: TaskReading.interpreters)
  func `lie in the stack behind its coroutine, each with what it awaits`(
    _ interpreter: Interpreter
  ) throws {
    for (kind, chain) in Self.kinds {
      let held = try HeldTask(interpreter, kind)
      let plain = try held.names()
      let following = held.target.reader.followTasks(in: held.target.memory)
      #expect(following == .complete || interpreter.minor < 14)
      let names = try held.names()
      // 3.14 has a function more there.
      let shown = names.filter { $0 != "TaskGroup._aexit" }
      let place = try #require(plain.firstIndex(of: "computes"))
      #expect(Array(shown.prefix(place + 1)) == Array(plain.prefix(place + 1)))
      #expect(Array(shown.dropFirst(place + 1).prefix(chain.count)) == chain, "\(kind): \(shown)")
      #expect(Array(shown.dropFirst(place + 1 + chain.count)) == Array(plain.dropFirst(place + 1)))
      #expect(plain.suffix(3).contains("BaseEventLoop.run_until_complete"))
      try held.program.assertUntouched()
    }
  }

  @Test(arguments: TaskReading.interpreters)
  func `are not those of the task within whose step the running one is begun`(
    _ interpreter: Interpreter
  ) throws {
    let held = try HeldTask(interpreter, "eager")
    let plain = try held.names()
    _ = held.target.reader.followTasks(in: held.target.memory)
    let names = try held.names()
    let place = try #require(names.firstIndex { $0.hasPrefix("<task") })
    #expect(names[place - 1] == "eager.<locals>.inner")
    #expect(names.filter { !$0.hasPrefix("<task") } == plain)
    #expect(names.count == plain.count + 1)
    try held.program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `cost no read where the last look saw the same`(_ interpreter: Interpreter) throws {
    let held = try HeldTask(interpreter, "several")
    let thread = try #require(held.target.reader.threads.first { $0.tid == held.tid })
    func warmReads() -> Int {
      let reader = held.target.reader.threadReader(of: thread)
      for _ in 0..<5 {
        reader.prepare()
        reader.copy(from: held.target.memory)
        _ = reader.finish()
      }
      return reader.copies.readCount
    }
    #expect(warmReads() == 1)
    _ = held.target.reader.followTasks(in: held.target.memory)
    #expect(warmReads() == 1)
    #expect(try held.names().contains("<task main>"))
    try held.program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `end at a depth, after some looks that learn where they lie`(
    _ interpreter: Interpreter
  ) throws {
    let held = try HeldTask(interpreter, "deep")
    _ = held.target.reader.followTasks(in: held.target.memory)
    var counts: [Int] = []
    for _ in 0..<12 { counts.append(try held.names().count { $0.hasPrefix("<task") }) }
    #expect(counts.last == 64, "\(counts)")
    let names = try held.names().filter { $0.hasPrefix("<task") }
    #expect(names == (0..<64).map { "<task level \($0)>" })
    try held.program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `that wait for each other in a ring end where it closes`(
    _ interpreter: Interpreter
  ) throws {
    let held = try HeldTask(interpreter, "deep")
    let tasks = try #require(Truth(held.program).values["tasks"] as? [String: UInt64])
    let recording = RecordedMemory(recording: held.target.memory)
    #expect(try held.names(in: recording).contains("<task level 5>"))
    let far = try #require(tasks["level 4"])
    let near = try #require(tasks["level 1"])
    let names = try held.names(in: recording.replacing(far, with: near))
    #expect(
      names.filter { $0.hasPrefix("<task") } == (0..<4).map { "<task level \($0)>" }, "\(names)")
    try held.program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `are values where memory is torn, never a trap and never an endless walk`(
    _ interpreter: Interpreter
  ) throws {
    for kind in ["several", "gather", "wrapped"] {
      let held = try HeldTask(interpreter, kind)
      let recording = RecordedMemory(recording: held.target.memory)
      let sound = try held.names(in: recording)
      #expect(sound.contains("<task main>"))
      var random = SeededGenerator(seed: UInt64(interpreter.minor))
      var changed = 0
      for _ in 0..<Repository.trials(short: 60, full: 5_000) {
        let memory = recording.mutated(using: &random)
        changed += try held.names(in: memory) == sound ? 0 : 1
        #expect(memory.reads < 2_000)
      }
      // The changes do reach what is read.
      #expect(changed > 10)
      try held.program.assertUntouched()
    }
  }

  @Test(arguments: TaskReading.interpreters.suffix(1))
  func `are not looked for in a program without an event loop`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("flat.py")
    let target = try PythonTarget(pid: program.pid)
    #expect(target.reader.followTasks(in: target.memory) == .incomplete)
    try program.assertUntouched()
  }
}

/// A program whose event loop is held up by a task that sleeps.
private struct HeldTask {
  let program: RunningProgram
  let target: PythonTarget
  let tid: Int32

  init(_ interpreter: Interpreter, _ kind: String) throws {
    program = try interpreter.start("awaiting.py", [kind, "held"])
    target = try PythonTarget(pid: program.pid)
    tid = try #require(Truth(program).values["tid"] as? Int32)
    let files = try ThreadFiles(process: program.pid, thread: tid)
    // It says that it is ready before it waits.
    try waitUntil("it waits for its lock") {
      guard case .asleep(let call, _, _, _) = files.systemCall() else { return false }
      return SystemCallNames.name(of: call) == "futex"
    }
  }

  /// The functions of the thread's stack, innermost first.
  func names() throws -> [String] { names(of: try target.sleepingStack(of: tid)) }

  private func names(of stack: RuntimeStack) -> [String] {
    #expect(stack.groups.reduce(0) { $0 + $1.frameCount } == stack.frames.count)
    return stack.frames.map { $0.function?.name ?? "?" }
  }

  /// The same from other memory, by a reader that has seen no stack yet.
  func names(in memory: RecordedMemory) throws -> [String] {
    let reader = PythonReader(target.runtime, process: target.pid)
    _ = reader.refreshThreads(from: target.memory)
    _ = reader.followTasks(in: target.memory)
    var result: [String] = []
    for _ in 0..<2 {
      result = names(of: try reader.stack(of: tid, from: memory))
    }
    return result
  }
}
