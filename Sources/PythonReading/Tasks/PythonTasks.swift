package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

extension PythonReader {
  /// Costs nothing when the names of threads, read before, showed that asyncio is not loaded.
  ///
  /// From 3.14 on it opens the files that may hold it.
  package func findTasks(in memory: ProcessMemory) -> Bool {
    if taskLayout != nil { return true }
    guard knowsTasks else { return false }
    let objects = PythonObjects(runtime: runtime, memory: memory)
    let isLoaded =
      hasAsyncio
      ?? interpreters.contains { !objects.contents(of: [PythonTaskLayout.module], in: $0).isEmpty }
    guard isLoaded else { return false }
    taskLayout = PythonTaskLayout(runtime.layout) ?? selfDescribedLayout(objects)
    return taskLayout != nil
  }

  private func selfDescribedLayout(_ objects: PythonObjects<ProcessMemory>) -> PythonTaskLayout? {
    guard let maps = try? objects.memory.maps() else { return nil }
    let candidates = PythonImage.candidates(in: maps).filter {
      $0.first.map { $0.path.contains("_asyncio") || $0.path == runtime.path } ?? false
    }
    for mappings in candidates {
      let image = PythonImage(mappings: mappings, memory: objects.memory)
      for address in image.addresses(ofSection: PythonTaskLayout.section) {
        let places = (0..<PythonTaskLayout.sectionCount).map {
          address + $0 * PythonObjectShape.wordSize
        }
        let numbers = objects.words(places).compactMap { $0 }
        if let layout = PythonTaskLayout(numbers) { return layout }
      }
    }
    return nil
  }

  /// Whether the version shows which tasks there are.
  var knowsTasks: Bool { runtime.version.minor >= PythonTaskLayout.firstMinor }

  /// All tasks of all event loops, by what `findTasks` has found.
  ///
  /// Left out are tasks that are not of asyncio's own C type, since nothing is known of their
  /// layout. Costs some ten reads, one more for each thousand tasks and coroutines, and from 3.14
  /// on one more for each task.
  package func tasks(from memory: some TargetMemory) -> RuntimeTaskList {
    var list = RuntimeTaskList()
    guard let layout = taskLayout else { return list }
    let objects = PythonObjects(runtime: runtime, memory: memory)
    let records: [PythonTaskRecord]
    let chains: [PythonCoroutineChain]
    let awaiters: [RemoteAddress: [RemoteAddress]]
    var walk = PythonCoroutineWalk(reader: self, objects: objects)
    switch layout.origin {
    case .lists(let lists):
      records = objects.records(layout, lists, threads: threads, interpreters: interpreters)
      chains = walk.chains(of: records.map(\.coroutine))
      awaiters = objects.awaiters(of: records)
    case .sets(let members):
      let modules = interpreters.compactMap { objects.taskModule(of: $0) }
      records = modules.flatMap { objects.records(layout, members, $0, threads: threads) }
      chains = walk.chains(of: records.map(\.coroutine))
      awaiters = PythonTaskWaits(objects: objects, modules: modules).awaiters(records, chains)
    }
    list.isCut = records.count >= PythonTaskLayout.limit
    let names = objects.names(of: records.map(\.name))
    var tids: [RemoteAddress: Int32] = [:]
    for thread in threads { tids[thread.state] = thread.tid }
    list.tasks = records.enumerated().map { index, record in
      RuntimeTask(
        record, chains[index], name: names[index], tid: record.thread.flatMap { tids[$0] },
        awaitedBy: awaiters[record.address] ?? [])
    }
    return list
  }
}

extension RuntimeTask {
  fileprivate init(
    _ record: PythonTaskRecord, _ chain: PythonCoroutineChain, name: String, tid: Int32?,
    awaitedBy: [RemoteAddress]
  ) {
    let state: AsyncTask.State =
      switch chain.state {
      case _ where record.isCurrent: .running
      case .executing: .entered
      case .created: .created
      case .suspended, .awaiting, .cleared, nil: .suspended
      }
    let runs = state == .running || state == .entered
    self.init(
      address: record.address, name: name, tid: tid, state: state,
      frames: runs ? [] : chain.frames.reversed(), awaitedBy: awaitedBy)
  }
}
