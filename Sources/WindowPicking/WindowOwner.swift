internal import LinuxProcess

/// A window that was clicked, and the process that it belongs to.
package struct PickedWindow: Equatable, Sendable {
  package let title: String
  package let pid: Int32
  /// The process's number in a PID namespace of its own, such as a container's.
  package let innerPID: Int32?
}

/// What is known of the owner of a window.
struct WindowOwner {
  var title: String
  /// `_NET_WM_PID`: what the program says of itself, in its own PID namespace.
  var statedPID: Int32?
  /// `WM_CLIENT_MACHINE`: the host that the program runs on.
  var host: String?
  /// Who has connected to the server, as the kernel has told that: of a window that comes through ssh, it
  /// is ssh.
  var clientPID: Int32?

  /// The process; `numbers` gives those of a process in each of its PID namespaces, ours first, and nil
  /// where there is no such process.
  ///
  /// The server's answer goes before the program's: it knows all local clients, and cannot be lied to. But
  /// a program that the window says is elsewhere is not the local one that hands its windows on.
  func process(
    thisHost: String, numbers: (Int32) -> [Int32]?
  ) throws(WindowProblem) -> PickedWindow {
    if let clientPID, let known = numbers(clientPID) {
      let isStated = statedPID.map(known.contains) ?? false
      if let host, !isStated, !Self.isSame(host, thisHost) {
        throw .isOfOtherHost(window: title, host: host)
      }
      return PickedWindow(
        title: title, pid: clientPID, innerPID: known.count > 1 ? known.last : nil)
    }
    guard let statedPID else {
      throw clientPID.map { .hasEnded(window: title, pid: $0) } ?? .isSilent(window: title)
    }
    guard let host else { throw .hasNoHost(window: title, pid: statedPID) }
    guard Self.isSame(host, thisHost) else { throw .isOfOtherHost(window: title, host: host) }
    guard numbers(statedPID) != nil else {
      throw .isOfOtherNamespace(window: title, pid: statedPID)
    }
    return PickedWindow(title: title, pid: statedPID, innerPID: nil)
  }

  /// Whether two names are of one host; one of them may lack the domain.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.lowercased(), right.lowercased())
    return left == right || left.hasPrefix(right + ".") || right.hasPrefix(left + ".")
  }
}
