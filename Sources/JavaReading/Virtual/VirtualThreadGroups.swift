internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Puts virtual threads together that do the same in the same stack.
struct VirtualThreadGroups {
  /// How many of a group are kept by their number.
  private static let memberLimit = 64
  /// More groups become one, without a stack.
  private static let groupLimit = 50_000
  /// The lines of all stacks together; later groups have no stack.
  private static let lineLimit = 1 << 22
  /// Names cost some reads each.
  private static let nameLimit = 1 << 12

  private struct Key: Hashable {
    let state: GoroutineGroup.State
    let reason: String?
    let kind: WaitKind?
    let flavor: LockFlavor.Trait?
    let type: String?
    /// Index into the stacks.
    let stack: Int?
  }

  fileprivate struct Group {
    var count = 0
    var wait: RuntimeWait?
    var isOneObject = true
    var isOneOwner = true
    var members: [(record: VirtualThreadRecord, carrier: Int32)] = []
    /// How many of these hold what others wait for; they are kept before the others.
    var ownerCount = 0
  }

  /// The numbers of those that hold what others wait for.
  let owners: Set<Int32>

  private var groups: [Key: Group] = [:]
  /// Each once, whether its functions were compiled or not.
  private var stacks: [[SourceLine]] = []
  private var stackOfLines: [[SourceLine]: Int] = [:]
  private var stackOfCalls: [[FrozenCall]: Int] = [:]
  private var lineCount = 0
  init(owners: Set<Int32>) { self.owners = owners }

  var isEmpty: Bool { groups.isEmpty }
  /// Whether the stacks of all that rest were read.
  var isSteady = true

  mutating func add(
    _ record: VirtualThreadRecord, calls: [FrozenCall], wait: RuntimeWait?, carrier: Int32?,
    _ walk: FrozenStackWalk
  ) {
    let state = record.groupState(isCarried: carrier != nil)
    let reason = state == .waiting ? record.stateName : nil
    var key = Key(
      state: state, reason: reason, kind: wait?.kind, flavor: wait?.flavor, type: wait?.type,
      stack: stack(of: calls, isEntering: reason == "BLOCKED", walk))
    if groups.count >= Self.groupLimit, groups[key] == nil {
      key = Key(state: state, reason: nil, kind: nil, flavor: nil, type: nil, stack: nil)
    }
    let isOwner = JavaLocks.virtualNumber(record.number).map(owners.contains) ?? false
    groups[key, default: Group()].add(
      record, wait, carrier, isOwner: isOwner, limit: Self.memberLimit)
  }

  private mutating func stack(
    of calls: [FrozenCall], isEntering: Bool, _ walk: FrozenStackWalk
  ) -> Int? {
    guard !calls.isEmpty else { return nil }
    if let known = stackOfCalls[calls] { return known }
    guard lineCount < Self.lineLimit, stackOfCalls.count < Self.groupLimit else { return nil }
    let lines = walk.lines(of: calls, isEntering: isEntering)
    guard !lines.isEmpty else { return nil }
    let place = stackOfLines[lines] ?? stacks.count
    if place == stacks.count {
      stacks.append(lines)
      stackOfLines[lines] = place
    }
    lineCount += lines.count + calls.count
    stackOfCalls[calls] = place
    return place
  }

  /// All groups with the names of their functions; `lasting` are the waits that were found twice.
  func list(
    _ lasting: [Int32: RuntimeWait], pid: Int32,
    name: (VirtualThreadRecord) -> String
  ) -> Goroutines {
    var result = Goroutines(pid: pid, isSteady: isSteady)
    result.kind = .virtualThread
    result.stacks = stacks
    var nameCount = 0
    let ordered = groups.sorted { left, right in
      (right.value.count, left.value.firstNumber) < (left.value.count, right.value.firstNumber)
    }
    for (key, value) in ordered {
      var group = GoroutineGroup(state: key.state, reason: key.reason, count: value.count)
      let members = value.members.sorted { $0.record.number < $1.record.number }
      group.ids = members.map(\.record.number)
      if members.contains(where: { $0.carrier != 0 }) { group.threads = members.map(\.carrier) }
      if nameCount < Self.nameLimit {
        let names = members.map { name($0.record) }
        nameCount += names.count
        if names.contains(where: { !$0.isEmpty }) { group.names = names }
      }
      group.stack = key.stack
      group.wait = value.wait(lasting)
      if value.isOneObject { group.object = value.wait?.object }
      result.groups.append(group)
    }
    return result
  }
}

extension VirtualThreadGroups.Group {
  fileprivate var firstNumber: UInt64 { members.first?.record.number ?? 0 }

  fileprivate mutating func add(
    _ record: VirtualThreadRecord, _ wait: RuntimeWait?, _ carrier: Int32?, isOwner: Bool,
    limit: Int
  ) {
    if count == 0 { self.wait = wait }
    if wait?.object != self.wait?.object { isOneObject = false }
    if wait?.owner != self.wait?.owner { isOneOwner = false }
    count += 1
    if isOwner, ownerCount < limit {
      members.insert((record, carrier ?? 0), at: ownerCount)
      ownerCount += 1
      if members.count > limit { members.removeLast() }
    } else if members.count < limit {
      members.append((record, carrier ?? 0))
    }
  }

  /// What they wait for, with the owner where it is the same for all, and was found twice.
  fileprivate func wait(_ lasting: [Int32: RuntimeWait]) -> Wait? {
    guard let wait else { return nil }
    let isKnown =
      isOneOwner && wait.owner != nil
      && members.allSatisfy { member in
        JavaLocks.virtualNumber(member.record.number).map { lasting[$0]?.owner == wait.owner }
          ?? false
      }
    return Wait(isKnown ? wait : wait.withoutOwner)
  }
}

extension VirtualThreadRecord {
  fileprivate func groupState(isCarried: Bool) -> GoroutineGroup.State {
    switch state {
    case .runnable: .runnable
    case .mounted: .running
    case .waiting: .waiting
    case .changing: isCarried ? .running : .other
    case .absent: .other
    }
  }
}
