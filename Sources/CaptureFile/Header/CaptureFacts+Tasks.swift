internal import ProfileModel

/// The tasks of a process, as facts of a capture, in parts that follow each other.
extension CaptureFacts {
  struct Tasks: Codable {
    var pid: Int32
    var cut: Bool?
    var torn, moved: [Int32]?
    var stacks: [[Line]]?
    var list: [Task]?

    enum CodingKeys: String, CodingKey {
      case pid, cut, stacks, list
      case torn = "torn_tids"
      case moved = "moved_tids"
    }
  }

  struct Line: Codable {
    var function: String
    var file: String?
    var line: Int?
  }

  struct Task: Codable {
    var name: String
    var address: UInt64
    var tid: Int32?
    var state: String
    var stack: Int?
    var awaitedBy: [Int]?

    enum CodingKeys: String, CodingKey {
      case name, address, tid, state, stack
      case awaitedBy = "awaited_by"
    }
  }
}

extension CaptureFacts.Tasks {
  /// More tasks and processes than sprof writes; the rest is left out.
  private static let taskLimit = 1 << 17
  private static let processLimit = 1 << 12

  /// Tasks and stacks of no more than 500 each.
  static func parts(of tasks: AsyncTasks) -> [Self] {
    var first = Self(pid: tasks.pid)
    first.cut = tasks.isCut ? true : nil
    first.torn = tasks.tornThreads.isEmpty ? nil : tasks.tornThreads.sorted()
    first.moved = tasks.movedThreads.isEmpty ? nil : tasks.movedThreads.sorted()
    var parts = [first]
    for some in tasks.stacks.inParts(of: 500) {
      var part = Self(pid: tasks.pid)
      part.stacks = some.map { stack in
        stack.map { CaptureFacts.Line(function: $0.function, file: $0.file, line: $0.line) }
      }
      parts.append(part)
    }
    for some in tasks.tasks.inParts(of: 500) {
      var part = Self(pid: tasks.pid)
      part.list = some.map { CaptureFacts.Task($0) }
      parts.append(part)
    }
    return parts
  }

  /// Adds the part to those read before it.
  func add(to all: inout [AsyncTasks]) {
    let known = all.firstIndex { $0.pid == pid }
    guard known != nil || all.count < Self.processLimit else { return }
    if known == nil { all.append(AsyncTasks(pid: pid)) }
    let place = known ?? all.count - 1
    if cut == true { all[place].isCut = true }
    all[place].tornThreads.formUnion((torn ?? []).prefix(Self.taskLimit))
    all[place].movedThreads.formUnion((moved ?? []).prefix(Self.taskLimit))
    let stacks = (stacks ?? []).map { stack in
      stack.map {
        SourceLine(function: $0.function, file: $0.file, line: max(0, $0.line ?? 0))
      }
    }
    all[place].stacks += stacks
    all[place].tasks += (list ?? []).prefix(Self.taskLimit - all[place].tasks.count).map(\.task)
  }
}

extension AsyncTasks {
  /// The tasks without references to missing stacks and tasks.
  var withoutLooseEnds: AsyncTasks {
    var result = self
    result.tasks = tasks.map { task in
      AsyncTask(
        address: task.address, name: task.name, tid: task.tid, state: task.state,
        stack: task.stack.flatMap { stacks.indices.contains($0) ? $0 : nil },
        awaitedBy: task.awaitedBy.filter(tasks.indices.contains))
    }
    return result
  }
}

extension CaptureFacts.Task {
  fileprivate init(_ task: AsyncTask) {
    name = task.name
    address = task.address.rawValue
    tid = task.tid
    state = task.state.rawValue
    stack = task.stack
    awaitedBy = task.awaitedBy.isEmpty ? nil : task.awaitedBy
  }

  /// The task; a state that this version does not know becomes `suspended`.
  fileprivate var task: AsyncTask {
    AsyncTask(
      address: RemoteAddress(address), name: name, tid: tid,
      state: AsyncTask.State(rawValue: state) ?? .suspended, stack: stack,
      awaitedBy: awaitedBy ?? [])
  }
}
