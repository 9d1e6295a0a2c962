internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The processes that waits of captured ones lead to, as they are found during the capture.
///
/// May be used from any thread; shared by the captures of copies of a plan.
package final class PeerRequests: Sendable {
  /// The most processes that are sampled beside the program.
  package static let limit = 8
  /// The most that are remembered: a server may meet any number.
  private static let memory = 4096

  private struct State: Sendable {
    var seen: Set<Int32> = []
    var new: [Int32] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Notes the processes that alone can end a wait.
  func note(_ owners: [WaitOwner]) {
    let found = owners.compactMap { owner -> Int32? in
      if case .process(let pid, _, _) = owner { return pid }
      return nil
    }
    guard !found.isEmpty else { return }
    state.withLock { state in
      for pid in found where state.seen.count < Self.memory && state.seen.insert(pid).inserted {
        state.new.append(pid)
      }
    }
  }

  /// The processes that were noted since the last call.
  func takeNew() -> [Int32] {
    state.withLock { state in
      defer { state.new = [] }
      return state.new
    }
  }
}
