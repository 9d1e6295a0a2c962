internal import CNcurses

/// A terminal as a full screen, drawn by ncurses: one at a time, used by one thread.
package final class CursesScreen {
  /// How a piece of text looks.
  package enum Style: Sendable {
    case plain, dim, strong, heading, chosen, good, warning, bad
  }

  package enum Key: Equatable, Sendable {
    case character(Character)
    case up, down, pageUp, pageDown, home, end
    case enter, escape, tab, backTab, backspace
    /// The terminal has another size now.
    case resize
  }

  /// A piece of a line.
  package struct Span: Equatable, Sendable {
    let text: String
    let style: Style

    package init(_ text: String, _ style: Style) {
      self.text = text
      self.style = style
    }
  }

  private let screen: OpaquePointer
  /// What was drawn last, and in which size; none where the screen has something else.
  private var drawn: [[Span]] = []
  private var drawnSize = (width: 0, height: 0)

  /// Takes over the terminal of stdin and stdout; nil where its kind (`TERM`) is not known, or cannot
  /// be told where to draw.
  ///
  /// Keys come one by one, Ctrl-C and Ctrl-Z too, and nothing is echoed, until `close`.
  package init?(wantsColor: Bool) {
    guard let screen = sprof_curses_open(wantsColor ? 1 : 0) else { return nil }
    self.screen = screen
  }

  /// Gives the terminal back as it was; nothing else may be called after it.
  package func close() { sprof_curses_close(screen) }

  /// Gives the terminal back until `resume`.
  package func suspend() {
    drawn = []
    sprof_curses_leave()
  }

  /// Takes the terminal over again in the size that it has now, and draws all of it anew.
  package func resume() {
    drawn = []
    sprof_curses_return()
  }

  /// What makes the terminal leave the full screen, for another program to send.
  package var leavingSequence: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
      sprof_curses_leaving(text.baseAddress, text.count)
      return text.baseAddress.map { String(cString: $0) } ?? ""
    }
  }

  /// Whether the terminal's locale has more than ASCII.
  package var isUTF8: Bool { sprof_curses_is_utf8() != 0 }

  /// In characters.
  package var size: (width: Int, height: Int) {
    (Int(sprof_curses_width()), Int(sprof_curses_height()))
  }

  /// Draws lines of printable text in place of what was there; only what has changed is drawn and sent.
  package func draw(_ lines: [[Span]]) {
    if drawnSize != size || drawn.count != lines.count {
      (drawn, drawnSize) = ([], size)
      sprof_curses_erase()
    }
    for (row, line) in lines.enumerated() where drawn.isEmpty || drawn[row] != line {
      sprof_curses_begin(CInt(row))
      for span in line {
        let look = Look(span.style)
        sprof_curses_text(span.text, look.bold, look.dim, look.reverse, look.pair)
      }
    }
    drawn = lines
    sprof_curses_end()
  }

  /// Waits for a key, at most so long; nil where none came.
  package func key(within milliseconds: Int) -> Key? {
    let code = sprof_curses_key(CInt(milliseconds))
    switch code {
    case 0: return nil
    case CInt(sprof_key_up): return .up
    case CInt(sprof_key_down): return .down
    case CInt(sprof_key_page_up): return .pageUp
    case CInt(sprof_key_page_down): return .pageDown
    case CInt(sprof_key_home): return .home
    case CInt(sprof_key_end): return .end
    case CInt(sprof_key_back_tab): return .backTab
    case CInt(sprof_key_backspace), 8, 127: return .backspace
    case CInt(sprof_key_enter), 10, 13: return .enter
    case CInt(sprof_key_resize): return .resize
    case 9: return .tab
    case 27: return .escape
    case 1...: return Unicode.Scalar(UInt32(code)).map { .character(Character($0)) }
    default: return nil
    }
  }
}

/// A style in terms of ncurses.
private struct Look {
  var bold: CInt = 0
  var dim: CInt = 0
  var reverse: CInt = 0
  var pair: CInt = 0

  init(_ style: CursesScreen.Style) {
    switch style {
    case .plain: break
    case .dim: dim = 1
    case .strong: bold = 1
    case .heading: (bold, reverse) = (1, 1)
    case .chosen: reverse = 1
    case .good: pair = 1
    case .warning: pair = 2
    case .bad: (bold, pair) = (1, 3)
    }
  }
}
