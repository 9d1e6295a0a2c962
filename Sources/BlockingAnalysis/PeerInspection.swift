internal import LinuxProcess
internal import ProfileModel

extension SleepInspector {
  /// Looks at the sleeping threads of the processes that `looks` wait for, and of those that these
  /// wait for in turn; those that may not be read are left out.
  ///
  /// At most 24 processes and 64 threads of each, three steps away, until `budget` nanoseconds of CPU
  /// time were used.
  package func lookAtPeers(of looks: [SleepLook], budget: Int64) -> [SleepLook] {
    let end = OwnUsage.threadCPU() + budget
    var seen: Set<Int32> = [pid]
    var result: [SleepLook] = []
    var last = looks
    for _ in 0..<3 {
      var found: [SleepLook] = []
      for process in Self.processes(in: last) where !seen.contains(process) && seen.count <= 24 {
        guard OwnUsage.threadCPU() < end else { break }
        seen.insert(process)
        found += look(atPeer: process, budget: end - OwnUsage.threadCPU())
      }
      guard !found.isEmpty else { break }
      result += found
      last = found
    }
    return result
  }

  private func look(atPeer process: Int32, budget: Int64) -> [SleepLook] {
    guard let threads = try? ThreadList(process: process).read() else { return [] }
    let inspector = SleepInspector(peer: process, of: self)
    // One that may not be read tells neither place nor kind.
    var looks = threads.prefix(64).compactMap { inspector.look(at: $0) }
      .filter { $0.place != nil || $0.wait.kind != .unknown }
    _ = inspector.findPeers(for: &looks, budget: budget)
    return looks
  }

  private static func processes(in looks: [SleepLook]) -> [Int32] {
    var result: [Int32] = []
    for look in looks {
      for case .process(let pid, _, _) in look.wait.owners + look.wait.descriptors.flatMap(\.peers)
      where !result.contains(pid) {
        result.append(pid)
      }
    }
    return result
  }
}
