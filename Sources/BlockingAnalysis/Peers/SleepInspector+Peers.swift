internal import LinuxProcess
package import ProfileModel

extension SleepInspector {
  /// Searches who holds the other ends of what `samples` wait on, and says so in them.
  ///
  /// Returns false when `budget` of CPU time was used before all processes were searched; call it
  /// again to continue.
  package func findPeers(for samples: inout [SleepSample], budget: Nanoseconds) -> Bool {
    guard samples.contains(where: { $0.ends.contains { $0 != nil } }) else { return true }
    var fifos: Set<String> = []
    for sample in samples {
      for case .fifo(let path, _)? in sample.ends { fifos.insert(path) }
    }
    peers.search(fifos: fifos, budget: budget)
    guard peers.isComplete else { return false }
    for index in samples.indices { addPeers(to: &samples[index]) }
    return true
  }

  /// Describes descriptors of the process, and says who alone can end a wait on each, as far as all of
  /// them are known.
  ///
  /// Returns nil when `budget` of CPU time was used before all processes were searched; call it again
  /// to continue.
  package func describe(
    _ descriptors: [(number: Int32, isWritten: Bool)], budget: Nanoseconds
  ) -> [(descriptor: WaitDescriptor, owners: [WaitOwner])]? {
    let tid = liveThread.pid
    let found = descriptors.map { descriptor(of: tid, $0.number, isWritten: $0.isWritten) }
    var fifos: Set<String> = []
    for case .fifo(let path, _)? in found.map(\.end) { fifos.insert(path) }
    if found.contains(where: { $0.end != nil }) {
      peers.search(fifos: fifos, budget: budget)
      guard peers.isComplete else { return nil }
    }
    return found.map { descriptor, end in
      guard let end else { return (descriptor, descriptor.peers) }
      var descriptor = descriptor
      descriptor.peers = peers.peers(end)
      return (descriptor, peers.isPartial ? [] : descriptor.peers)
    }
  }

  private func addPeers(to sample: inout SleepSample) {
    for (index, end) in sample.ends.enumerated() where index < sample.wait.descriptors.count {
      guard let end else { continue }
      sample.wait.descriptors[index].peers = peers.peers(end)
    }
    guard !peers.isPartial else { return }
    sample.wait.addOwnersFromDescriptors()
  }

  /// Samples the sleeping threads of the processes that `samples` wait for, and of those that these
  /// wait for in turn; those that may not be read are left out.
  ///
  /// At most 24 processes and 64 threads of each, three steps away, until `budget` of CPU time was
  /// used.
  package func inspectPeers(of samples: [SleepSample], budget: Nanoseconds) -> [SleepSample] {
    let end = OwnUsage.threadCPU() + budget
    var seen: Set<Int32> = [pid]
    var result: [SleepSample] = []
    var last = samples
    for _ in 0..<3 {
      var found: [SleepSample] = []
      for process in Self.processes(in: last) where !seen.contains(process) && seen.count <= 24 {
        guard OwnUsage.threadCPU() < end else { break }
        seen.insert(process)
        found += samplePeer(process, budget: end - OwnUsage.threadCPU())
      }
      guard !found.isEmpty else { break }
      result += found
      last = found
    }
    return result
  }

  private func samplePeer(_ number: Int32, budget: Nanoseconds) -> [SleepSample] {
    guard let process = processes.identity(of: number),
      let inspector = SleepInspector(peer: process, of: self)
    else { return [] }
    // Of one that may not be read neither place nor kind is known.
    var samples = inspector.threads().prefix(64).compactMap { inspector.sample($0) }
      .filter { $0.place != nil || $0.wait.kind != .unknown }
    let isAtLock = PostgresTitle.saysWaiting(ProcessSearch.commandLine(of: number))
    if isAtLock, let main = samples.firstIndex(where: { $0.thread.tid == number }) {
      samples[main].becomeDatabaseLock()
    }
    _ = inspector.findPeers(for: &samples, budget: budget)
    return samples
  }

  private static func processes(in samples: [SleepSample]) -> [Int32] {
    var result: [Int32] = []
    for sample in samples {
      for case .process(let pid, _, _) in sample.wait.owners
        + sample.wait.descriptors.flatMap(\.peers)
      where !result.contains(pid) {
        result.append(pid)
      }
    }
    return result
  }
}

extension Wait {
  /// The holders of the other ends, where nothing else can end the wait.
  fileprivate mutating func addOwnersFromDescriptors() {
    switch kind {
    case .read, .write, .receive, .send, .connect, .poll, .select, .epoll: break
    default: return
    }
    guard omittedDescriptors == 0, !descriptors.isEmpty,
      descriptors.allSatisfy({ !$0.peers.isEmpty })
    else { return }
    var seen: Set<WaitOwner> = []
    owners = descriptors.flatMap(\.peers).filter { seen.insert($0).inserted }
  }
}

/// What a session of PostgreSQL calls itself: `postgres: user database [local] UPDATE waiting`.
enum PostgresTitle {
  /// Whether it says that the session waits for a lock of the database (`ProcSleep` in
  /// storage/lmgr/proc.c, unless `update_process_title` is off).
  static func saysWaiting(_ commandLine: [String]) -> Bool {
    guard let title = commandLine.first?.prefix(4096), title.hasPrefix("postgres: ") else {
      return false
    }
    return title.split(separator: " ").last == "waiting"
  }
}

extension SleepSample {
  /// Says that the lock which the thread waits for is the database's own: it is woken by a signal of the
  /// session that lets it go.
  fileprivate mutating func becomeDatabaseLock() {
    switch wait.kind {
    case .poll, .select, .epoll, .semaphore, .futex, .systemVSemaphore: break
    default: return
    }
    wait.becomeDatabaseLock()
    futex = nil
    ends = []
  }
}
