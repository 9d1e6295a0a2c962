/// A part of a line, set off or not.
struct Span: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
  enum Style: Sendable {
    case plain, heading, strong, dim
  }

  let text: String
  let style: Style

  init(_ text: String, _ style: Style = .plain) {
    self.text = text
    self.style = style
  }

  init(stringLiteral text: String) { self.init(text) }
}

/// A page of text: lines that stay within a width, without control characters other than the escape
/// sequences of its own styles.
struct TextPage<Output: TextOutputStream> {
  private(set) var output: Output
  let width: Int
  let color: Bool
  private var isAtTop = true
  /// How many lines were written.
  private(set) var lineCount = 0

  init(_ output: Output, width: Int, color: Bool) {
    self.output = output
    self.width = width
    self.color = color
  }

  mutating func line(_ spans: Span...) {
    isAtTop = false
    lineCount += 1
    var room = width
    for span in spans where room > 0 {
      let text = PlainText.shortenedAtRight(PlainText.printable(span.text), to: room)
      room -= PlainText.columns(text)
      write(text, span.style)
    }
    output.write("\n")
  }

  /// An empty line, but not at the top of the page.
  mutating func space() {
    guard !isAtTop else { return }
    lineCount += 1
    output.write("\n")
  }

  mutating func heading(_ text: String) {
    space()
    line(Span(PlainText.shortenedInMiddle(PlainText.printable(text), to: width), .heading))
  }

  /// Text that continues on further lines, indented by `indent`, when it is too long for one.
  ///
  /// A figure stays on one line with its unit. Spaces that follow each other stay, but not around a
  /// line break.
  mutating func paragraph(_ text: String, indent: Int = 2, style: Span.Style = .plain) {
    wrap(
      PlainText.unbreakableParts(of: PlainText.printable(text)), separator: " ", indent: indent,
      style: style)
  }

  /// Clauses of a sentence with a dot between them, all lines indented by `indent`; they break only between
  /// clauses.
  mutating func clauses(_ clauses: [String], indent: Int = 0, style: Span.Style = .plain) {
    wrap(
      clauses.map(PlainText.printable), separator: " · ", indent: indent, firstIndent: indent,
      style: style)
  }

  private mutating func wrap(
    _ parts: [String], separator: String, indent: Int, firstIndent: Int = 0, style: Span.Style
  ) {
    var current = String(repeating: " ", count: firstIndent)
    var isEmpty = true
    for part in parts {
      let part = PlainText.shortenedInMiddle(part, to: width - indent)
      let longer = isEmpty ? current + part : current + separator + part
      if isEmpty || PlainText.columns(longer) <= width {
        current = longer
        isEmpty = false
      } else {
        line(Span(current, style))
        current = String(repeating: " ", count: indent) + part
      }
    }
    if !isEmpty { line(Span(current, style)) }
  }

  private mutating func write(_ text: String, _ style: Span.Style) {
    guard color, style != .plain, !text.isEmpty else { return output.write(text) }
    let code =
      switch style {
      case .plain: 0
      case .heading, .strong: 1
      case .dim: 2
      }
    output.write("\u{1B}[\(code)m\(text)\u{1B}[0m")
  }
}
