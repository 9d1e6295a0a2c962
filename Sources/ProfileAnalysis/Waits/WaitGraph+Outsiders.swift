internal import ProfileModel

extension WaitGraph {
  /// What may end a wait of a cycle, although all whose part that is are in the cycle or behind it.
  package enum Outsider: Hashable, Sendable {
    /// The process of this node handles a signal that comes by itself, as of a timer.
    case handler(node: Int, signal: Int32)
    /// Any process may open this named pipe.
    case opener(path: String)
    /// A process that may not be read may hold the other end, too.
    case unreadHolder
    /// The thread has waited for itself before, and that has ended: a plain mutex can be unlocked by any
    /// thread.
    case unlocker
  }

  /// The nearest one that may end a wait which the cycle depends on; nil for none.
  ///
  /// Costs one step for each node and edge.
  package func outsider(of cycle: Cycle) -> Outsider? {
    var queue = cycle.threads
    var seen = Set(queue)
    var next = 0
    while next < queue.count {
      let node = queue[next]
      next += 1
      if let outsider = outsider(of: node) { return outsider }
      for successor in successors(of: node) where seen.insert(successor).inserted {
        queue.append(successor)
      }
    }
    return nil
  }

  /// What may end the wait of a thread, or act for a process, besides those that it depends on.
  func outsider(of node: Int) -> Outsider? {
    let wait = nodes[node].tid == nil ? nil : blocking(of: node)?.wait
    // A handler returns to a lock that was waited for, and holds none.
    if nodes[node].tid == nil || wait?.kind.endsBySignal ?? false,
      let signal = wakingSignals[nodes[node].pid]
    {
      return .handler(node: node, signal: signal)
    }
    guard let wait else { return nil }
    if isUnlocked(node) { return .unlocker }
    if let fifo = wait.descriptors.first(where: { $0.kind == .fifo }) {
      return .opener(path: fifo.name)
    }
    return wait.hasUnreadHolder ? .unreadHolder : nil
  }

  /// Whether a wait of the thread for the same lock, which it has itself, is known to have ended.
  private func isUnlocked(_ node: Int) -> Bool {
    // Who handles a signal asks for the lock again.
    guard let blocking = blocking(of: node), let lock = SelfWait(blocking),
      let end = selfWaits[lock], let since = blocking.since
    else { return false }
    return end < since && wakingSignals[nodes[node].pid] == nil
  }
}

/// A wait of a thread for a lock that it has itself.
struct SelfWait: Hashable {
  private let pid: Int32
  private let tid: Int32
  private let lock: RemoteAddress

  /// Nil for other waits, and those that end by themselves.
  init?(_ blocking: Blocking) {
    (pid, tid) = (blocking.waiter.pid, blocking.waiter.tid)
    guard let object = blocking.wait.object, !object.address.isNull, !blocking.wait.isTimed,
      blocking.wait.owners == [.thread(tid: tid)]
    else { return nil }
    lock = object.address
  }

  /// When the first of each was last seen, in nanoseconds from the start of the capture.
  static func ends(_ blockings: [Blocking]) -> [SelfWait: Int64] {
    blockings.reduce(into: [:]) { ends, blocking in
      guard let wait = SelfWait(blocking) else { return }
      ends[wait] = min(ends[wait] ?? .max, blocking.lastSeen)
    }
  }
}

extension WaitKind {
  /// Whether a handler may end the wait: the call then fails, or the handler does what it waits for.
  fileprivate var endsBySignal: Bool {
    switch self {
    case .read, .write, .open, .connect, .accept, .receive, .send, .poll, .select, .epoll,
      .fileLock, .childProcess, .sleep, .signal, .messageQueue, .systemVSemaphore, .semaphore:
      true
    case .mutex, .readLock, .writeLock, .conditionVariable, .barrier, .onceInitializer, .join,
      .parking, .futex, .gil, .databaseLock, .asynchronousIO, .kernelWork, .pageFault, .disk,
      .stoppedBySignal, .stoppedByDebugger, .frozen, .otherCall, .unknown:
      false
    }
  }
}

extension Wait {
  /// Whether not all holders of the other ends are known, as the owners are only then.
  fileprivate var hasUnreadHolder: Bool {
    switch kind {
    case .read, .write, .receive, .send, .connect, .poll, .select, .epoll: break
    default: return false
    }
    return owners.isEmpty
      && descriptors.contains { descriptor in
        switch descriptor.kind {
        case .pipe, .unixSocket, .tcpSocket: !descriptor.peers.isEmpty
        default: false
        }
      }
  }
}
