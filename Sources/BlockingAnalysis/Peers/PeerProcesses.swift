internal import LinuxProcess
internal import ProfileModel

/// The processes that waits lead to.
///
/// A wait names its owner by number alone; what is read of the owner later is read only if the number
/// is still its own.
final class PeerProcesses {
  private var identities: [Int32: ProcessIdentity] = [:]
  private var names: [Int32: String] = [:]

  /// The process, or one of its threads, as somebody who can end a wait.
  func owner(_ pid: Int32, thread: Int32? = nil) -> WaitOwner {
    .process(pid: pid, tid: thread, name: name(of: pid))
  }

  /// The process that a wait led to; nil when it is gone.
  func identity(of pid: Int32) -> ProcessIdentity? {
    if let known = identities[pid] { return known.isStillThere ? known : nil }
    identities[pid] = try? ProcessIdentity(of: pid)
    return identities[pid]
  }

  /// Forgets all processes.
  func forget() {
    identities = [:]
    forgetNames()
  }

  /// Forgets what they are called, which `execve` changes.
  func forgetNames() { names = [:] }

  private func name(of pid: Int32) -> String {
    if let name = names[pid] { return name }
    // Whoever has the number now is the one that the wait leads to.
    identities[pid] = try? ProcessIdentity(of: pid)
    let name = ProcessSearch.processName(pid) ?? "?"
    names[pid] = name
    return name
  }
}
