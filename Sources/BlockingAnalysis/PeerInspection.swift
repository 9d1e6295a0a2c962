internal import LinuxProcess
internal import ProfileModel

extension SleepInspector {
  /// Looks at the sleeping threads of the processes that `looks` wait for, and of those that these
  /// wait for in turn; those that may not be read are left out.
  ///
  /// At most 24 processes and 64 threads of each, three steps away, until `budget` nanoseconds of CPU
  /// time were used.
  package func inspectPeers(of samples: [SleepSample], budget: Int64) -> [SleepSample] {
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

  private func samplePeer(_ process: Int32, budget: Int64) -> [SleepSample] {
    guard let threads = try? ThreadList(process: process).read() else { return [] }
    let inspector = SleepInspector(peer: process, of: self)
    // One that may not be read tells neither place nor kind.
    var samples = threads.prefix(64).compactMap { inspector.sample($0) }
      .filter { $0.place != nil || $0.wait.kind != .unknown }
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
