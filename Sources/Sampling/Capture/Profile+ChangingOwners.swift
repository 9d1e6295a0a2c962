internal import ProfileModel

extension Profile {
  /// In nanoseconds: waits that are looked at in one turn may be of moments so far apart.
  private static let turn: Int64 = 20_000_000

  /// Leaves out the owners of locks that change hands: those whose owner was itself seen to wait for the lock
  /// at that time, and in a dump those for which two waiters have different owners.
  ///
  /// Threads that take turns at a lock are sampled one after the other: who is told to hold it may have been
  /// sampled before it had it, or after.
  mutating func forgetChangingOwners() {
    let isDump = capture.kind == .dump
    var askers: [OwnedLock: [ClosedRange<Int64>]] = [:]
    var owners: [HeldLock: Set<Int32>] = [:]
    for blocking in blockings {
      guard let lock = HeldLock(blocking) else { continue }
      let tids = blocking.wait.ownTids
      owners[lock, default: []].formUnion(tids)
      // One that locks its own lock again holds it all the same.
      guard !tids.contains(blocking.waiter.tid) else { continue }
      let begin = min(blocking.since ?? blocking.firstSeen, blocking.firstSeen)
      let times = begin...max(begin, blocking.lastSeen)
      askers[OwnedLock(lock: lock, tid: blocking.waiter.tid), default: []].append(times)
    }
    let asking = lastCalls
    for place in blockings.indices {
      let blocking = blockings[place]
      guard let lock = HeldLock(blocking) else { continue }
      let isChanging = blocking.wait.ownTids.contains { owner in
        guard owner != blocking.waiter.tid else { return false }
        if isDump, owners[lock].map({ $0.count > 1 }) ?? false { return true }
        if let call = asking[owner], call.address == lock.address,
          isDump || blocking.lastSeen >= call.start
        {
          return true
        }
        let times = askers[OwnedLock(lock: lock, tid: owner)] ?? []
        return times.contains {
          $0.contains(blocking.lastSeen) || $0.contains(blocking.lastSeen &- Self.turn)
        }
      }
      if isChanging { blockings[place].wait.owners = [] }
    }
  }
}

extension Profile {
  /// By thread: the futex that it waited for at its last sample, and since when it was in that stack; without
  /// those that wait for themselves.
  private var lastCalls: [Int32: (address: RemoteAddress, start: Int64)] {
    var starts: [Int: Int64] = [:]
    for run in runs { starts[run.thread] = run.start }
    var calls: [Int32: (address: RemoteAddress, start: Int64)] = [:]
    for (number, thread) in threads.enumerated() where !thread.hasEnded {
      guard let call = thread.systemCall, call.name == "futex", let word = call.arguments.first
      else { continue }
      calls[thread.tid] = (RemoteAddress(word), starts[number] ?? 0)
    }
    for blocking in blockings where blocking.wait.ownTids.contains(blocking.waiter.tid) {
      calls[blocking.waiter.tid] = nil
    }
    return calls
  }
}

/// A lock that threads wait for.
private struct HeldLock: Hashable {
  let pid: Int32
  let address: RemoteAddress

  init?(_ blocking: Blocking) {
    guard let object = blocking.wait.object else { return nil }
    pid = blocking.waiter.pid
    address = object.address
  }
}

private struct OwnedLock: Hashable {
  let lock: HeldLock
  let tid: Int32
}

extension Wait {
  /// The owners that are threads of the process of the one that waits.
  fileprivate var ownTids: [Int32] {
    owners.compactMap { if case .thread(let tid) = $0 { tid } else { nil } }
  }
}
