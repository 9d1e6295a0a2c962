internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading
internal import TestSupport
internal import Testing

@testable internal import PythonReading

@Suite(.enabled(if: !TaskReading.interpreters.isEmpty, "no Python from 3.12 on on this machine"))
struct `The tasks of asyncio` {
  @Test(arguments: TaskReading.interpreters)
  func `are those that the program itself knows, with what they await and who awaits them`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("tasks.py", ["rest"])
    let truth = try TaskTruth(program)
    #expect(truth.tasks.count == 20)
    let found = try TaskReading(program)
    #expect(found.told.sorted() == truth.tasks.sorted())
    #expect(!found.list.isCut)
    // What is awaited by way of `__await__` and of an asynchronous generator is among them.
    let deep = found.told.filter { ["asks", "numbers"].contains($0.name) }
    #expect(deep.count == 2 && deep.allSatisfy { $0.frames.count == 4 })
    try program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `tell which one runs, within which other one, and which has not begun`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("tasks.py", ["held"])
    let truth = try TaskTruth(program)
    #expect(truth.tasks.count == 5)
    let found = try TaskReading(program)
    #expect(found.told.sorted() == truth.tasks.sorted())
    var states: [String: AsyncTask.State] = [:]
    for task in found.list.tasks { states[task.name] = task.state }
    #expect(
      states == [
        "inner": .running, "holder": .entered, "Task-1": .suspended, "chief": .created,
        "not begun": .suspended,
      ])
    try program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `are found by the thousand, with the names that nobody asked for yet`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("tasks.py", ["many", "5000"])
    let target = try PythonTarget(pid: program.pid)
    #expect(target.reader.findTasks(in: target.memory))
    let memory = RecordedMemory(recording: target.memory)
    let tasks = target.reader.tasks(from: memory).tasks
    let hasAll = Set(tasks.map(\.name)) == Set((1...5001).map { "Task-\($0)" })
    #expect(hasAll)
    let main = try #require(tasks.first { $0.name == "Task-1" })
    let others = tasks.filter { $0.name != "Task-1" }
    let areAwaited = others.allSatisfy { $0.awaitedBy == [main.address] }
    #expect(areAwaited)
    let shown = others.map { $0.frames.map { $0.function?.name } }
    #expect(Set(shown) == [["sleep", "deepest", "middle", "worker"]])
    // Of a list one read each cannot be avoided.
    let reads = memory.reads
    #expect(reads < (interpreter.minor >= 14 ? tasks.count + 200 : 200))
    try program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `that are written in Python are left out, and no others with them`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("tasks.py", ["plain"])
    let found = try TaskReading(program)
    #expect(found.list.tasks.map(\.name) == ["Task-1"])
    #expect(found.told.first?.frames.map(\.function) == ["sleep", "deepest", "plain"])
    try program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `are looked for only where asyncio is loaded`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("flat.py")
    let target = try PythonTarget(pid: program.pid)
    #expect(!target.reader.findTasks(in: target.memory))
    try program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `that await themselves in a ring end where it closes`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("tasks.py", ["rest"])
    let found = try TaskReading(program)
    let recording = RecordedMemory(recording: found.target.memory)
    let sound = try found.read(recording)
    let places = try #require(try Truth(program).values["worker"] as? [UInt64])
    // What `worker` awaits becomes `worker` itself, wherever the memory tells of it.
    let memory = recording.replacing(places[1], with: places[0])
    let ring = try found.read(memory)
    #expect(sound.first { $0.name == "worker" }?.frames.count == 4)
    #expect(ring.first { $0.name == "worker" }?.frames.map(\.function) == ["worker"])
    #expect(ring.filter { $0.name != "worker" } == sound.filter { $0.name != "worker" })
    try program.assertUntouched()
  }

  @Test(arguments: TaskReading.interpreters)
  func `give values where memory is torn, never a trap and never an endless walk`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("tasks.py", ["rest"])
    let found = try TaskReading(program)
    let recording = RecordedMemory(recording: found.target.memory)
    let sound = try found.read(recording)
    #expect(sound == found.told.sorted())
    var random = SeededGenerator(seed: UInt64(interpreter.minor))
    var changed = 0
    for _ in 0..<Repository.trials(short: 60, full: 5_000) {
      let memory = recording.mutated(using: &random)
      let outcome = try found.read(memory)
      changed += outcome == sound ? 0 : 1
      #expect(memory.reads < 20_000)
    }
    // The changes do reach what is read.
    #expect(changed > 10)
    try program.assertUntouched()
  }
}

/// What a fixture says of its tasks.
struct TaskTruth {
  struct Told: Equatable, Comparable, CustomStringConvertible {
    let name: String
    let tid: Int32?
    let isRunning: Bool
    let frames: [Truth.Line]
    let awaitedBy: [String]

    var description: String {
      "\(name) of \(tid ?? 0)\(isRunning ? " runs" : ""): \(frames), by \(awaitedBy)"
    }

    static func < (left: Self, right: Self) -> Bool { left.description < right.description }
  }

  let tasks: [Told]

  init(_ program: RunningProgram) throws {
    let values = try Truth(program).values
    tasks = try #require(values["tasks"] as? [[String: Any]]).map { fields in
      Told(
        name: try #require(fields["name"] as? String), tid: fields["tid"] as? Int32,
        isRunning: try #require(fields["running"] as? Bool),
        frames: try #require(fields["frames"] as? [[Any]]).map { try Truth.Line($0) },
        awaitedBy: try #require(fields["awaited_by"] as? [String]))
    }
  }
}

/// The tasks of a process as the reader finds them.
struct TaskReading {
  /// One of each version whose tasks can be read.
  static let interpreters = Interpreter.onePerVersion.filter { $0.minor >= 12 }

  let target: PythonTarget
  let list: RuntimeTaskList

  init(_ program: RunningProgram) throws {
    target = try PythonTarget(pid: program.pid)
    try #require(target.reader.findTasks(in: target.memory))
    list = target.reader.tasks(from: target.memory)
  }

  var told: [TaskTruth.Told] { told(list) }

  /// The same from other memory, by a reader that knows nothing yet.
  func read(_ memory: RecordedMemory) throws -> [TaskTruth.Told] {
    let reader = PythonReader(target.runtime, process: target.pid)
    _ = reader.refreshThreads(from: memory)
    reader.taskLayout = target.reader.taskLayout
    return told(reader.tasks(from: memory)).sorted()
  }

  private func told(_ list: RuntimeTaskList) -> [TaskTruth.Told] {
    var names: [RemoteAddress: String] = [:]
    for task in list.tasks { names[task.address] = task.name }
    return list.tasks.map { task in
      TaskTruth.Told(
        name: task.name, tid: task.tid,
        isRunning: [.running, .entered].contains(task.state),
        frames: task.frames.map { Truth.Line($0) },
        awaitedBy: task.awaitedBy.compactMap { names[$0] }.sorted())
    }
  }
}
