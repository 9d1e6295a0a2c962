package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

/// What it takes to follow tasks to those that await them, found once and outside of all stops.
struct PythonTaskPlaces: Sendable {
  let layout: PythonTaskLayout
  /// `_asyncio.Task` of each interpreter.
  let taskTypes: Set<RemoteAddress>
  /// Before 3.14: `_asyncio.Future` of each.
  let futureTypes: Set<RemoteAddress>
  /// `types.CoroutineType`, `GeneratorType` and `AsyncGeneratorType`.
  let coroutineTypes: Set<RemoteAddress>
  let types: Types
  /// Before 3.14, by interpreter: the dictionary of the tasks that run, by event loop.
  let current: [RemoteAddress: RemoteAddress]
  /// Before 3.14, by type: what instances of `TaskGroup` have; one of each interpreter.
  let groups: [RemoteAddress: Group]
  /// Whether there is nothing left to be found.
  let isWhole: Bool

  /// Types of the interpreter's own, which are static.
  struct Types: Sendable {
    let string: RemoteAddress
    let set: RemoteAddress
    let method: RemoteAddress
    let builtin: RemoteAddress
    let function: RemoteAddress
  }

  /// `TaskGroup` (asyncio/taskgroups.py).
  struct Group: Sendable {
    /// The function that the group has called when a task ends.
    let whenDone: RemoteAddress
    /// Where among the values of an instance the task is that the group belongs to.
    let parent: Int
    /// Where behind an instance its values begin; nil in 3.12, where they are apart.
    let values: Int?
  }
}

extension PythonReader {
  package func followTasks(in memory: ProcessMemory) -> RuntimeTaskFollowing {
    guard knowsTasks else {
      return .impossible(
        .unknownTasks(library: "asyncio", title: runtime.title, known: PythonTaskLayout.versions))
    }
    if taskPlaces?.isWhole ?? false { return .complete }
    let objects = PythonObjects(runtime: runtime, memory: memory)
    let isLoaded = interpreters.contains {
      !objects.contents(of: [PythonTaskLayout.module], in: $0).isEmpty
    }
    guard isLoaded else { return .incomplete }
    noteAsyncio(isLoaded: true)
    guard findTasks(in: memory), let layout = taskLayout else { return .incomplete }
    taskPlaces = objects.taskPlaces(layout, interpreters) ?? taskPlaces
    return taskPlaces?.isWhole ?? false ? .complete : .incomplete
  }
}

extension PythonObjects {
  /// What `asyncio` of all interpreters has.
  private struct Modules {
    var taskTypes: Set<RemoteAddress> = []
    var futureTypes: Set<RemoteAddress> = []
    var current: [RemoteAddress: RemoteAddress] = [:]
    var groups: [RemoteAddress: PythonTaskPlaces.Group] = [:]
  }

  fileprivate func taskPlaces(
    _ layout: PythonTaskLayout, _ interpreters: [PythonInterpreter]
  ) -> PythonTaskPlaces? {
    var modules = Modules()
    for interpreter in interpreters { add(interpreter, layout, to: &modules) }
    guard !modules.taskTypes.isEmpty, let first = interpreters.first,
      let (types, coroutineTypes) = ownTypes(of: first)
    else { return nil }
    return PythonTaskPlaces(
      layout: layout, taskTypes: modules.taskTypes, futureTypes: modules.futureTypes,
      coroutineTypes: coroutineTypes, types: types, current: modules.current,
      groups: modules.groups, isWhole: modules.groups.count == modules.current.count)
  }

  private func add(
    _ interpreter: PythonInterpreter, _ layout: PythonTaskLayout, to modules: inout Modules
  ) {
    let contents = contents(
      of: [PythonTaskLayout.module, "asyncio.taskgroups"], in: interpreter)
    guard let tasks = contents[PythonTaskLayout.module] else { return }
    let found = values(of: ["_CTask", "_current_tasks"], inDictionary: tasks)
    guard let type = found["_CTask"] else { return }
    if case .sets(let members) = layout.origin {
      guard hasInstances(type, ofSize: members.size) else { return }
      if let base = reference(type + shape.typeBase) { modules.futureTypes.insert(base) }
      modules.current[interpreter.address] = found["_current_tasks"]
      if let (type, group) = contents["asyncio.taskgroups"].flatMap({ taskGroup(in: $0) }) {
        modules.groups[type] = group
      }
    }
    modules.taskTypes.insert(type)
  }

  /// The interpreter's own types, and those of coroutines.
  private func ownTypes(
    of interpreter: PythonInterpreter
  ) -> (PythonTaskPlaces.Types, coroutines: Set<RemoteAddress>)? {
    let contents = contents(of: ["builtins", "types"], in: interpreter)
    guard let builtins = contents["builtins"], let types = contents["types"] else { return nil }
    let plain = values(of: ["str", "set"], inDictionary: builtins)
    let others = values(
      of: [
        "CoroutineType", "GeneratorType", "AsyncGeneratorType", "MethodType", "FunctionType",
        "BuiltinFunctionType",
      ], inDictionary: types)
    guard let string = plain["str"], let set = plain["set"], let method = others["MethodType"],
      let builtin = others["BuiltinFunctionType"], let function = others["FunctionType"],
      let coroutine = others["CoroutineType"]
    else { return nil }
    let coroutines = [coroutine, others["GeneratorType"], others["AsyncGeneratorType"]]
    return (
      PythonTaskPlaces.Types(
        string: string, set: set, method: method, builtin: builtin, function: function),
      Set(coroutines.compactMap { $0 })
    )
  }

  /// The type `TaskGroup` of a module, and where its instances keep their task.
  ///
  /// Nil before the first instance was made: only then it is known where its members will be.
  private func taskGroup(
    in module: RemoteAddress
  ) -> (type: RemoteAddress, PythonTaskPlaces.Group)? {
    guard let type = values(of: ["TaskGroup"], inDictionary: module)["TaskGroup"],
      let field = runtime.layout[.typeCachedKeys], let keys = pointer(type + field),
      let parent = position(of: "_parent_task", inKeys: keys), parent < 1 << 8,
      let content = pointer(type + shape.typeDictionary),
      let size = word(type + shape.typeBasicSize), size < 1 << 20,
      let flags = word(type + shape.typeFlags),
      let whenDone = values(of: ["_on_task_done"], inDictionary: content)["_on_task_done"]
    else { return nil }
    var values: Int?
    if case .inline = shape.instances.values {
      guard flags & PythonInstanceShape.inlineValuesFlag != 0 else { return nil }
      values = Int(size)
    }
    return (type, PythonTaskPlaces.Group(whenDone: whenDone, parent: parent, values: values))
  }
}
