internal import ProfileModel

extension JSONWriter {
  /// The tasks of a process.
  mutating func members(of tasks: AsyncTasks) {
    member("pid", tasks.pid)
    member("cut", tasks.isCut)
    array("torn_tids", of: tasks.tornThreads.sorted()) { $0.value($1) }
    array("moved_tids", of: tasks.movedThreads.sorted()) { $0.value($1) }
    array("stacks", of: tasks.stacks) { json, stack in
      json.array { json in
        for line in stack {
          json.object { json in
            json.member("function", line.function)
            json.member("file", line.file)
            json.member("line", line.line > 0 ? line.line : nil)
          }
        }
      }
    }
    array("tasks", of: tasks.tasks) { json, task in
      json.object { json in
        json.member("name", task.name)
        json.member("address", task.address.description)
        json.member("tid", task.tid)
        json.member("state", task.state.rawValue)
        json.member("stack", task.stack)
        json.array("awaited_by", of: task.awaitedBy) { $0.value($1) }
      }
    }
  }
}
