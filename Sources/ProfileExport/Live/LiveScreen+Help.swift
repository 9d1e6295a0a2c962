/// The keys of a live view, as `h` shows them.
extension LiveScreen {
  private static let keys: [(key: String, effect: String)] = [
    ("1 to 5, tab", "panes: functions, threads, blockers, tree, stack"),
    ("arrows, j k", "choose a row; page up, page down, g, G"),
    ("enter", "a thread's stack; the owner of a lock; hide or show what was called"),
    ("o", "go to the thread that holds what the chosen one waits for"),
    ("s", "sort: own, total, since the beginning, name"),
    ("c", "CPU time or wall time"),
    ("/ and t", "only rows with a text; only threads of a name or number; esc clears both"),
    ("p", "pause the display; sampling goes on"),
    ("r", "reset the figures since the beginning"),
    ("+ and -", "sample twice as often, half as often"),
    ("d", "write a dump of all threads to a file"),
    ("w", "write the last minutes as a capture"),
    ("q, Ctrl-Z", "quit, suspend"),
  ]
  private static let keyColumns = 15

  /// The help below the head, or in its place where both have no room; more than one screen of it can be
  /// scrolled.
  func help(
    below head: [[LiveSpan]], view: inout LiveView
  ) -> (lines: [[LiveSpan]], foot: [LiveSpan]) {
    let help = helpLines
    let isShort = head.count + 1 + help.count > height - 1
    let room = height - 1 - (isShort ? 0 : head.count + 1)
    view.helpRows = room
    view.lastHelpRow = max(0, help.count - room)
    view.firstHelpRow = min(view.firstHelpRow, view.lastHelpRow)
    let shown = help.dropFirst(view.firstHelpRow).prefix(room).map { [LiveSpan($0)] }
    let foot =
      view.lastHelpRow > 0 ? "Arrows scroll, any other key goes back." : "Any key goes back."
    return ((isShort ? [] : head + [[]]) + shown, [LiveSpan(foot, .strong)])
  }

  private var helpLines: [String] {
    let widest = Self.keys.map { PlainText.columns($0.effect) }.max() ?? 0
    guard width >= 2 + Self.keyColumns + widest else {
      return Self.keys.flatMap { wrapped("\($0.key): \($0.effect)", limit: .max) }
    }
    return Self.keys.map { "  " + PlainText.paddedAtRight($0.key, to: Self.keyColumns) + $0.effect }
  }
}
