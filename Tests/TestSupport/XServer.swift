/// An X server without a screen, for programs with windows.
package final class XServer {
  private let server: RunningProgram
  /// What `DISPLAY` has to say.
  package let display: String

  package static var isInstalled: Bool { Tool.isInstalled("Xvfb") }

  package var pid: Int32 { server.pid }

  /// Starts it, on a display number that the server finds free.
  package init() throws {
    // The server writes the number of its display, and a newline, once it takes clients.
    server = try RunningProgram(
      ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"], ready: nil)
    display = ":" + (try server.readLine(deadline: .seconds(30)))
  }
}
