/// Why the windows of a program cannot be pinged.
package enum PingProblem: Error, Equatable, Sendable {
  /// `DISPLAY` is not set.
  case noDisplay(isWayland: Bool)
  /// libxcb is not installed.
  case noLibrary
  /// The server does not run, or does not let us.
  case cannotConnect
  /// The server has not told of its windows within three seconds; its process, where that is known.
  case isSilentServer(pid: Int32?)
  case hasNoWindow
  /// No thread could be started to ask; says why.
  case cannotStart(String)
}
