internal import LinuxProcess
internal import ProfileModel

/// Who waits for whom in 3.12 and 3.13, where a task knows only what it waits for itself.
///
/// Told are a task that awaits another, `gather`, `wait`, `shield` and a `TaskGroup` that waits for its
/// tasks: there the waiting task leads to the others. Of `as_completed` nothing is said.
struct PythonTaskWaits<Memory: TargetMemory> {
  let objects: PythonObjects<Memory>
  let modules: [PythonTaskModule]

  /// By task: the tasks that wait for it.
  func awaiters(
    _ records: [PythonTaskRecord], _ chains: [PythonCoroutineChain]
  ) -> [UInt64: [UInt64]] {
    let known = Set(records.map(\.address))
    let gatherings = Set(modules.compactMap(\.gatheringType))
    let types = objects.words(records.map { $0.waiter &+ 8 })
    let shielded = shielded(by: records.map(\.waiter), known)
    var result: [UInt64: [UInt64]] = [:]
    var budget = PythonTaskLayout.waitLimit
    for (index, record) in records.enumerated() where record.waiter != 0 && !record.isCurrent {
      var children: [UInt64] = []
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
      var seen: Set<UInt64> = []
      for child in children where known.contains(child) && seen.insert(child).inserted {
        result[child, default: []].append(record.address)
      }
    }
    return result
  }

  /// By the future that `shield` has given: the task that it waits for, which is a variable of the
  /// function that the future calls first when it is done.
  private func shielded(by futures: [UInt64], _ known: Set<UInt64>) -> [UInt64: UInt64] {
    let functions = Set(modules.compactMap(\.functionType))
    guard !functions.isEmpty, let field = objects.runtime.layout[.codeQualifiedName] else {
      return [:]
    }
    let futures = futures.filter { $0 != 0 && !known.contains($0) }
    // `fut_callback0`.
    let callbacks = zip(futures, objects.words(futures.map { $0 &+ 24 })).compactMap {
      future, callback in callback.flatMap { $0 == 0 ? nil : (future: future, function: $0) }
    }
    let calls = zip(callbacks, objects.words(callbacks.map { $0.function &+ 8 })).compactMap {
      call, type in type.flatMap { functions.contains($0) ? call : nil }
    }
    // PyFunctionObject: func_code, func_closure.
    let codes = objects.words(calls.map { $0.function &+ 48 })
    let closures = objects.words(calls.map { $0.function &+ 72 })
    let names = objects.words(codes.map { ($0 ?? 0) &+ UInt64(field) })
    let texts = objects.strings(Array(Set(names.compactMap { $0 })))
    var result: [UInt64: UInt64] = [:]
    for (index, call) in calls.enumerated() {
      guard let name = names[index], let closure = closures[index],
        texts[name] == "shield.<locals>._outer_done_callback"
      else { continue }
      result[call.future] = variables(ofClosure: closure).first { known.contains($0) }
    }
    return result
  }

  /// The variables that a function has of the one around it.
  private func variables(ofClosure closure: UInt64) -> [UInt64] {
    let field = UInt64(objects.runtime.layout[.tupleItems] ?? 24)
    guard let count = objects.word(closure &+ 16), count <= Self.variableLimit else { return [] }
    let cells = objects.words((0..<count).map { closure &+ field &+ $0 &* 8 })
    // PyCellObject.ob_ref.
    return objects.words(cells.map { ($0 ?? 0) &+ 16 }).compactMap { $0 }
  }

  private static var variableLimit: UInt64 { 16 }

  /// The tasks that a task waits for in a function of asyncio, whose first local variable is `local`.
  private func children(
    _ record: PythonTaskRecord, in function: RuntimeFunction, self local: UInt64,
    budget: inout Int
  ) -> [UInt64] {
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
