package import ProfileModel

/// Who waits for whom at the end of a capture: threads and processes as nodes, and from each
/// sleeping thread an edge to all who could end its wait.
///
/// Costs one step for each thread and edge.
package struct WaitGraph: Sendable {
  /// A thread, or another process as a whole, any of whose threads may act.
  package struct Node: Sendable {
    package let pid: Int32
    /// Nil for a process as a whole.
    package let tid: Int32?
    /// Of the thread, or of the process as a whole; empty where it is not known.
    package fileprivate(set) var name: String
    package fileprivate(set) var processName: String
    /// Index into `profile.threads`; nil for what does not belong to the program.
    package fileprivate(set) var thread: Int?
    /// Index into `profile.blockings` of its wait at the end; nil when it does not wait, or its
    /// wait was not looked up.
    package fileprivate(set) var blocking: Int?
    /// Whether it has exited, so that it will never do anything.
    package fileprivate(set) var isDead: Bool
    /// How many threads a process has that was not sampled, but looked into; nil for others.
    package fileprivate(set) var threadCount: Int?
    /// Whether all who could act for it are known: those who can end its wait, or for a process its
    /// threads.
    fileprivate(set) var isComplete: Bool
  }

  /// Why a thread waits for another.
  package enum Reason: Hashable, Sendable {
    /// It holds the lock, is the thread that is joined, and so on.
    case owner
    /// It holds the other end of this descriptor of the waiting thread.
    case descriptor(Int32)
    /// From a process to one of its threads.
    case member
  }

  /// That a node waits for another; both are indexes into `nodes`.
  package struct Edge: Hashable, Sendable {
    package let from: Int
    package let to: Int
    package let reason: Reason
  }

  /// The threads of the program, and all that they wait for.
  package private(set) var nodes: [Node] = []
  package private(set) var edges: [Edge] = []
  /// By node: the indexes into `edges` of those that leave it.
  private(set) var edgesFrom: [[Int]] = []
  /// The cycles of threads that wait for each other, the main thread's first, then the larger.
  package internal(set) var cycles: [Cycle] = []
  /// By node: whether nothing can ever end its wait, time limits aside.
  package internal(set) var isStuck: [Bool] = []
  /// The program's own process.
  let pid: Int32
  let blockings: [Blocking]
  private var threadNodes: [ThreadKey: Int] = [:]
  private var processNodes: [Int32: Int] = [:]
  /// The processes all of whose threads were sampled.
  private(set) var ownProcesses: Set<Int32> = []
  /// By process: a signal that it handles and that comes by itself.
  let wakingSignals: [Int32: Int32]
  let selfWaits: [SelfWait: Int64]

  private struct ThreadKey: Hashable {
    let pid: Int32
    let tid: Int32
  }

  /// The graph of a profile's waits.
  package init(_ index: ProfileIndex) {
    pid = index.profile.capture.pid
    ownProcesses = [pid]
    blockings = index.profile.blockings
    wakingSignals = blockings.reduce(into: [:]) { signals, blocking in
      if let signal = blocking.waiter.wakingSignal { signals[blocking.waiter.pid] = signal }
    }
    selfWaits = SelfWait.ends(blockings)
    addThreads(of: index)
    let waiting = nodes.indices.filter { nodes[$0].blocking != nil }
    for node in waiting { addEdges(ofThread: node) }
    addMembers()
    edgesFrom = Array(repeating: [], count: nodes.count)
    for (number, edge) in edges.enumerated() { edgesFrom[edge.from].append(number) }
    findCycles()
  }

  /// The wait of a node; nil when it does not wait, or its wait was not looked up.
  package func blocking(of node: Int) -> Blocking? { nodes[node].blocking.map { blockings[$0] } }

  /// The node of one of the profile's own threads.
  package func node(of thread: ThreadInfo) -> Int? {
    threadNodes[ThreadKey(pid: thread.pid(in: pid), tid: thread.tid)]
  }

  /// The nodes that `node` waits for.
  package func successors(of node: Int) -> [Int] { edgesFrom[node].map { edges[$0].to } }

  /// How many threads wait for `node`, directly or behind others; not counting itself.
  package func waiters(behind node: Int, where isCounted: (Int) -> Bool) -> Int {
    // Any thread of a process may act for it: one that waits for the process waits for none of
    // many.
    let reached = reaching([node]) { edge in
      switch edge.reason {
      case .member: edgesFrom[edge.from].count == 1
      // A server waits for any of its clients, and so for none.
      case .descriptor: !isServing(edge.from)
      case .owner: true
      }
    }
    return reached.enumerated().count { other, reaches in
      reaches && other != node && nodes[other].tid != nil && isCounted(other)
    }
  }
}

// MARK: - Nodes

extension WaitGraph {
  private mutating func addThreads(of index: ProfileIndex) {
    let profile = index.profile
    for (thread, info) in profile.threads.enumerated() where !info.hasEnded {
      // A reused number belongs to the thread that came last.
      let process = info.process?.name ?? profile.capture.processName
      let node = self.thread(info.pid(in: pid), info.tid, info.name, process)
      ownProcesses.insert(nodes[node].pid)
      nodes[node].thread = thread
      nodes[node].name = info.name
    }
    var latest: [ThreadKey: Int] = [:]
    for (number, blocking) in blockings.enumerated() {
      let key = ThreadKey(pid: blocking.waiter.pid, tid: blocking.waiter.tid)
      if let known = latest[key], blockings[known].lastSeen > blocking.lastSeen { continue }
      latest[key] = number
    }
    for (number, blocking) in blockings.enumerated() {
      let waiter = blocking.waiter
      guard latest[ThreadKey(pid: waiter.pid, tid: waiter.tid)] == number else { continue }
      let node = self.thread(waiter.pid, waiter.tid, waiter.name, waiter.processName)
      let isLast = nodes[node].thread.map { blocking.isLast(of: $0, index) }
      guard isLast ?? (waiter.isVirtual || !ownProcesses.contains(waiter.pid)) else { continue }
      nodes[node].blocking = number
    }
  }

  private mutating func thread(
    _ pid: Int32, _ tid: Int32, _ name: String, _ process: String
  ) -> Int {
    let key = ThreadKey(pid: pid, tid: tid)
    if let known = threadNodes[key] { return known }
    threadNodes[key] = nodes.count
    nodes.append(
      Node(pid: pid, tid: tid, name: name, processName: process, isDead: false, isComplete: false))
    return nodes.count - 1
  }

  private mutating func process(_ pid: Int32, _ name: String) -> Int {
    if let known = processNodes[pid] { return known }
    processNodes[pid] = nodes.count
    nodes.append(
      Node(pid: pid, tid: nil, name: name, processName: name, isDead: false, isComplete: false))
    return nodes.count - 1
  }
}

extension Blocking {
  /// Whether the thread still sleeps in this wait at the end of the capture, as far as is known.
  fileprivate func isLast(of thread: Int, _ index: ProfileIndex) -> Bool {
    // The samples of a dump may be later than the look-up of its waits.
    guard index.profile.capture.kind != .dump, let last = index.lastRun(of: thread) else {
      return true
    }
    switch last.activity {
    // What it waits for may have been looked up after the last tick, which met it awake for a moment.
    case .running, .waitingForCPU: return lastSeen > index.profile.threads[thread].lastSeen
    case .blocked, .uninterruptible, .stopped, .unknown: return last.start <= lastSeen
    }
  }
}

// MARK: - Edges

extension WaitGraph {
  private mutating func addEdges(ofThread node: Int) {
    guard let blocking = blocking(of: node) else { return }
    let wait = blocking.wait
    var isComplete = wait.endsOnlyByOthers
    var seen: Set<Edge> = []
    func add(_ owner: WaitOwner, _ reason: Reason, to graph: inout WaitGraph) {
      guard let target = graph.target(owner, of: node) else {
        isComplete = false
        return
      }
      // A signal handler of the thread's own process may write to its pipe (the self-pipe trick).
      if graph.nodes[target].tid == nil && graph.nodes[target].pid == blocking.waiter.pid {
        isComplete = false
      }
      let edge = Edge(from: node, to: target, reason: reason)
      if seen.insert(edge).inserted { graph.edges.append(edge) }
    }
    for owner in wait.owners { add(owner, .owner, to: &self) }
    for descriptor in wait.descriptors {
      for peer in descriptor.peers { add(peer, .descriptor(descriptor.number), to: &self) }
    }
    nodes[node].isComplete = isComplete
  }

  /// The node of an owner; nil for readers, which are not known.
  private mutating func target(_ owner: WaitOwner, of waiter: Int) -> Int? {
    switch owner {
    case .thread(let tid):
      let process = nodes[waiter]
      return thread(process.pid, tid, "", process.processName)
    case .process(let pid, .some(let tid), let name): return thread(pid, tid, name, name)
    case .process(let pid, nil, let name): return process(pid, name)
    case .dead(let tid):
      let node = thread(nodes[waiter].pid, tid, "", nodes[waiter].processName)
      // A thread that has this number again does not own the lock.
      guard nodes[node].thread == nil, nodes[node].blocking == nil else { return nil }
      nodes[node].isDead = true
      return node
    case .readers: return nil
    }
  }

  /// Links each process that a thread waits for to its threads.
  private mutating func addMembers() {
    var threads: [Int32: [Int]] = [:]
    var counts: [Int32: Int] = [:]
    for (number, node) in nodes.enumerated() {
      guard node.tid != nil, !node.isDead, processNodes[node.pid] != nil else { continue }
      threads[node.pid, default: []].append(number)
      if let blocking = node.blocking, let count = blockings[blocking].waiter.threadCount {
        counts[node.pid] = max(counts[node.pid] ?? 0, count)
      }
    }
    for (number, node) in nodes.enumerated() where node.tid == nil {
      let members = threads[node.pid] ?? []
      for member in members { edges.append(Edge(from: number, to: member, reason: .member)) }
      nodes[number].threadCount = counts[node.pid]
      // All of the program's own threads were sampled.
      let isKnown =
        ownProcesses.contains(node.pid) || counts[node.pid].map { $0 <= members.count } ?? false
      nodes[number].isComplete = isKnown && !members.isEmpty
    }
  }
}

extension Wait {
  /// Whether only its owners and the peers of its descriptors, or a time limit, can end the wait.
  fileprivate var endsOnlyByOthers: Bool {
    switch kind {
    case .mutex, .readLock, .writeLock, .onceInitializer, .join, .gil, .fileLock, .childProcess,
      .futex:
      // The kernel wakes the next waiter of a robust lock when its owner dies.
      if object?.isRobust ?? false, owners.contains(where: \.isDead) { return false }
      return !owners.isEmpty
    case .poll, .select, .epoll, .read, .write, .receive, .send, .connect, .open:
      guard omittedDescriptors == 0, descriptors.allSatisfy(\.endsOnlyByPeers) else { return false }
      if descriptors.isEmpty || owners.isEmpty {
        return !owners.isEmpty || !descriptors.isEmpty && descriptors.allSatisfy(\.hasPeers)
      }
      return descriptors.count == 1 || descriptors.allSatisfy(\.hasPeers)
    case .semaphore, .conditionVariable, .barrier, .systemVSemaphore, .parking, .sleep, .accept,
      .databaseLock, .signal, .messageQueue, .asynchronousIO, .kernelWork, .pageFault, .disk,
      .stoppedBySignal, .stoppedByDebugger, .frozen, .otherCall, .unknown:
      // Any thread, and any signal handler, may signal or post these.
      return false
    }
  }
}

extension WaitDescriptor {
  fileprivate var hasPeers: Bool { !peers.isEmpty }

  /// Whether only the holders of its other end can make it ready.
  fileprivate var endsOnlyByPeers: Bool {
    guard state != .listening else { return false }
    switch kind {
    case .pipe, .fifo, .unixSocket, .tcpSocket, .pidfd: return true
    case .file, .directory, .device, .tty, .eventfd, .timerfd, .signalfd, .inotify, .epoll,
      .udpSocket, .otherSocket, .ioUring, .closed, .unknown:
      return false
    }
  }
}
