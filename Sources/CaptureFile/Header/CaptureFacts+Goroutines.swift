internal import ProfileModel

/// The goroutines of a process, or its virtual threads, as facts of a capture, in parts that follow each other.
extension CaptureFacts {
  struct GoroutineList: Codable {
    var pid: Int32
    /// Missing for goroutines.
    var kind: String?
    var version: String?
    var steady, cut, untracked: Bool?
    var stacks: [[Line]]?
    var groups: [GoroutinesAlike]?
  }

  struct GoroutinesAlike: Codable {
    var state: String
    var count: Int
    var reason: String?
    var stack: Int?
    var creator: Line?
    var ids: [UInt64]?
    var names: [String]?
    var wait: Awaited?
    var tids: [Int32]?
    var runtime: Bool?
    var object: UInt64?
    var waited, longest: Int64?
    var long: Int?

    enum CodingKeys: String, CodingKey {
      case state, count, reason, stack, ids, names, wait, tids, object
      case creator = "created_by"
      case runtime = "of_runtime"
      case waited = "waited_ns"
      case longest = "longest_wait_ns"
      case long = "long_waiters"
    }
  }
}

extension CaptureFacts.GoroutineList {
  /// More than sprof writes; the rest is left out.
  private static let groupLimit = 1 << 16
  private static let memberLimit = 64
  private static let processLimit = 1 << 12

  /// Stacks and groups of no more than 500 each.
  static func parts(of list: Goroutines) -> [Self] {
    let kind = list.kind == .goroutine ? nil : list.kind.rawValue
    var first = Self(pid: list.pid, kind: kind)
    first.version = list.version
    first.steady = list.isSteady ? true : nil
    first.cut = list.isCut ? true : nil
    first.untracked = list.isUntracked ? true : nil
    var parts = [first]
    for some in list.stacks.inParts(of: 500) {
      var part = Self(pid: list.pid, kind: kind)
      part.stacks = some.map { $0.map { CaptureFacts.Line($0) } }
      parts.append(part)
    }
    for some in list.groups.inParts(of: 500) {
      var part = Self(pid: list.pid, kind: kind)
      part.groups = some.map { CaptureFacts.GoroutinesAlike($0) }
      parts.append(part)
    }
    return parts
  }

  /// Adds the part to those read before it.
  func add(to all: inout [Goroutines]) {
    // One of a kind that this version does not know is left out.
    guard let kind = kind.map({ Goroutines.Kind(rawValue: $0) }) ?? .goroutine else { return }
    let known = all.firstIndex { $0.pid == pid && $0.kind == kind }
    guard known != nil || all.count < Self.processLimit else { return }
    if known == nil { all.append(Goroutines(pid: pid)) }
    let place = known ?? all.count - 1
    all[place].kind = kind
    let language: SourceLanguage? = kind == .virtualThread ? .java : nil
    if untracked == true { all[place].isUntracked = true }
    if let version { all[place].version = version }
    if steady == true { all[place].isSteady = true }
    if cut == true { all[place].isCut = true }
    let room = max(0, Self.groupLimit - all[place].stacks.count)
    all[place].stacks += (stacks ?? []).prefix(room).map { stack in
      stack.map { $0.sourceLine(language) }
    }
    let free = max(0, Self.groupLimit - all[place].groups.count)
    all[place].groups += (groups ?? []).prefix(free).map { $0.group(Self.memberLimit) }
  }
}

extension CaptureFacts.Line {
  fileprivate init(_ line: SourceLine) {
    self.init(function: line.function, file: line.file, line: line.line)
  }

  fileprivate func sourceLine(_ language: SourceLanguage? = nil) -> SourceLine {
    SourceLine(function: function, file: file, line: max(0, line ?? 0), language: language)
  }
}

extension Goroutines {
  /// The goroutines without references to missing stacks.
  var withoutLooseEnds: Goroutines {
    var result = self
    for index in groups.indices {
      if let stack = groups[index].stack, !stacks.indices.contains(stack) {
        result.groups[index].stack = nil
      }
    }
    return result
  }
}

extension CaptureFacts.GoroutinesAlike {
  fileprivate init(_ group: GoroutineGroup) {
    state = group.state.rawValue
    count = group.count
    reason = group.reason
    stack = group.stack
    creator = group.creator.map { CaptureFacts.Line($0) }
    ids = group.ids.isEmpty ? nil : group.ids
    names = group.names.isEmpty ? nil : group.names
    wait = group.wait.map { CaptureFacts.Awaited($0) }
    tids = group.threads.isEmpty ? nil : group.threads
    runtime = group.isOfRuntime ? true : nil
    object = group.object?.rawValue
    waited = group.waited > 0 ? group.waited : nil
    longest = group.longestWait > 0 ? group.longestWait : nil
    long = group.longWaiters > 0 ? group.longWaiters : nil
  }

  /// The group; a state that this version does not know becomes `other`.
  fileprivate func group(_ limit: Int) -> GoroutineGroup {
    var group = GoroutineGroup(
      state: GoroutineGroup.State(rawValue: state) ?? .other, reason: reason, stack: stack,
      creator: creator?.sourceLine(), count: max(0, min(count, 1 << 40)),
      ids: Array((ids ?? []).prefix(limit)), isOfRuntime: runtime ?? false,
      object: object.map { RemoteAddress($0) }, waited: max(0, waited ?? 0),
      longestWait: max(0, longest ?? 0), longWaiters: max(0, min(long ?? 0, 1 << 40)),
      threads: Array((tids ?? []).prefix(limit)))
    group.names = Array((names ?? []).prefix(limit))
    group.wait = wait?.wait
    return group
  }
}
