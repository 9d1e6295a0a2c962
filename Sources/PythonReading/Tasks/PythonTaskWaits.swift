internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Who waits for whom in 3.12 and 3.13, where a task knows only what it waits for itself.
///
/// Shown are a task that awaits another, `gather`, `wait`, `shield` and a `TaskGroup` that waits for its
/// tasks: there the waiting task leads to the others. Of `as_completed` nothing is said.
struct PythonTaskWaits<Memory: TargetMemory> {
  let objects: PythonObjects<Memory>
  let modules: [PythonTaskModule]

  /// By task: the tasks that wait for it.
  func awaiters(
    _ records: [PythonTaskRecord], _ chains: [PythonCoroutineChain]
  ) -> [RemoteAddress: [RemoteAddress]] {
    let known = Set(records.map(\.address))
    let gatherings = Set(modules.compactMap(\.gatheringType))
    let types = objects.pointers(records.map { $0.waiter + objects.shape.type })
    let shielded = shielded(by: records.map(\.waiter), known)
    var result: [RemoteAddress: [RemoteAddress]] = [:]
    var budget = PythonTaskLayout.waitLimit
    for (index, record) in records.enumerated() where !record.waiter.isNull && !record.isCurrent {
      var children: [RemoteAddress] = []
      if known.contains(record.waiter) {
        children = [record.waiter]
      } else if let task = shielded[record.waiter] {
        children = [task]
      } else if let type = types[index], gatherings.contains(type) {
        let list = objects.attributes(["_children"], of: record.waiter)["_children"]
        children = list.map { objects.elements(ofList: $0, budget: &budget) } ?? []
      } else if let last = chains[index].frames.last?.function {
        let local = chains[index].firstLocal
        children = self.children(record, in: last, self: local, budget: &budget)
      }
      var seen: Set<RemoteAddress> = []
      for child in children where known.contains(child) && seen.insert(child).inserted {
        result[child, default: []].append(record.address)
      }
    }
    return result
  }

  /// By the future that `shield` has given: the task that it waits for, which is a variable of the
  /// function that the future calls first when it is done.
  private func shielded(
    by futures: [RemoteAddress], _ known: Set<RemoteAddress>
  ) -> [RemoteAddress: RemoteAddress] {
    let functions = Set(modules.compactMap(\.functionType))
    let layout = objects.runtime.layout
    guard !functions.isEmpty, let nameField = layout[.codeQualifiedName],
      let codeField = layout[.functionCode], let closureField = layout[.functionClosure]
    else { return [:] }
    let calls = callbacks(of: futures.filter { !$0.isNull && !known.contains($0) }, functions)
    let codes = objects.pointers(calls.map { $0.function + codeField })
    let closures = objects.pointers(calls.map { $0.function + closureField })
    let names = objects.pointers(codes.map { ($0 ?? .null) + nameField })
    let texts = objects.strings(Array(Set(names.compactMap { $0 })))
    var result: [RemoteAddress: RemoteAddress] = [:]
    for (index, call) in calls.enumerated() {
      guard let name = names[index], let closure = closures[index],
        texts[name] == "shield.<locals>._outer_done_callback"
      else { continue }
      result[call.future] = variables(ofClosure: closure).first { known.contains($0) }
    }
    return result
  }

  /// The functions, of one of these types, that futures call first when they are done.
  private func callbacks(
    of futures: [RemoteAddress], _ types: Set<RemoteAddress>
  ) -> [(future: RemoteAddress, function: RemoteAddress)] {
    guard let field = objects.runtime.layout[.futureCallback] else { return [] }
    let callbacks = zip(futures, objects.pointers(futures.map { $0 + field })).compactMap {
      future, callback in callback.flatMap { $0.isNull ? nil : (future: future, function: $0) }
    }
    let found = objects.pointers(callbacks.map { $0.function + objects.shape.type })
    return zip(callbacks, found).compactMap { call, type in
      type.flatMap { types.contains($0) ? call : nil }
    }
  }

  /// The variables that a function has of the one around it.
  private func variables(ofClosure closure: RemoteAddress) -> [RemoteAddress] {
    let shape = objects.shape
    guard let count = objects.word(closure + shape.count), count <= Self.variableLimit else {
      return []
    }
    let places = (0..<Int(count)).map {
      closure + shape.tupleItems + $0 * PythonObjectShape.wordSize
    }
    let cells = objects.pointers(places)
    return objects.pointers(cells.map { ($0 ?? .null) + shape.cellContent }).compactMap { $0 }
  }

  private static var variableLimit: UInt64 { 16 }

  /// The tasks that a task waits for in a function of asyncio, whose first local variable is `local`.
  private func children(
    _ record: PythonTaskRecord, in function: RuntimeFunction, self local: RemoteAddress,
    budget: inout Int
  ) -> [RemoteAddress] {
    if function.name == "_wait", function.file.hasSuffix("asyncio/tasks.py") {
      return objects.elements(ofSet: local, budget: &budget)
    }
    guard ["TaskGroup.__aexit__", "TaskGroup._aexit"].contains(function.name),
      function.file.hasSuffix("asyncio/taskgroups.py")
    else { return [] }
    let group = objects.attributes(["_tasks", "_parent_task"], of: local)
    guard group["_parent_task"] == record.address, let tasks = group["_tasks"] else { return [] }
    return objects.elements(ofSet: tasks, budget: &budget)
  }
}
