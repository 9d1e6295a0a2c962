internal import ProfileModel

/// Makes a tree of blame: divides the time of threads among those who held them up.
struct BlameBuilder {
  /// How many waits behind each other are followed.
  private static let depthLimit = 16
  /// Steps and nodes for all threads together; what is beyond is not divided further.
  private static let stepLimit = 4_000_000
  private static let nodeLimit = 200_000

  struct Node {
    let kind: BlameTree.Kind
    let place: Int?
    let parent: Int?
    var own: Int64 = 0
  }

  private struct Edge: Hashable {
    let parent: Int
    let kind: BlameTree.Kind
    let place: Int?
  }

  /// What a thread did, and where in the chain that is.
  private struct Position {
    let node: Int
    let thread: Int
    /// The threads that wait behind each other up to here, the root first.
    let chain: [Int]
    /// What the one before waits for: index into `waits`.
    var awaited: Int?
  }

  private(set) var nodes: [Node] = []
  private(set) var roots: [(thread: Int, node: Int)] = []
  var places: [BlameTree.Place] { stacks.places }
  var waits: [Wait] { numbering.waits }
  private let index: ProfileIndex
  private let owned: OwnedWaits
  private let owners: BlamedOwners
  private var rests: RunWaits
  private var stacks: BlamedStacks
  private var locks: StackLocks
  private var numbering = BlamedWaits()
  private var known: [Edge: Int] = [:]
  private var steps = 0

  init(_ diagnosis: Diagnosis) {
    index = diagnosis.index
    owned = OwnedWaits(index.profile)
    owners = BlamedOwners(diagnosis)
    rests = RunWaits(diagnosis)
    stacks = BlamedStacks(index)
    locks = StackLocks(index, owned)
  }

  /// Adds a thread and all of its wall time.
  mutating func addRoot(_ thread: Int) {
    let root = nodes.count
    nodes.append(Node(kind: .thread(thread), place: nil, parent: nil))
    roots.append((thread, root))
    for position in 0..<index.runCount(of: thread) {
      let run = index.run(position, of: thread)
      let time = run.time
      guard time.start < time.end else { continue }
      charge(
        run, from: time.start, until: time.end,
        to: Position(node: root, thread: thread, chain: [thread]))
    }
  }

  // MARK: - One run

  private mutating func charge(_ run: Run, from: Int64, until: Int64, to position: Position) {
    steps += 1
    let time = until - from
    switch run.activity {
    case .running: add(time, .computed, stacks.place(of: run.stack), below: position.node)
    case .waitingForCPU: add(time, .runnable, stacks.place(of: run.stack), below: position.node)
    case .stopped: add(time, .stopped, nil, below: position.node)
    case .unknown: add(time, .unknown, nil, below: position.node)
    case .blocked, .uninterruptible:
      let (wait, place) = stacks.wait(of: run)
      let parts = owned.parts(
        of: run.time, thread: position.thread, from: from, until: until, like: wait)
      let isAtRest = position.chain.count == 1 && rests.finding(of: run)?.isAtRest ?? false
      for part in parts {
        steps += 1
        var found = part.wait.map { stacks.interpreted($0, of: run) } ?? wait
        // The stack tells a reader from a writer.
        switch found.kind {
        case .writeLock, .readLock, .futex: found.kind = wait.kind
        default: break
        }
        found = locks.named(found, of: position.thread, in: run.stack)
        let number = numbering.number(of: found)
        guard number != position.awaited || !found.isForRuntimeLock else {
          // Who held it when it was asked had it no more, or not yet.
          let above = nodes[position.node].parent ?? position.node
          add(part.end - part.start, .ownerUnknown, nil, below: above)
          continue
        }
        let node = child(.wait(number), place, of: position.node)
        // One that has nothing to do loses nothing.
        if isAtRest {
          add(part.end - part.start, below: node)
          continue
        }
        charge(
          found, part,
          to: Position(
            node: node, thread: position.thread, chain: position.chain, awaited: number))
      }
    }
  }

  /// Charges a part of a wait, whose node the position is, to who held it up.
  private mutating func charge(_ wait: Wait, _ part: OwnedWaits.Part, to position: Position) {
    let time = part.end - part.start
    switch owners.owner(of: wait, thread: position.thread, at: part.start) {
    case .none: add(time, below: position.node)
    case .notKnown: add(time, .ownerUnknown, nil, below: position.node)
    case .readers(let count): add(time, .readers(count), nil, below: position.node)
    case .ended(let tid): add(time, .endedThread(tid), nil, below: position.node)
    case .process(let pid, let name):
      add(time, .process(pid: pid, name: name), nil, below: position.node)
    case .anyOf(let owners): add(time, .anyOf(owners), nil, below: position.node)
    case .threads(let threads):
      for share in share(part, among: threads) { follow(share.thread, share.time, position) }
    }
  }

  /// Charges a time to what an owner did in it.
  private mutating func follow(_ owner: Int, _ time: ClosedTime, _ position: Position) {
    let length = time.end - time.start
    let node = child(.thread(owner), nil, of: position.node)
    if position.chain.contains(owner) {
      let isDeadlock = owners.areInCycle(owner, position.thread)
      return add(length, .cycle(isDeadlock: isDeadlock), nil, below: node)
    }
    guard position.chain.count < Self.depthLimit, steps < Self.stepLimit,
      nodes.count < Self.nodeLimit
    else { return add(length, .limit, nil, below: node) }
    let position = Position(
      node: node, thread: owner, chain: position.chain + [owner], awaited: position.awaited)
    var moment = time.start
    for (run, part) in runs(of: owner, in: time) {
      if part.start > moment { add(part.start - moment, .notSampled, nil, below: node) }
      charge(run, from: part.start, until: part.end, to: position)
      moment = part.end
    }
    if moment < time.end { add(time.end - moment, .notSampled, nil, below: node) }
  }

  /// The runs of a thread in a time, cut to it, without overlaps.
  private mutating func runs(of thread: Int, in time: ClosedTime) -> [(Run, ClosedTime)] {
    let count = index.runCount(of: thread)
    var place = firstPlace(of: thread, from: time.start)
    var result: [(Run, ClosedTime)] = []
    var last: Run?
    while place < count, steps < Self.stepLimit {
      steps += 1
      let run = index.run(place, of: thread)
      place += 1
      guard run.start < time.end else { break }
      // A second sample in one tick stands for no time.
      guard run.weight.wall > 0 else { continue }
      if let last { add(last, within: time, until: run.start, to: &result) }
      last = run
    }
    if let last { add(last, within: time, until: .max, to: &result) }
    return result
  }

  /// The last run of a thread that has begun by then and stands for time, or its first.
  private func firstPlace(of thread: Int, from time: Int64) -> Int {
    let places = 0..<index.runCount(of: thread)
    var place = places.partitioningIndex { [index] in index.run($0, of: thread).start > time } - 1
    while place > 0, index.run(place, of: thread).weight.wall <= 0 { place -= 1 }
    return max(0, place)
  }

  /// Adds the part of a run that is in a time, behind the runs before it.
  private func add(
    _ run: Run, within time: ClosedTime, until end: Int64, to runs: inout [(Run, ClosedTime)]
  ) {
    let start = max(time.start, run.start, runs.last?.1.end ?? .min)
    let end = min(run.time.end, end, time.end)
    if start < end { runs.append((run, ClosedTime(start: start, end: end))) }
  }

  /// Divides a time among the threads of a process, any of which may have been the one: at each
  /// moment the first that was not asleep, else the first of all.
  private mutating func share(
    _ part: OwnedWaits.Part, among threads: [Int]
  ) -> [(thread: Int, time: ClosedTime)] {
    let whole = ClosedTime(start: part.start, end: part.end)
    guard threads.count > 1 else { return threads.map { ($0, whole) } }
    var result: [(thread: Int, time: ClosedTime)] = []
    var open = [whole]
    for thread in owners.byDemand(threads).prefix(8) {
      var rest: [ClosedTime] = []
      for time in open {
        var moment = time.start
        for (run, part) in runs(of: thread, in: time) where run.activity.isRunnable {
          if moment < part.start { rest.append(ClosedTime(start: moment, end: part.start)) }
          result.append((thread, part))
          moment = part.end
        }
        if moment < time.end { rest.append(ClosedTime(start: moment, end: time.end)) }
      }
      open = rest
    }
    return result + open.map { (threads[0], $0) }
  }

  // MARK: - Nodes

  private mutating func add(_ time: Int64, below node: Int) {
    nodes[node].own = nodes[node].own.addingClamped(time)
  }

  private mutating func add(
    _ time: Int64, _ kind: BlameTree.Kind, _ place: Int?, below parent: Int
  ) {
    add(time, below: child(kind, place, of: parent))
  }

  private mutating func child(_ kind: BlameTree.Kind, _ place: Int?, of parent: Int) -> Int {
    let edge = Edge(parent: parent, kind: kind, place: place)
    if let node = known[edge] { return node }
    known[edge] = nodes.count
    nodes.append(Node(kind: kind, place: place, parent: parent))
    return nodes.count - 1
  }
}

extension Run {
  /// From when until when it lasted; empty for a sample that stands for no time.
  var time: ClosedTime {
    let (end, overflow) = start.addingReportingOverflow(max(0, weight.wall))
    return ClosedTime(start: start, end: overflow ? .max : end)
  }
}
