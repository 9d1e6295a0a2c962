internal import LinuxProcess
internal import ProfileModel
internal import PythonReading

extension Sampler {
  /// How often the tasks are read when an event loop runs meanwhile.
  private static let taskTries = 4
  private static let taskPause: Int64 = 1_000_000

  /// Reads the tasks of asyncio without a stop; nil without any.
  ///
  /// They are of one instant while the threads of their event loops sleep. A thread that runs all
  /// the time is not waited for: its tasks are told, and that they may be torn.
  func readTasks() -> AsyncTasks? {
    guard let python, let layout = python.findTasks(in: memory) else { return nil }
    var best: AsyncTasks?
    for attempt in 0..<Self.taskTries {
      if attempt > 0 { MonotonicClock.sleep(for: Nanoseconds(Self.taskPause)) }
      let before = sleepingThreads()
      guard var tasks = python.tasks(layout, from: memory) else { return best }
      let after = sleepingThreads()
      let owners = Set(tasks.tasks.compactMap(\.tid))
      tasks.tornThreads = owners.filter { before[$0] == nil || before[$0] != after[$0] }
      tasks.movedThreads = Set(
        threads.lazy.filter { watch in
          owners.contains(watch.tid)
            && !(watch.wasAsleep && watch.counters.switches == after[watch.tid])
        }.map(\.tid))
      if tasks.tornThreads.count <= best?.tornThreads.count ?? .max { best = tasks }
      if tasks.tornThreads.isEmpty { break }
    }
    return best.flatMap { $0.tasks.isEmpty ? nil : $0 }
  }

  /// By thread that does not run: how often it was put on a CPU.
  private func sleepingThreads() -> [Int32: UInt64] {
    var result: [Int32: UInt64] = [:]
    for watch in threads where python?.hasThread(watch.tid) ?? false {
      // The counter first: should the thread wake up and sleep again in between, it shows that.
      guard let counters = counters(of: watch) else { continue }
      if case .running = watch.files.systemCall() { continue }
      if watch.files.state() != .running { result[watch.tid] = counters.switches }
    }
    return result
  }
}

extension PythonWatch {
  /// Whether the interpreter knows the thread.
  func hasThread(_ tid: Int32) -> Bool { reader?.hasThread(tid) ?? false }

  /// Where the tasks lie; nil where asyncio is not loaded.
  func findTasks(in memory: ProcessMemory) -> PythonTaskLayout? { reader?.findTasks(in: memory) }

  func tasks(_ layout: PythonTaskLayout, from memory: ProcessMemory) -> AsyncTasks? {
    guard let reader else { return nil }
    let list = reader.tasks(layout, from: memory)
    var tids: [RemoteAddress: Int32] = [:]
    for thread in reader.threads { tids[thread.state] = thread.tid }
    return AsyncTasks(list, pid: pid, threads: tids)
  }
}

extension AsyncTasks {
  /// What tells stacks apart, without a sample of names.
  private struct FrameKey: Hashable {
    let code: RemoteAddress
    let line: Int32?
  }

  /// The tasks with their stacks in lines of source; `threads` by thread state.
  fileprivate init(_ list: PythonTaskList, pid: Int32, threads: [RemoteAddress: Int32]) {
    self.init(pid: pid, isCut: list.isCut)
    var numbers: [RemoteAddress: Int] = [:]
    for (number, task) in list.tasks.enumerated() { numbers[task.address] = number }
    var known: [[FrameKey]: Int] = [:]
    for task in list.tasks {
      var stack: Int?
      if !task.frames.isEmpty {
        let key = task.frames.map { FrameKey(code: $0.code, line: $0.line) }
        stack = known[key] ?? stacks.count
        if stack == stacks.count {
          known[key] = stack
          stacks.append(task.frames.map { SourceLine($0) })
        }
      }
      tasks.append(
        AsyncTask(
          address: task.address, name: task.name, tid: task.thread.flatMap { threads[$0] },
          state: State(task.state), stack: stack,
          awaitedBy: task.awaitedBy.compactMap { numbers[$0] }))
    }
  }

  private typealias State = AsyncTask.State
}

extension AsyncTask.State {
  fileprivate init(_ state: PythonTask.State) {
    self =
      switch state {
      case .running: .running
      case .entered: .entered
      case .suspended: .suspended
      case .created: .created
      }
  }
}

extension SourceLine {
  /// A frame of a runtime, whose function may not have been read.
  init(_ frame: RuntimeFrame) {
    guard let function = frame.function else {
      self.init(function: "<code at \(frame.code)>")
      return
    }
    self.init(
      function: function.name, file: function.file.isEmpty ? nil : function.file,
      line: Int(max(0, frame.line ?? 0)))
  }
}
