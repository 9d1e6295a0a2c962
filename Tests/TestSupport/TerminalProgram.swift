internal import Foundation

/// A shell in a terminal of its own (tmux), for programs that draw on it.
package final class TerminalProgram {
  private let server: String

  /// Whether tmux is there.
  package static var isAvailable: Bool { Tool.isInstalled("tmux") }

  /// A terminal of that size with a shell in `folder`, whose prompt is `READY>`.
  package init(width: Int = 100, height: Int = 30, folder: String, locale: String = "C.UTF-8")
    throws
  {
    server = "sprof-\(UUID().uuidString.prefix(8))"
    let shell =
      "env -i PATH=/usr/bin:/bin LC_ALL=\(locale) TERM=screen PS1='READY> ' bash --norc -i"
    try tmux(
      [
        "-f", "/dev/null", "-u", "new-session", "-d", "-x", "\(width)", "-y", "\(height)", "-c",
        folder,
      ]
        + [shell])
    try wait("the shell is ready") { $0.contains("READY>") }
  }

  deinit { _ = try? tmux(["kill-server"]) }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    let outcome = try run(["tmux", "-L", server] + arguments)
    guard outcome.status == 0 else { throw TestFailure("tmux: \(outcome.stderr)") }
    return outcome.stdout
  }

  /// What the terminal shows now.
  package func screen() throws -> String { try tmux(["capture-pane", "-p"]) }

  /// Types text, character by character, without an Enter.
  package func type(_ text: String) throws { try tmux(["send-keys", "-l", text]) }

  /// Presses keys by tmux's names: `Enter`, `C-z`, `Down`.
  package func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

  /// Types a command line and presses Enter.
  package func start(_ line: String) throws {
    try type(line)
    try press("Enter")
  }

  package func resize(width: Int, height: Int) throws {
    try tmux(["resize-window", "-x", "\(width)", "-y", "\(height)"])
  }

  /// Waits until the screen is as wanted, and gives it.
  @discardableResult
  package func wait(_ what: String, until isRight: (String) -> Bool) throws -> String {
    let deadline = Date(timeIntervalSinceNow: 30)
    var last = ""
    while Date() < deadline {
      last = try screen()
      if isRight(last) { return last }
      usleep(50_000)
    }
    throw TestFailure("\(what): not so after 30 s:\n\(last)")
  }

  /// Whether the terminal is as a shell wants it: it echoes, edits lines, shows the cursor,
  /// and is not on the other screen.
  package func isClean() throws -> Bool {
    try start(
      "clear; stty -a | tr ' ;' '\\n\\n' | grep -xE 'echo|icanon|isig' | tr '\\n' ' '; echo END")
    let text = try wait("the settings are shown") { $0.contains("\nREADY>") && $0.contains("END") }
    let flags = try tmux([
      "display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag}",
    ])
    return ["echo", "icanon", "isig"].allSatisfy { text.contains($0) }
      && flags.hasPrefix("0 1 0 0")
  }
}
