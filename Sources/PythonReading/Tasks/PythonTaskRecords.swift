internal import LinuxProcess
internal import ProfileModel

/// What the structure of one task says.
struct PythonTaskRecord {
  let address: RemoteAddress
  let thread: RemoteAddress?
  /// Whether its thread runs it now.
  let isCurrent: Bool
  let coroutine: RemoteAddress
  let name: RemoteAddress
  /// Before 3.14: the future that it awaits; null for none.
  var waiter = RemoteAddress.null
  /// From 3.14 on: a task, or a set of tasks; null for none.
  var awaitedBy = RemoteAddress.null
  var awaitedByIsSet = false
}

extension PythonTaskLayout {
  /// More tasks are not followed.
  static let limit = 1 << 16
  /// Places that are read of all sets and lists of tasks that wait; more are torn, or lead to the same
  /// one from each task.
  static let waitLimit = 16 * limit
}

/// What `asyncio.tasks` of one interpreter holds before 3.14.
struct PythonTaskModule {
  let interpreter: RemoteAddress
  /// `_asyncio.Task` and `_GatheringFuture`.
  let taskType: RemoteAddress
  let gatheringType: RemoteAddress?
  /// `types.FunctionType`.
  let functionType: RemoteAddress?
  /// The tasks that were scheduled, by weak references, and those that have run eagerly so far.
  let scheduled: RemoteAddress
  let eager: RemoteAddress?
  /// By event loop: the task that it runs.
  let current: RemoteAddress?
}

extension PythonObjects {
  // MARK: - From 3.14 on

  /// The tasks on the lists of threads and interpreters.
  func records(
    _ layout: PythonTaskLayout, _ lists: PythonTaskLayout.Lists, threads: [PythonThread],
    interpreters: [PythonInterpreter]
  ) -> [PythonTaskRecord] {
    let places = places(lists, threads: threads, interpreters: interpreters)
    let fields = [layout.name, layout.coroutine, lists.awaitedBy, lists.awaitedByIsSet]
    let size = (fields.max() ?? 0) + PythonObjectShape.wordSize
    let copies = copies(
      places.map { MemoryRange(start: $0.address, count: size) })
    return places.compactMap { place in
      guard let name = copies.pointer(at: place.address + layout.name),
        let coroutine = copies.pointer(at: place.address + layout.coroutine),
        let awaitedBy = copies.pointer(at: place.address + lists.awaitedBy),
        let isSet = copies.value(at: place.address + lists.awaitedByIsSet, as: UInt8.self)
      else { return nil }
      return PythonTaskRecord(
        address: place.address, thread: place.thread, isCurrent: place.isCurrent,
        coroutine: coroutine, name: name, awaitedBy: awaitedBy, awaitedByIsSet: isSet != 0)
    }
  }

  /// A task on a list.
  private struct TaskPlace {
    let address: RemoteAddress
    let thread: RemoteAddress?
    let isCurrent: Bool
  }

  private func places(
    _ lists: PythonTaskLayout.Lists, threads: [PythonThread], interpreters: [PythonInterpreter]
  ) -> [TaskPlace] {
    var places: [TaskPlace] = []
    var seen: Set<RemoteAddress> = []
    func addList(_ head: RemoteAddress, thread: RemoteAddress?) {
      let running = thread.flatMap { reference($0 + lists.threadRunning) }
      // `struct llist_node { next, prev }`; the last one leads back to the head.
      var node = reference(head)
      while let current = node, current != head,
        places.count < PythonTaskLayout.limit
      {
        let address = current - lists.node
        guard seen.insert(address).inserted else { break }
        places.append(
          TaskPlace(address: address, thread: thread, isCurrent: address == running))
        node = reference(current)
      }
      // A task that runs its first or last step may be on no list.
      if let running, seen.insert(running).inserted {
        places.append(TaskPlace(address: running, thread: thread, isCurrent: true))
      }
    }
    for thread in threads {
      addList(thread.state + lists.threadHead, thread: thread.state)
    }
    for interpreter in interpreters {
      addList(interpreter.address + lists.interpreterHead, thread: nil)
    }
    return places
  }

  /// By task: the tasks that it knows to wait for it.
  func awaiters(of records: [PythonTaskRecord]) -> [RemoteAddress: [RemoteAddress]] {
    var result: [RemoteAddress: [RemoteAddress]] = [:]
    var budget = PythonTaskLayout.waitLimit
    for record in records where !record.awaitedBy.isNull {
      result[record.address] =
        record.awaitedByIsSet
        ? elements(ofSet: record.awaitedBy, budget: &budget) : [record.awaitedBy]
    }
    return result
  }

  // MARK: - 3.12 and 3.13

  /// Nil where asyncio is not loaded, or runs without its C module.
  func taskModule(of interpreter: PythonInterpreter) -> PythonTaskModule? {
    guard
      let content = contents(of: [PythonTaskLayout.module], in: interpreter)[
        PythonTaskLayout.module]
    else { return nil }
    let found = values(
      of: [
        "_CTask", "_GatheringFuture", "_scheduled_tasks", "_eager_tasks", "_current_tasks",
        "shield",
      ],
      inDictionary: content)
    guard let type = found["_CTask"], let scheduled = found["_scheduled_tasks"] else { return nil }
    return PythonTaskModule(
      interpreter: interpreter.address, taskType: type, gatheringType: found["_GatheringFuture"],
      functionType: found["shield"].flatMap { self.type(of: $0) },
      scheduled: scheduled, eager: found["_eager_tasks"], current: found["_current_tasks"])
  }

  /// Whether a type's instances have a size; of another one it is another structure.
  func hasInstances(_ type: RemoteAddress, ofSize size: Int) -> Bool {
    word(type + shape.typeBasicSize) == UInt64(size)
  }

  /// The tasks in the sets of an interpreter that have not ended.
  func records(
    _ layout: PythonTaskLayout, _ members: PythonTaskLayout.Members, _ module: PythonTaskModule,
    threads: [PythonThread]
  ) -> [PythonTaskRecord] {
    guard hasInstances(module.taskType, ofSize: members.size) else { return [] }
    let current = Set(module.current.map { entries(ofDictionary: $0).map(\.value) } ?? [])
    let data = attributes(["data"], of: module.scheduled)["data"]
    let references = data.map { elements(ofSet: $0) } ?? []
    // None when the task is gone.
    let scheduled = pointers(references.map { $0 + shape.weakReferenceObject }).compactMap { $0 }
    let eager = module.eager.map { elements(ofSet: $0) } ?? []
    var seen: Set<RemoteAddress> = []
    let all = (scheduled + eager + current.sorted()).filter { seen.insert($0).inserted }
      .prefix(PythonTaskLayout.limit)
    let copies = copies(
      all.map { MemoryRange(start: $0, count: members.size) })
    var isTask: [RemoteAddress: Bool] = [:]
    let loops = runningLoops(of: threads.filter { $0.interpreter == module.interpreter })
    return all.compactMap { address in
      func pointer(_ offset: Int) -> RemoteAddress {
        copies.pointer(at: address + offset) ?? .null
      }
      let type = pointer(shape.type)
      let isKnown = isTask[type] ?? isType(type, derivedFrom: module.taskType)
      isTask[type] = isKnown
      guard isKnown,
        copies.value(at: address + members.state, as: Int32.self)
          == PythonTaskLayout.Members.pending
      else { return nil }
      return PythonTaskRecord(
        address: address, thread: loops[pointer(members.loop)],
        isCurrent: current.contains(address),
        coroutine: pointer(layout.coroutine), name: pointer(layout.name),
        waiter: pointer(members.waiter))
    }
  }

  /// By event loop, of whatever kind: the thread that runs it.
  private func runningLoops(of threads: [PythonThread]) -> [RemoteAddress: RemoteAddress] {
    var loops: [RemoteAddress?] = []
    if let field = runtime.layout[.threadRunningLoop] {
      loops = pointers(threads.map { $0.state + field })
    } else if let field = runtime.layout[.threadDictionary] {
      let name = "__asyncio_running_event_loop__"
      loops = pointers(threads.map { $0.state + field }).map { dictionary in
        dictionary.flatMap { $0.isNull ? nil : values(of: [name], inDictionary: $0)[name] }
      }
    }
    var result: [RemoteAddress: RemoteAddress] = [:]
    for (thread, loop) in zip(threads, loops) {
      if let loop, !loop.isNull { result[loop] = thread.state }
    }
    return result
  }

  // MARK: - Names

  /// Strings, or the numbers of tasks that nobody asked for their names yet.
  func names(of objects: [RemoteAddress]) -> [String] {
    let types = pointers(objects.map { $0 + shape.type })
    var flags: [RemoteAddress: UInt64] = [:]
    for case let type? in Set(types) { flags[type] = word(type + shape.typeFlags) }
    func withFlag(_ flag: UInt64) -> [RemoteAddress] {
      zip(objects, types).filter { $1.flatMap { flags[$0] }.map { $0 & flag != 0 } ?? false }
        .map(\.0)
    }
    let texts = strings(withFlag(PythonInstanceShape.stringFlag))
    let numbers = integers(withFlag(PythonInstanceShape.integerFlag))
    return objects.map { texts[$0] ?? numbers[$0].map { "Task-\($0)" } ?? "Task" }
  }
}
