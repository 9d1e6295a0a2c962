/// Why no process was found by a click at its window.
package enum WindowProblem: Error, Equatable, Sendable {
  /// libxcb is not installed.
  case noLibrary
  /// `DISPLAY` is not set.
  case noDisplay(isWayland: Bool)
  case cannotConnect
  /// Another program has the pointer to itself.
  case isGrabbed
  case isCancelled
  /// The server has closed the connection.
  case isDisconnected
  case isRootWindow
  /// Neither the server nor the window tells the process.
  case isSilent(window: String)
  /// The window has a PID, but does not say of which host.
  case hasNoHost(window: String, pid: Int32)
  case isOfOtherHost(window: String, host: String)
  /// No process here has the window's PID.
  case isOfOtherNamespace(window: String, pid: Int32)
  /// The process that connected to the server has ended, and the window tells of no other.
  case hasEnded(window: String, pid: Int32)
}
