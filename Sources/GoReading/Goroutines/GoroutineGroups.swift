internal import LinuxProcess
internal import ProfileModel

/// Puts goroutines together that do the same in the same stack.
struct GoroutineGroups {
  /// A second: what has waited longer is a long wait.
  fileprivate static let longWait: Int64 = 1_000_000_000
  /// How many of a group are kept by their number.
  fileprivate static let memberLimit = 64
  /// More groups become one, without a stack.
  private static let groupLimit = 50_000
  /// The lines of all stacks together; later groups have no stack.
  private static let lineLimit = 1 << 22

  /// One goroutine.
  struct Entry {
    fileprivate let status: UInt32
    fileprivate let number: UInt64
    fileprivate let calls: [UInt64]
    fileprivate let creator: UInt64
    let isOfRuntime: Bool
    var reason: String?
    var waited: Int64 = 0
    /// The same, as far as it is beyond doubt.
    var longWait: Int64 = 0
    var object: UInt64?
    var thread: Int32?

    init(_ record: GoRecord, _ walk: GoStackWalk?, _ code: GoCode) {
      status = record.status
      number = record.number
      calls = walk?.calls ?? []
      creator = record.creatorPC
      let start = code.place(record.startPC).function?.name ?? ""
      // As the runtime decides it (`isSystemGoroutine`).
      isOfRuntime =
        start.hasPrefix("runtime.")
        && !["runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"].contains(start)
    }

    /// What the stack says of a wait that the version has no words for.
    func likelyReason(_ code: GoCode) -> String? {
      guard status == GoRecord.waiting else { return nil }
      for call in calls.prefix(6) {
        switch code.place(call).function?.name {
        case "runtime.chanrecv": return "chan receive"
        case "runtime.chansend": return "chan send"
        case "runtime.selectgo": return "select"
        case "runtime.netpollblock": return "IO wait"
        case "time.Sleep": return "sleep"
        case "runtime.semacquire1": return "semacquire"
        case "sync.runtime_notifyListWait": return "sync.Cond.Wait"
        default: continue
        }
      }
      return nil
    }
  }

  private struct Key: Hashable {
    let status: UInt32
    let reason: String?
    let isOfRuntime: Bool
    let creator: UInt64
    let isMain: Bool
    let calls: [UInt64]
  }

  fileprivate struct Group {
    var group: GoroutineGroup
    var isOneObject = true
    /// The lowest numbers come first in the list, mostly.
    var members: [(number: UInt64, thread: Int32)] = []
  }

  private var groups: [Key: Group] = [:]

  mutating func add(_ entry: Entry) {
    var key = Key(
      status: entry.status, reason: entry.reason, isOfRuntime: entry.isOfRuntime,
      creator: entry.creator, isMain: entry.number == 1, calls: entry.calls)
    if groups.count >= Self.groupLimit, groups[key] == nil {
      key = Key(
        status: entry.status, reason: entry.reason, isOfRuntime: entry.isOfRuntime, creator: 0,
        isMain: false, calls: [])
    }
    groups[key, default: Group(group: GoroutineGroup(state: .other))].add(entry)
  }

  /// All groups, with the names of their functions.
  func goroutines(_ code: GoCode, pid: Int32) -> Goroutines {
    var result = Goroutines(pid: pid)
    var stacks: [[UInt64]: Int] = [:]
    var lineCount = 0
    let ordered = groups.sorted { left, right in
      (right.value.group.count, left.value.members.first?.number ?? 0)
        < (left.value.group.count, right.value.members.first?.number ?? 0)
    }
    for (key, value) in ordered {
      var group = value.group
      group.state = Self.state(key.status)
      group.reason = key.reason
      group.isOfRuntime = key.isOfRuntime
      let members = value.members.sorted { $0.number < $1.number }
      group.ids = members.map(\.number)
      if members.contains(where: { $0.thread != 0 }) { group.threads = members.map(\.thread) }
      if !value.isOneObject { group.object = nil }
      if key.creator != 0, !key.isMain { group.creator = code.lines(at: key.creator &- 1).last }
      if !key.calls.isEmpty {
        if stacks[key.calls] == nil, lineCount < Self.lineLimit {
          stacks[key.calls] = stacks.count
          result.stacks.append(key.calls.flatMap { code.lines(at: $0) })
          lineCount += result.stacks.last?.count ?? 0
        }
        group.stack = stacks[key.calls]
      }
      if let place = group.stack, let word = group.object {
        group.object = GoLock.address(waitedAt: word, in: result.stacks[place])
      }
      result.groups.append(group)
    }
    return result
  }

  private static func state(_ status: UInt32) -> GoroutineGroup.State {
    switch status {
    case GoRecord.runnable: .runnable
    case GoRecord.running: .running
    case GoRecord.inSystemCall: .systemCall
    // 10 is one that the collector found to wait for ever.
    case GoRecord.waiting, 10: .waiting
    default: .other
    }
  }
}

extension GoroutineGroups.Group {
  fileprivate mutating func add(_ entry: GoroutineGroups.Entry) {
    if group.count == 0 {
      group.object = entry.object.map { RemoteAddress($0) }
      group.waited = entry.waited
    } else {
      if let object = entry.object {
        if let known = group.object, known.rawValue != object { isOneObject = false }
        group.object = group.object ?? RemoteAddress(object)
      }
      group.waited = min(group.waited, entry.waited)
    }
    group.count += 1
    group.longestWait = max(group.longestWait, entry.waited)
    if entry.longWait >= GoroutineGroups.longWait { group.longWaiters += 1 }
    if members.count < GoroutineGroups.memberLimit {
      members.append((entry.number, entry.thread ?? 0))
    }
  }
}
