internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

extension Sampler {
  /// How often the tasks are read when an event loop runs meanwhile.
  private static let taskTries = 4
  private static let taskPause = Nanoseconds.milliseconds(1)

  /// Reads the asynchronous tasks without a stop; nil without any.
  ///
  /// They are of one instant while the threads of their event loops sleep. A thread that runs all
  /// the time is not waited for: its tasks are listed, and marked as perhaps torn.
  func readTasks() -> AsyncTasks? {
    guard let runtimes, runtimes.findTasks(in: memory) else { return nil }
    var best: AsyncTasks?
    for attempt in 0..<Self.taskTries {
      if attempt > 0 { MonotonicClock.sleep(for: Self.taskPause) }
      let before = sleepingThreads()
      var tasks = AsyncTasks(runtimes.tasks(from: memory), pid: pid)
      let after = sleepingThreads()
      let owners = Set(tasks.tasks.compactMap(\.tid))
      tasks.tornThreads = owners.filter { before[$0] == nil || before[$0] != after[$0] }
      tasks.movedThreads = Set(
        threads.lazy.filter { thread in
          owners.contains(thread.tid)
            && !(thread.wasAsleep && thread.counters.switches == after[thread.tid])
        }.map(\.tid))
      if tasks.tornThreads.count <= best?.tornThreads.count ?? .max { best = tasks }
      if tasks.tornThreads.isEmpty { break }
    }
    return best.flatMap { $0.tasks.isEmpty ? nil : $0 }
  }

  /// By thread that does not run: how often it was put on a CPU.
  private func sleepingThreads() -> [Int32: UInt64] {
    var result: [Int32: UInt64] = [:]
    for thread in threads where runtimes?.hasThread(thread.tid) ?? false {
      // The counter first: should the thread wake up and sleep again in between, it shows that.
      guard let counters = counters(of: thread) else { continue }
      if case .running = thread.files.systemCall() { continue }
      if thread.files.state() != .running { result[thread.tid] = counters.switches }
    }
    return result
  }
}

extension AsyncTasks {
  /// What tells stacks apart, without comparing names.
  private struct FrameKey: Hashable {
    let code: RemoteAddress
    let line: Int32?
  }

  /// The tasks with their stacks in lines of source.
  fileprivate init(_ list: RuntimeTaskList, pid: Int32) {
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
          address: task.address, name: task.name, tid: task.tid, state: task.state, stack: stack,
          awaitedBy: task.awaitedBy.compactMap { numbers[$0] }))
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
      line: Int(max(0, frame.line ?? 0)), language: function.language)
  }
}
