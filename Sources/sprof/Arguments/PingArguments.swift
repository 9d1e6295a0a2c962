import ArgumentParser
import LinuxProcess
import ProfileModel
import WindowPicking

/// The option that asks the program's windows whether they take events.
struct PingArguments: ParsableArguments {
  @Flag(
    name: .customLong("ping"),
    help: ArgumentHelp(
      "Ask the program's windows whether they still take events, as a window manager does (X11).",
      discussion: """
        Each window gets a ping (_NET_WM_PING) every half second, as long as it answers; after the \
        capture answers are waited for, for at most a second. The answers stand behind the verdict.
        """))
  var isWanted = false

  /// The profile that `body` makes, with the answers of the process's windows meanwhile.
  func during(
    _ process: ProcessIdentity, command: String, _ body: () throws -> Profile
  ) throws -> Profile {
    guard isWanted else { return try body() }
    let pings: WindowPings
    do throws(PingProblem) {
      pings = try WindowPings(of: process.pid)
    } catch {
      throw Diagnostic.cannotPing(error, command: command)
    }
    var profile = try body()
    profile.capture.windows = pings.finish()
    return profile
  }
}
