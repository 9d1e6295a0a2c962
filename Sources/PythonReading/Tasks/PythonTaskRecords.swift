internal import LinuxProcess
internal import ProfileModel

/// What the structure of one task says.
struct PythonTaskRecord {
  let address: UInt64
  let thread: RemoteAddress?
  /// Whether its thread runs it now.
  let isCurrent: Bool
  let coroutine: UInt64
  let name: UInt64
  /// Before 3.14: the future that it awaits; 0 for none.
  var waiter: UInt64 = 0
  /// From 3.14 on: a task, or a set of tasks; 0 for none.
  var awaitedBy: UInt64 = 0
  var awaitedByIsSet = false
}

extension PythonTaskLayout {
  /// More tasks are not followed.
  static let limit = 1 << 16
  /// Places that are read of all sets and lists of tasks that wait; more are torn, or lead to the same
  /// one from each task.
  static let waitLimit = 16 * limit
  /// Where Python's part of the tasks lies.
  static let module = "asyncio.tasks"
}

/// What `asyncio.tasks` of one interpreter holds before 3.14.
struct PythonTaskModule {
  let interpreter: RemoteAddress
  /// `_asyncio.Task` and `_GatheringFuture`.
  let taskType: UInt64
  let gatheringType: UInt64?
  /// `types.FunctionType`.
  let functionType: UInt64?
  /// The tasks that were scheduled, by weak references, and those that have run eagerly so far.
  let scheduled: UInt64
  let eager: UInt64?
  /// By event loop: the task that it runs.
  let current: UInt64?
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
    let size = Int(fields.max() ?? 0) + 8
    let copies = copies(
      places.map { MemoryRange(start: RemoteAddress($0.address), count: size) })
    return places.compactMap { place in
      guard let name = copies.value(at: place.address &+ layout.name, as: UInt64.self),
        let coroutine = copies.value(at: place.address &+ layout.coroutine, as: UInt64.self),
        let awaitedBy = copies.value(at: place.address &+ lists.awaitedBy, as: UInt64.self),
        let isSet = copies.value(at: place.address &+ lists.awaitedByIsSet, as: UInt8.self)
      else { return nil }
      return PythonTaskRecord(
        address: place.address, thread: place.thread, isCurrent: place.isCurrent,
        coroutine: coroutine, name: name, awaitedBy: awaitedBy, awaitedByIsSet: isSet != 0)
    }
  }

  /// A task on a list.
  private struct TaskPlace {
    let address: UInt64
    let thread: RemoteAddress?
    let isCurrent: Bool
  }

  private func places(
    _ lists: PythonTaskLayout.Lists, threads: [PythonThread], interpreters: [PythonInterpreter]
  ) -> [TaskPlace] {
    var places: [TaskPlace] = []
    var seen: Set<UInt64> = []
    func addList(_ head: UInt64, thread: RemoteAddress?) {
      let running = thread.flatMap { word($0.rawValue &+ lists.threadRunning) }
      // `struct llist_node { next, prev }`; the head is an element of the ring.
      var node = word(head)
      while let current = node, current != 0, current != head,
        places.count < PythonTaskLayout.limit
      {
        let address = current &- lists.node
        guard seen.insert(address).inserted else { break }
        places.append(
          TaskPlace(address: address, thread: thread, isCurrent: address == running))
        node = word(current)
      }
      // A task that runs its first or last step may be on no list.
      if let running, running != 0, seen.insert(running).inserted {
        places.append(TaskPlace(address: running, thread: thread, isCurrent: true))
      }
    }
    for thread in threads {
      addList(thread.state.rawValue &+ lists.threadHead, thread: thread.state)
    }
    for interpreter in interpreters {
      addList(interpreter.address.rawValue &+ lists.interpreterHead, thread: nil)
    }
    return places
  }

  /// By task: the tasks that it knows to wait for it.
  func awaiters(of records: [PythonTaskRecord]) -> [UInt64: [UInt64]] {
    var result: [UInt64: [UInt64]] = [:]
    var budget = PythonTaskLayout.waitLimit
    for record in records where record.awaitedBy != 0 {
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
      functionType: found["shield"].flatMap { word($0 &+ 8) },
      scheduled: scheduled, eager: found["_eager_tasks"], current: found["_current_tasks"])
  }

  /// The tasks in the sets of an interpreter that have not ended.
  func records(
    _ layout: PythonTaskLayout, _ members: PythonTaskLayout.Members, _ module: PythonTaskModule,
    threads: [PythonThread]
  ) -> [PythonTaskRecord] {
    // Of another size it is another structure.
    guard word(module.taskType &+ 32) == members.size else { return [] }
    let current = Set(module.current.map { entries(ofDictionary: $0).map(\.value) } ?? [])
    let data = attributes(["data"], of: module.scheduled)["data"]
    let references = data.map { elements(ofSet: $0) } ?? []
    // PyWeakReference.wr_object; None when the task is gone.
    let scheduled = words(references.map { $0 &+ 16 }).compactMap { $0 }
    let eager = module.eager.map { elements(ofSet: $0) } ?? []
    var seen: Set<UInt64> = []
    let all = (scheduled + eager + current.sorted()).filter { seen.insert($0).inserted }
      .prefix(PythonTaskLayout.limit)
    let copies = copies(
      all.map { MemoryRange(start: RemoteAddress($0), count: Int(members.size)) })
    var isTask: [UInt64: Bool] = [:]
    let loops = runningLoops(of: threads.filter { $0.interpreter == module.interpreter })
    return all.compactMap { address in
      func word(_ offset: UInt64) -> UInt64 {
        copies.value(at: address &+ offset, as: UInt64.self) ?? 0
      }
      let type = word(8)
      let isKnown = isTask[type] ?? isType(type, derivedFrom: module.taskType)
      isTask[type] = isKnown
      // PENDING is 0, then CANCELLED and FINISHED.
      guard isKnown, copies.value(at: address &+ members.state, as: Int32.self) == 0 else {
        return nil
      }
      return PythonTaskRecord(
        address: address, thread: loops[word(members.loop)], isCurrent: current.contains(address),
        coroutine: word(layout.coroutine), name: word(layout.name), waiter: word(members.waiter))
    }
  }

  /// By event loop, of whatever kind: the thread that runs it.
  private func runningLoops(of threads: [PythonThread]) -> [UInt64: RemoteAddress] {
    var loops: [UInt64?] = []
    if let field = runtime.layout[.threadRunningLoop] {
      loops = words(threads.map { $0.state.rawValue &+ UInt64(field) })
    } else if let field = runtime.layout[.threadDictionary] {
      let name = "__asyncio_running_event_loop__"
      loops = words(threads.map { $0.state.rawValue &+ UInt64(field) }).map { dictionary in
        dictionary.flatMap { $0 == 0 ? nil : values(of: [name], inDictionary: $0)[name] }
      }
    }
    var result: [UInt64: RemoteAddress] = [:]
    for (thread, loop) in zip(threads, loops) {
      if let loop, loop != 0 { result[loop] = thread.state }
    }
    return result
  }

  // MARK: - Names

  /// Strings, or the numbers of tasks that nobody asked for their names yet.
  func names(of objects: [UInt64]) -> [String] {
    let types = words(objects.map { $0 &+ 8 })
    var flags: [UInt64: UInt64] = [:]
    for case let type? in Set(types) { flags[type] = word(type &+ 168) }
    // Py_TPFLAGS_UNICODE_SUBCLASS and Py_TPFLAGS_LONG_SUBCLASS.
    func objectsWithFlag(_ bit: UInt64) -> [UInt64] {
      zip(objects, types).filter { $1.flatMap { flags[$0] }.map { $0 >> bit & 1 == 1 } ?? false }
        .map(\.0)
    }
    let texts = strings(objectsWithFlag(28))
    let numbers = integers(objectsWithFlag(24))
    return objects.map { texts[$0] ?? numbers[$0].map { "Task-\($0)" } ?? "Task" }
  }
}
