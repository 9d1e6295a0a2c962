package import LinuxProcess
package import ProfileModel

/// One task of asyncio.
package struct PythonTask: Sendable {
  /// What tells it from others for as long as it lives.
  package let address: RemoteAddress
  package let name: String
  /// The thread state whose event loop it belongs to; nil when that thread has ended.
  package let thread: RemoteAddress?
  /// Whether it is what its thread runs now; its frames are in the thread's stack then.
  package let isRunning: Bool
  /// Of a suspended task what it awaits, the innermost coroutine first.
  package let frames: [RuntimeFrame]
  /// The tasks that wait for it.
  package let awaitedBy: [RemoteAddress]
}

/// Where asyncio keeps its tasks: the 13 numbers of the section `.AsyncioDebug` (3.14 and later).
package struct PythonTaskLayout: Sendable, Equatable {
  let name: UInt64
  let awaitedBy: UInt64
  let awaitedByIsSet: UInt64
  let coroutine: UInt64
  let node: UInt64
  let interpreterHead: UInt64
  let threadRunning: UInt64
  let threadHead: UInt64

  init?(_ numbers: [UInt64]) {
    guard numbers.count == 13, numbers.allSatisfy({ $0 < 1 << 20 }) else { return nil }
    name = numbers[1]
    awaitedBy = numbers[2]
    awaitedByIsSet = numbers[4]
    coroutine = numbers[5]
    node = numbers[6]
    interpreterHead = numbers[8]
    threadRunning = numbers[11]
    threadHead = numbers[12]
  }
}

extension PythonReader {
  /// Looks for asyncio in a process; nil when it is not loaded, or older than 3.14.
  ///
  /// Opens the files that may hold it: once, and again when modules were loaded.
  package func findTasks(in memory: ProcessMemory, maps: MemoryMaps) -> PythonTaskLayout? {
    guard runtime.version.minor >= 14 else { return nil }
    let candidates = PythonImage.candidates(in: maps).filter {
      $0.first.map { $0.path.contains("_asyncio") || $0.path == runtime.path } ?? false
    }
    for mappings in candidates {
      let image = PythonImage(mappings: mappings, memory: memory)
      for address in image.addresses(ofSection: ".AsyncioDebug") {
        var copies = MemoryCopies()
        copies.copy([MemoryRange(start: RemoteAddress(address), count: 104)], from: memory)
        let numbers = (0..<13).compactMap {
          copies.value(at: address &+ UInt64($0 * 8), as: UInt64.self)
        }
        if let layout = PythonTaskLayout(numbers) { return layout }
      }
    }
    return nil
  }

  /// All tasks of all event loops, from live memory: of one instant only while nothing runs.
  package func tasks(_ layout: PythonTaskLayout, from memory: some TargetMemory) -> [PythonTask] {
    var walk = PythonTaskWalk(reader: self, layout: layout, memory: memory)
    for thread in threads {
      walk.addTasks(
        listHead: thread.state.rawValue &+ layout.threadHead, thread: thread.state)
    }
    for interpreter in interpreters {
      walk.addTasks(
        listHead: interpreter.address.rawValue &+ layout.interpreterHead, thread: nil)
    }
    return walk.tasks
  }
}

/// A walk through the lists of tasks.
private struct PythonTaskWalk<Memory: TargetMemory> {
  let reader: PythonReader
  let layout: PythonTaskLayout
  let memory: Memory
  private(set) var tasks: [PythonTask] = []
  private var seen: Set<UInt64> = []

  private static var taskLimit: Int { 1 << 16 }
  /// Coroutines that await each other; more are a torn chain.
  private static var chainLimit: Int { 4096 }

  init(reader: PythonReader, layout: PythonTaskLayout, memory: Memory) {
    self.reader = reader
    self.layout = layout
    self.memory = memory
  }

  private var objects: PythonObjects<Memory> {
    PythonObjects(runtime: reader.runtime, memory: memory)
  }

  /// `struct llist_node { next, prev }`; the head is an element of the ring.
  mutating func addTasks(listHead: UInt64, thread: RemoteAddress?) {
    let running = thread.flatMap { objects.word($0.rawValue &+ layout.threadRunning) }
    var node = objects.word(listHead)
    while let current = node, current != 0, current != listHead, tasks.count < Self.taskLimit {
      let address = current &- layout.node
      guard seen.insert(address).inserted else { return }
      addTask(address, thread: thread, isRunning: address == running)
      node = objects.word(current)
    }
    // A task that runs its first or last step may be on no list.
    if let running, running != 0, seen.insert(running).inserted {
      addTask(running, thread: thread, isRunning: true)
    }
  }

  private mutating func addTask(_ address: UInt64, thread: RemoteAddress?, isRunning: Bool) {
    tasks.append(
      PythonTask(
        address: RemoteAddress(address), name: name(of: address), thread: thread,
        isRunning: isRunning, frames: isRunning ? [] : frames(ofTask: address),
        awaitedBy: awaiters(of: address)))
  }

  /// A string, or the number of a task that nobody asked for its name yet.
  private func name(of task: UInt64) -> String {
    guard let object = objects.word(task &+ layout.name), object != 0 else { return "Task" }
    if let text = objects.string(object) { return text }
    return objects.integer(object).map { "Task-\($0)" } ?? "Task"
  }

  private func awaiters(of task: UInt64) -> [RemoteAddress] {
    guard let object = objects.word(task &+ layout.awaitedBy), object != 0,
      let isSet = objects.value(task &+ layout.awaitedByIsSet, as: UInt8.self)
    else { return [] }
    guard isSet != 0 else { return [RemoteAddress(object)] }
    // PySetObject: mask at 32, table of keys and hashes at 40.
    guard let mask = objects.word(object &+ 32), mask < 1 << 16,
      let table = objects.word(object &+ 40)
    else { return [] }
    var copies = MemoryCopies()
    copies.copy(
      [MemoryRange(start: RemoteAddress(table), count: Int(mask + 1) * 16)], from: memory)
    return (0...mask).compactMap { index in
      let entry = table &+ index &* 16
      guard let key = copies.value(at: entry, as: UInt64.self), key != 0,
        // A key that was taken out leaves a dummy, whose hash is -1.
        copies.value(at: entry &+ 8, as: Int64.self) != -1
      else { return nil }
      return RemoteAddress(key)
    }
  }

  /// The chain of coroutines from the task's own to the innermost, turned round.
  private func frames(ofTask task: UInt64) -> [RuntimeFrame] {
    guard var coroutine = objects.word(task &+ layout.coroutine), coroutine != 0,
      let type = objects.word(coroutine &+ 8)
    else { return [] }
    var result: [RuntimeFrame] = []
    var visited: Set<UInt64> = []
    while visited.count < Self.chainLimit, visited.insert(coroutine).inserted {
      guard let step = frame(ofCoroutine: coroutine) else { break }
      result.append(step.frame)
      guard let awaited = step.awaited, objects.word(awaited &+ 8) == type else { break }
      coroutine = awaited
    }
    return result.reversed()
  }

  /// The frame within a generator object, and the object that it awaits.
  private func frame(ofCoroutine object: UInt64) -> (frame: RuntimeFrame, awaited: UInt64?)? {
    let layout = reader.runtime.layout
    guard let field = layout[.generatorFrame], let stateField = layout[.generatorState],
      let state = objects.value(object &+ UInt64(stateField), as: Int8.self)
    else { return nil }
    // What is awaited is on top of the frame's stack; from 3.15 on an index lies above it.
    // FRAME_CLEARED: 4 up to 3.14, then 5. FRAME_SUSPENDED_YIELD_FROM: -1, then 2.
    let isRenumbered = reader.runtime.version.minor >= 15
    guard state != (isRenumbered ? 5 : 4) else { return nil }
    let address = object &+ UInt64(field)
    let frame = reader.liveFrame(at: address, from: memory)
    guard state == (isRenumbered ? 2 : -1), let pointer = layout[.frameStackPointer],
      let top = objects.word(address &+ UInt64(pointer)),
      let value = objects.word(top &- (isRenumbered ? 16 : 8))
    else { return frame.map { ($0, nil) } }
    return frame.map { ($0, value & ~3) }
  }
}

extension PythonReader {
  /// One frame from live memory; for frames that do not run.
  func liveFrame(at address: UInt64, from memory: some TargetMemory) -> RuntimeFrame? {
    let shape = runtime.frameShape
    let start = address &+ UInt64(shape.first)
    var copies = MemoryCopies()
    copies.copy([MemoryRange(start: RemoteAddress(start), count: shape.span)], from: memory)
    guard let offset = copies.offset(of: start, count: shape.span) else { return nil }
    let raw = shape.frame(copies, at: address, recordOffset: offset).frame
    for _ in 0..<4 {
      let missing = codes.missing(for: raw.code, generation: nil, in: copies)
      guard !missing.isEmpty else { break }
      copies.copy(missing, from: memory)
    }
    let function = codes.function(at: raw.code, generation: nil, in: copies)
    let position = shape.unit(of: raw)
    return RuntimeFrame(
      function: function, code: RemoteAddress(raw.code), position: position,
      line: function?.line(at: position), isEntry: false, isGenerator: true)
  }
}
