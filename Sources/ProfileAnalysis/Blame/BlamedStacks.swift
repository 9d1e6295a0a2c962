internal import ProfileModel

/// What the stacks of a profile show for its tree of blame, each found once.
struct BlamedStacks {
  private struct Sleep: Hashable {
    let stack: StackID
    let activity: Activity
  }

  private let index: ProfileIndex
  private let owners: [ModuleOwner]
  private var facts: StackFacts
  private var running: [StackID: Int?] = [:]
  private var sleeping: [Sleep: (wait: Wait, place: Int?)] = [:]
  private var numbers: [BlameTree.Place: Int] = [:]
  private(set) var places: [BlameTree.Place] = []

  init(_ index: ProfileIndex) {
    self.index = index
    owners = index.profile.modules.map(\.owner)
    facts = StackFacts(index)
  }

  /// The function that ran: past those of the C library, of interpreters, and of standard libraries.
  mutating func place(of stack: StackID) -> Int? {
    if let known = running[stack] { return known }
    let frames = index.frames(of: stack).withoutWaitingTasks
    let own = frames.firstIndex {
      $0.isInterpreted || $0.line.isNamed && owners.owner(of: $0.module) == .program
    }
    let place = (own.map { owners.caller(of: $0, in: frames) } ?? owners.place(of: frames))
      .map { number(of: frames[$0]) }
    running[stack] = .some(place)
    return place
  }

  /// What a sleeping thread waits for, as far as its stack shows, and the function that asked for it.
  mutating func wait(of run: Run) -> (wait: Wait, place: Int?) {
    let sleep = Sleep(stack: run.stack, activity: run.activity)
    if let known = sleeping[sleep] { return known }
    let fact = facts.fact(of: run.stack, index)
    let wait = run.activity.wait(fact.parts.names) ?? Wait(kind: .unknown)
    let found = (wait: fact.parts.interpreted(wait), place: fact.place.map { number(of: $0) })
    sleeping[sleep] = found
    return found
  }

  /// What was looked up of a run's wait, in the terms of the function that asked for it.
  mutating func interpreted(_ wait: Wait, of run: Run) -> Wait {
    facts.fact(of: run.stack, index).parts.interpreted(wait)
  }

  private mutating func number(of frame: SourceFrame) -> Int {
    let place = BlameTree.Place(
      function: frame.line.function, file: frame.line.file, module: frame.module)
    if let known = numbers[place] { return known }
    numbers[place] = places.count
    places.append(place)
    return places.count - 1
  }
}

/// Numbers what threads wait for, whoever holds it.
struct BlamedWaits {
  private struct Key: Hashable {
    let kind: WaitKind
    let systemCall: String?
    let object: RemoteAddress?
    let descriptors: [Int32]
    let names: [String]
  }

  private(set) var waits: [Wait] = []
  private var numbers: [Key: Int] = [:]

  mutating func number(of wait: Wait) -> Int {
    let isLock = wait.object != nil
    let key = Key(
      kind: wait.kind, systemCall: isLock || wait.kind == .gil ? nil : wait.systemCall,
      object: wait.lastingAddress, descriptors: wait.descriptors.map(\.number),
      names: wait.descriptors.map(\.name) + (wait.isMoved ? [wait.object?.variable ?? ""] : []))
    if let known = numbers[key] { return known }
    numbers[key] = waits.count
    var plain = wait
    plain.owners = []
    for place in plain.descriptors.indices { plain.descriptors[place].peers = [] }
    plain.timeLeft = nil
    plain.isTimed = false
    waits.append(plain)
    return waits.count - 1
  }
}

extension Wait {
  /// Whether a collector moves the lock about in memory.
  fileprivate var isMoved: Bool { object?.flavor?.has(.java) ?? false }

  /// Where the lock is in all samples; nil also for the GIL, of which some samples know no more than that it
  /// is waited for.
  fileprivate var lastingAddress: RemoteAddress? {
    kind == .gil || isMoved ? nil : object?.address
  }
}
