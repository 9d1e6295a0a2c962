internal import ProfileModel

/// What virtual threads of Java are called in sentences.
struct VirtualThreadNames {
  /// By their numbers as waits have them, below 0: the names of those that have one.
  private var names: [Int32: String] = [:]
  /// By thread: the virtual thread that it runs, of threads that wait for a lock in it.
  private(set) var carried: [Int32: String] = [:]

  init(_ profile: Profile) {
    let pid = profile.capture.pid
    for list in profile.goroutines where list.kind == .virtualThread && list.pid == pid {
      for group in list.groups {
        for (id, name) in zip(group.ids, group.names) where !name.isEmpty {
          if let number = Int32(exactly: id) { names[-number] = name }
        }
      }
      // While they wait for a lock they stay: who runs them at the end of a capture did so before.
      let waiting = Set(
        profile.blockings.filter { blocking in
          blocking.waiter.pid == pid && blocking.wait.object?.flavor?.isOfRuntime ?? false
        }.map(\.waiter.tid))
      for group in list.groups where group.state == .running {
        for (id, tid) in zip(group.ids, group.threads) where tid > 0 && waiting.contains(tid) {
          carried[tid] = title(of: id, on: tid)
        }
      }
    }
  }

  /// One that no thread runs: `"transfer" (virtual thread 35)`.
  func title(of tid: Int32) -> String {
    let title = "virtual thread \(-Int64(tid))"
    return names[tid].map { "\($0.quoted) (\(title))" } ?? title
  }

  private func title(of id: UInt64, on tid: Int32) -> String {
    let name = Int32(exactly: id).flatMap { names[-$0] }
    return name.map { "\($0.quoted) (virtual thread \(id), on thread \(tid))" }
      ?? "virtual thread \(id) (on thread \(tid))"
  }
}
