package import LinuxProcess
package import ProfileModel

/// One task of asyncio that has not ended.
package struct PythonTask: Sendable {
  package enum State: Sendable {
    /// It is what its thread runs now; its frames are in the thread's stack then.
    case running
    /// It has begun to run and started the running one within; its frames are there, too.
    case entered
    case suspended
    /// It has not run yet.
    case created
  }

  /// What tells it from others for as long as it lives.
  package let address: RemoteAddress
  package let name: String
  /// The thread state whose event loop it belongs to; nil when that is not known.
  package let thread: RemoteAddress?
  package let state: State
  /// Of a task that does not run what it awaits, the innermost coroutine first.
  package let frames: [RuntimeFrame]
  /// The tasks that are known to wait for it.
  package let awaitedBy: [RemoteAddress]
}

/// The tasks of a process.
package struct PythonTaskList: Sendable {
  package var tasks: [PythonTask] = []
  /// Whether there were more than are followed.
  package var isCut = false
}

/// Where asyncio keeps its tasks, and what of them lies where.
package struct PythonTaskLayout: Sendable, Equatable {
  let name: UInt64
  let coroutine: UInt64
  let origin: Origin

  enum Origin: Sendable, Equatable {
    case lists(Lists)
    case sets(Members)
  }

  /// From 3.14 on: a list of each thread, and one of each interpreter for threads that have ended.
  struct Lists: Sendable, Equatable {
    let awaitedBy: UInt64
    let awaitedByIsSet: UInt64
    let node: UInt64
    let interpreterHead: UInt64
    let threadRunning: UInt64
    let threadHead: UInt64
  }

  /// Before: sets in `asyncio.tasks`, and members of the tasks that lead to the rest.
  struct Members: Sendable, Equatable {
    let size: UInt64
    let loop: UInt64
    let state: UInt64
    let waiter: UInt64
  }

  /// The 13 numbers of the section `.AsyncioDebug`.
  init?(_ numbers: [UInt64]) {
    guard numbers.count == 13, numbers.allSatisfy({ $0 < 1 << 20 }) else { return nil }
    name = numbers[1]
    coroutine = numbers[5]
    origin = .lists(
      Lists(
        awaitedBy: numbers[2], awaitedByIsSet: numbers[4], node: numbers[6],
        interpreterHead: numbers[8], threadRunning: numbers[11], threadHead: numbers[12]))
  }

  /// `TaskObj` of 3.12 and 3.13 (Modules/_asynciomodule.c); nil for other versions.
  init?(minor: Int) {
    switch minor {
    case 12:
      (coroutine, name) = (136, 144)
      origin = .sets(Members(size: 176, loop: 16, state: 88, waiter: 128))
    case 13:
      (coroutine, name) = (120, 128)
      origin = .sets(Members(size: 144, loop: 16, state: 96, waiter: 112))
    default: return nil
    }
  }
}

extension PythonReader {
  /// Looks for asyncio in a process; nil when it is not loaded, or older than 3.12.
  ///
  /// Costs nothing when the names of threads, read before, told that there is none. From 3.14 on it
  /// opens the files that may hold it.
  package func findTasks(in memory: ProcessMemory) -> PythonTaskLayout? {
    guard runtime.version.minor >= 12 else { return nil }
    let objects = PythonObjects(runtime: runtime, memory: memory)
    let isLoaded =
      hasAsyncio
      ?? interpreters.contains { !objects.contents(of: [PythonTaskLayout.module], in: $0).isEmpty }
    guard isLoaded else { return nil }
    if let layout = PythonTaskLayout(minor: runtime.version.minor) { return layout }
    guard let maps = try? memory.maps() else { return nil }
    let candidates = PythonImage.candidates(in: maps).filter {
      $0.first.map { $0.path.contains("_asyncio") || $0.path == runtime.path } ?? false
    }
    for mappings in candidates {
      let image = PythonImage(mappings: mappings, memory: memory)
      for address in image.addresses(ofSection: ".AsyncioDebug") {
        let numbers = objects.words((0..<13).map { address &+ $0 * 8 }).compactMap { $0 }
        if let layout = PythonTaskLayout(numbers) { return layout }
      }
    }
    return nil
  }

  /// All tasks of all event loops, from live memory: of one instant only while nothing runs.
  ///
  /// Left out are tasks that are not of asyncio's own C type, since nothing is known of their
  /// layout. Costs some ten reads, one more for each thousand tasks and coroutines, and from 3.14
  /// on one more for each task.
  package func tasks(
    _ layout: PythonTaskLayout, from memory: some TargetMemory
  ) -> PythonTaskList {
    let objects = PythonObjects(runtime: runtime, memory: memory)
    var list = PythonTaskList()
    let records: [PythonTaskRecord]
    let chains: [PythonCoroutineChain]
    let awaiters: [UInt64: [UInt64]]
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
    for (index, record) in records.enumerated() {
      list.tasks.append(
        PythonTask(
          record, chains[index], name: names[index], awaitedBy: awaiters[record.address] ?? []))
    }
    return list
  }
}

extension PythonTask {
  fileprivate init(
    _ record: PythonTaskRecord, _ chain: PythonCoroutineChain, name: String, awaitedBy: [UInt64]
  ) {
    address = RemoteAddress(record.address)
    self.name = name
    thread = record.thread
    switch chain.state {
    case _ where record.isCurrent: state = .running
    case .executing: state = .entered
    case .created: state = .created
    case .suspended, .awaiting, .cleared, nil: state = .suspended
    }
    frames = state == .running || state == .entered ? [] : chain.frames.reversed()
    self.awaitedBy = awaitedBy.map { RemoteAddress($0) }
  }
}
