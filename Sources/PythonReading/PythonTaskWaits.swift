internal import LinuxProcess
internal import ProfileModel

/// Who waits for whom in 3.12 and 3.13, where a task knows only what it waits for itself.
///
/// Told are a task that awaits another, `gather`, `wait` and a `TaskGroup` that waits for its
/// tasks: there the waiting task leads to the others. Of `shield` and `as_completed` nothing is
/// said.
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
    var result: [UInt64: [UInt64]] = [:]
    var budget = PythonTaskLayout.waitLimit
    for (index, record) in records.enumerated() where record.waiter != 0 && !record.isCurrent {
      var children: [UInt64] = []
      if known.contains(record.waiter) {
        children = [record.waiter]
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
