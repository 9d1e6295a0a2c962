package import LinuxProcess
internal import ProfileModel

/// What it takes to follow tasks to those that await them, found once and outside of all stops.
struct PythonTaskPlaces: Sendable {
  let layout: PythonTaskLayout
  /// `_asyncio.Task` of each interpreter.
  let taskTypes: Set<UInt64>
  /// Before 3.14: `_asyncio.Future` of each.
  let futureTypes: Set<UInt64>
  /// `types.CoroutineType`, `GeneratorType` and `AsyncGeneratorType`.
  let coroutineTypes: Set<UInt64>
  let types: Types
  /// Before 3.14, by interpreter: the dictionary of the tasks that run, by event loop.
  let current: [RemoteAddress: UInt64]
  /// Before 3.14, by type: what instances of `TaskGroup` have; one of each interpreter.
  let groups: [UInt64: Group]
  /// Whether there is nothing left to be found.
  let isWhole: Bool

  /// Types of the interpreter's own, which are static.
  struct Types: Sendable {
    let string: UInt64
    let set: UInt64
    let method: UInt64
    let builtin: UInt64
    let function: UInt64
  }

  /// `TaskGroup` (asyncio/taskgroups.py).
  struct Group: Sendable {
    /// The function that the group has called when a task ends.
    let whenDone: UInt64
    /// Where among the values of an instance the task is that the group belongs to.
    let parent: Int
    /// Where behind an instance its values begin; nil in 3.12, where they lie apart.
    let values: UInt64?
  }
}

extension PythonReader {
  /// Looks for what the chains of awaiting tasks are read with, unless it is known; stops nothing.
  ///
  /// From then on stacks have the tasks in them that wait for the one that runs. Returns false while
  /// there may be more to be found, such as before the program has loaded asyncio.
  @discardableResult
  package func followTasks(in memory: ProcessMemory) -> Bool {
    if taskPlaces?.isWhole ?? false { return true }
    let objects = PythonObjects(runtime: runtime, memory: memory)
    let isLoaded = interpreters.contains {
      !objects.contents(of: [PythonTaskLayout.module], in: $0).isEmpty
    }
    guard isLoaded else { return false }
    noteAsyncio(isLoaded: true)
    guard let layout = findTasks(in: memory) else { return false }
    taskPlaces = objects.taskPlaces(layout, interpreters) ?? taskPlaces
    return taskPlaces?.isWhole ?? false
  }

  /// Whether the version tells which tasks wait for others.
  package var knowsTasks: Bool { runtime.version.minor >= 12 }
}

extension PythonObjects {
  fileprivate func taskPlaces(
    _ layout: PythonTaskLayout, _ interpreters: [PythonInterpreter]
  ) -> PythonTaskPlaces? {
    var taskTypes: Set<UInt64> = []
    var futureTypes: Set<UInt64> = []
    var current: [RemoteAddress: UInt64] = [:]
    var groups: [UInt64: PythonTaskPlaces.Group] = [:]
    for interpreter in interpreters {
      let modules = contents(
        of: [PythonTaskLayout.module, "asyncio.taskgroups"], in: interpreter)
      guard let tasks = modules[PythonTaskLayout.module] else { continue }
      let found = values(of: ["_CTask", "_current_tasks"], inDictionary: tasks)
      guard let type = found["_CTask"] else { continue }
      if case .sets(let members) = layout.origin {
        // Of another size it is another structure.
        guard word(type &+ 32) == members.size else { continue }
        // tp_base.
        if let base = word(type &+ 256), base != 0 { futureTypes.insert(base) }
        current[interpreter.address] = found["_current_tasks"]
        if let (type, group) = modules["asyncio.taskgroups"].flatMap({ taskGroup(in: $0) }) {
          groups[type] = group
        }
      }
      taskTypes.insert(type)
    }
    guard !taskTypes.isEmpty, let first = interpreters.first else { return nil }
    let own = contents(of: ["builtins", "types"], in: first)
    guard
      let plain = own["builtins"].map({ values(of: ["str", "set"], inDictionary: $0) }),
      let others = own["types"].map({
        values(
          of: [
            "CoroutineType", "GeneratorType", "AsyncGeneratorType", "MethodType", "FunctionType",
            "BuiltinFunctionType",
          ], inDictionary: $0)
      }), let string = plain["str"], let set = plain["set"], let method = others["MethodType"],
      let builtin = others["BuiltinFunctionType"], let function = others["FunctionType"],
      let coroutine = others["CoroutineType"]
    else { return nil }
    let coroutines = [coroutine, others["GeneratorType"], others["AsyncGeneratorType"]]
    return PythonTaskPlaces(
      layout: layout, taskTypes: taskTypes, futureTypes: futureTypes,
      coroutineTypes: Set(coroutines.compactMap { $0 }),
      types: .init(string: string, set: set, method: method, builtin: builtin, function: function),
      current: current, groups: groups, isWhole: groups.count == current.count)
  }

  /// The type `TaskGroup` of a module, and where its instances keep their task.
  ///
  /// Nil before the first instance was made: only then it is known where its members will lie.
  private func taskGroup(in module: UInt64) -> (type: UInt64, PythonTaskPlaces.Group)? {
    guard let type = values(of: ["TaskGroup"], inDictionary: module)["TaskGroup"],
      let field = runtime.layout[.typeCachedKeys], let keys = word(type &+ UInt64(field)),
      let parent = position(of: "_parent_task", inKeys: keys), parent < 1 << 8,
      // tp_dict, tp_basicsize and tp_flags.
      let content = word(type &+ 264), let size = word(type &+ 32), size < 1 << 20,
      let flags = word(type &+ 168),
      let whenDone = values(of: ["_on_task_done"], inDictionary: content)["_on_task_done"]
    else { return nil }
    let isInline = runtime.version.minor >= 13
    // Py_TPFLAGS_INLINE_VALUES.
    guard !isInline || flags & 1 << 2 != 0 else { return nil }
    return (
      type,
      PythonTaskPlaces.Group(whenDone: whenDone, parent: parent, values: isInline ? size : nil)
    )
  }
}
