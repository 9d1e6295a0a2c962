internal import ProfileModel

/// Finds the threads that may be in a cycle or behind one, before their functions have names.
///
/// Every number near a futex counts that may be its owner's, and every thread of a process that holds
/// the other end of a descriptor: more than will be claimed, never less.
package struct CycleSuspects {
  private let samples: [SleepSample]
  private var places: [Int32: Int] = [:]
  private var members: [Int32: [Int]] = [:]
  /// By sample: those who wait for it, and for how many it waits.
  private var waiters: [[Int]]
  private var count: [Int]

  /// The suspects among the samples of one process's threads and of those that it waits for.
  package init(_ samples: [SleepSample]) {
    self.samples = samples
    waiters = Array(repeating: [], count: samples.count)
    count = Array(repeating: 0, count: samples.count)
    for (index, sample) in samples.enumerated() {
      places[sample.thread.tid] = index
      members[sample.thread.pid, default: []].append(index)
    }
    for index in samples.indices { addWaits(of: index) }
  }

  /// Indexes of the samples whose threads wait for somebody who is gone, or for each other, directly or
  /// not: all others wait for somebody who may proceed.
  package var indexes: [Int] {
    var count = count
    var free = count.indices.filter { count[$0] == 0 }
    while let index = free.popLast() {
      for waiter in waiters[index] {
        count[waiter] -= 1
        if count[waiter] == 0 { free.append(waiter) }
      }
    }
    return count.indices.filter { count[$0] > 0 }
  }

  private mutating func addWaits(of index: Int) {
    let sample = samples[index]
    var targets: Set<Int> = []
    var hasGone = false
    func add(_ owner: WaitOwner) {
      switch owner {
      case .thread(let tid), .process(_, .some(let tid), _):
        if let place = places[tid] { targets.insert(place) }
      case .process(let pid, nil, _):
        // A signal handler of its own process may end such a wait.
        if pid != sample.thread.pid { targets.formUnion(members[pid] ?? []) }
      case .dead: hasGone = true
      case .readers: break
      }
    }
    for owner in sample.futex.map({ Array($0.owners.values) }) ?? [] {
      switch owner {
      case .thread(let tid): add(.thread(tid: tid))
      case .elsewhere(let owner): add(owner)
      case .gone: hasGone = true
      case .unknown: break
      }
    }
    for owner in sample.wait.owners { add(owner) }
    for descriptor in sample.wait.descriptors { for peer in descriptor.peers { add(peer) } }
    for target in targets { waiters[target].append(index) }
    count[index] = targets.count + (hasGone ? 1 : 0)
  }
}
