internal import ProfileAnalysis
internal import ProfileModel

/// A part of a line of a live view, in one style.
package struct LiveSpan: Equatable, Sendable {
  package enum Style: Sendable, CaseIterable {
    case plain, dim, strong, heading, chosen, good, warning, bad
  }

  package var text: String
  package let style: Style

  package init(_ text: String, _ style: Style = .plain) {
    self.text = text
    self.style = style
  }
}

/// Facts of a live view that are not of the profile.
package struct LiveStatus: Sendable {
  /// The share of a core that sprof itself uses, 0 to 1.
  package var ownCPU = 0.0
  /// Whether it is a file that is looked at.
  package var isReplay = false
  /// Why nothing comes any more; nil while something does.
  package var end: String?
  /// Whether the terminal shows nothing but ASCII.
  package var isASCII = false

  package init() {}
}

/// A screen of a live view as lines of text.
package struct LiveScreen {
  private let view: LiveView
  private let picture: LivePicture
  private let status: LiveStatus
  let width: Int
  let height: Int

  /// The lines of the screen, `height` of them, each of exactly `width` columns; notes in the view what is
  /// shown.
  package static func lines(
    _ view: inout LiveView, _ picture: LivePicture, _ status: LiveStatus, width: Int, height: Int
  ) -> [[LiveSpan]] {
    let (width, height) = (max(20, min(width, 1000)), max(4, min(height, 1000)))
    let screen = LiveScreen(
      view: view, picture: picture, status: status, width: width, height: height)
    var lines = screen.head
    var foot = screen.foot
    if view.showsHelp {
      (lines, foot) = screen.help(below: lines, view: &view)
    } else {
      lines.append(screen.tabs)
      let room = max(0, height - lines.count - 2)
      lines += screen.body(room: room, view: &view)
    }
    lines = Array(lines.prefix(height - 1))
    while lines.count < height - 1 { lines.append([]) }
    lines.append(foot)
    return lines.map { screen.fitted($0) }
  }

  // MARK: - Head

  private var head: [[LiveSpan]] {
    var lines = [title]
    let limit = height >= 24 ? 3 : height >= 16 ? 2 : 1
    guard isBegun else {
      return lines + [[LiveSpan("Preparing: nothing was sampled yet.", .strong)]]
    }
    lines += wrapped(picture.verdict, limit: limit).map { [LiveSpan($0, .strong)] }
    if height >= 30 {
      let room = width - 2
      lines += picture.chain.dropFirst().prefix(3).map {
        [LiveSpan("  " + PlainText.shortenedAtRight($0, to: room))]
      }
    }
    if height >= 20, let long = picture.longVerdict, long.length > picture.window {
      let words = "Last \(Figures.duration(long.length))\(age(of: long)): "
      lines.append([LiveSpan(words, .dim), LiveSpan(long.text)])
    }
    guard !picture.isImported else { return lines + [[LiveSpan(samplesWords)]] }
    lines.append(states)
    if height >= 12 { lines.append(cost) }
    return lines
  }

  /// How old the verdict on the last minutes is, where that is more than a moment: it is made less often.
  private func age(of long: LivePicture.LongVerdict) -> String {
    let age = picture.elapsed - long.time
    return age < 1_000_000_000 ? "" : ", \(age / 1_000_000_000) s ago"
  }

  private var samplesWords: String { Figures.count(picture.allWeight.samples, "sample") }

  /// Whether anything was sampled.
  private var isBegun: Bool { picture.elapsed > 0 || status.isReplay || status.end != nil }

  private var title: [LiveSpan] {
    let capture = picture.capture
    let name = capture.processName.printable
    var facts = [capture.pid > 0 ? "\(name) (pid \(capture.pid))" : name]
    if picture.isImported {
      facts.append("stacks of another tool")
    } else {
      if isBegun { facts.append(Figures.duration(picture.elapsed)) }
      facts.append(
        status.isReplay ? "replay of a capture" : "\(Figures.plain(capture.rate)) Hz")
    }
    var news: [String] = []
    if let thread = view.request.thread { news.append("thread \(thread.printable)") }
    if view.isPaused { news.append("PAUSED") }
    if status.isReplay, capture.ending == .targetEnded { news.append("the program has ended") }
    if let end = status.end { news.append(end) }
    // Where not all of it has room, what the user did not know is first.
    let isNarrow = width < 70
    let words = ["sprof top"] + (isNarrow ? news + facts : facts + news)
    return [LiveSpan(words.joined(separator: " · "), .heading)]
  }

  private var states: [LiveSpan] {
    let states = picture.states
    let count = Figures.count(Int64(picture.threadCount), "thread")
    // Nothing is known of what they do since.
    let time = status.isReplay || status.end != nil ? " at the end" : ""
    var spans = [LiveSpan(count + (picture.threadCount > 0 ? time + ":" : ""))]
    for (count, word, style) in [
      (states.running, "running", LiveSpan.Style.good), (states.waiting, "ready", .warning),
      (states.blocked, "asleep", .plain), (states.uninterruptible, "in D", .bad),
      (states.stopped, "stopped", .bad), (states.unknown, "unknown", .dim),
    ] where count > 0 {
      spans.append(LiveSpan(" \(count) \(word)", style))
    }
    spans.append(LiveSpan(" · CPU \(Figures.percent(picture.cpu)) %"))
    if let long = picture.longVerdict {
      let text =
        long.freezes == 0
        ? " · no freeze"
        : " · froze \(long.freezes == 1 ? "once" : "\(long.freezes) times"), longest "
          + (long.isLongestAtLeast ? "at least " : "") + Figures.duration(long.longest)
      spans.append(LiveSpan(text, long.freezes == 0 ? .plain : .bad))
    }
    return spans
  }

  private var cost: [LiveSpan] {
    let cost = picture.capture.cost
    let stopped = cost.stoppedShare(of: picture.elapsed)
    var text = "sprof: "
    if !status.isReplay { text += "\(Figures.percent(status.ownCPU)) % of a core · " }
    text += "program stopped \(Figures.percent(stopped)) % of the time"
    text += " · \(cost.ticksTaken) of \(cost.ticksPlanned) ticks"
    return [LiveSpan(text, .dim)]
  }

  private var tabs: [LiveSpan] {
    var spans: [LiveSpan] = []
    for (number, pane) in LivePane.allCases.enumerated() {
      let isShown = pane == view.pane
      // Where the names of all have no room, the others have their numbers.
      let name = width < 60 && !isShown ? "\(number + 1)" : "\(number + 1) \(pane.title)"
      spans.append(LiveSpan(name, isShown ? .heading : .plain))
      spans.append(LiveSpan(" "))
    }
    var words =
      picture.isImported
      ? " all \(samplesWords)"
      : " last \(Figures.duration(picture.window)) · \(view.unit.rawValue)"
    if view.pane == .functions || view.pane == .threads { words += " · by \(view.sort.rawValue)" }
    if !view.filter.isEmpty { words += " · /\(view.filter.printable)" }
    spans.append(LiveSpan(words, .dim))
    return spans
  }

  // MARK: - Body

  private func body(room: Int, view: inout LiveView) -> [[LiveSpan]] {
    let entries = view.entries(picture)
    let header = view.header(picture)
    var lines: [[LiveSpan]] = []
    if view.pane == .stack {
      lines.append([LiveSpan(view.cache?.stack.title ?? "", .strong)])
    } else {
      let fitted = PlainText.paddedAtRight(
        fitted(figures: header.figures) + header.text, to: width)
      lines.append([LiveSpan(fitted, .heading)])
    }
    let count = max(1, room)
    view.pageRows = count
    // It is of other threads than those that were asked for since, and the next one is being made.
    guard view.request.thread == picture.thread || view.pane == .stack || !isBegun else {
      return lines + [[LiveSpan("…", .dim)]]
    }
    guard !entries.isEmpty else {
      return lines + [[LiveSpan(view.filter.isEmpty ? emptyWords : "No row matches.", .dim)]]
    }
    let chosen = view.chosenPlace(in: entries)
    var first = min(view.first[view.pane] ?? 0, max(0, entries.count - count))
    if chosen < first { first = chosen }
    if chosen >= first + count { first = chosen - count + 1 }
    view.first[view.pane] = first
    for place in first..<min(first + count, entries.count) {
      let isChosen = place == chosen && view.chosen[view.pane] != nil
      lines.append(line(view.row(entries[place], picture), isChosen: isChosen))
    }
    return lines
  }

  /// The figures that there is room for: in narrow terminals the first.
  private func fitted(figures: String) -> String {
    guard width < 60, !figures.isEmpty else { return figures }
    let columns =
      switch view.pane {
      case .functions: 6
      case .threads: 13
      case .blockers, .tree: 8
      case .stack: 0
      }
    return String(figures.prefix(columns)) + " "
  }

  private var emptyWords: String {
    guard isBegun else { return "" }
    if picture.isImported, view.pane == .blockers {
      return "What threads waited for is not known of stacks of another tool."
    }
    let isEmpty = picture.windowWeight.samples == 0 && picture.threads.isEmpty
    return switch view.pane {
    case .functions where isEmpty, .tree where isEmpty: "No thread was seen in this time."
    case .functions, .tree:
      view.unit == .cpu
        ? "No thread used a CPU in this time." : "All threads were at rest in this time."
    case .threads: "No thread was seen in this time."
    case .blockers:
      "No thread was seen to wait for a lock whose owner is known, a thread or a process."
    case .stack: "No stack is known."
    }
  }

  private func line(_ row: LiveRow, isChosen: Bool) -> [LiveSpan] {
    let style = isChosen ? LiveSpan.Style.chosen : row.style
    let figures = fitted(figures: row.figures)
    let room = max(0, width - PlainText.columns(figures))
    let detailColumns = PlainText.columns(row.detail)
    // Of a time line the last moments matter.
    let needed = PlainText.columns(row.text + row.owner + row.rest)
    let strip = max(8, min(room / 3, room - needed - 1))
    let detail =
      row.detail.isEmpty || room < 40 + min(detailColumns, 20)
      ? ""
      : view.pane == .threads
        ? String(row.detail.suffix(strip))
        : PlainText.shortenedAtLeft(row.detail, to: min(detailColumns, room / 2))
    let textRoom = max(0, room - (detail.isEmpty ? 0 : PlainText.columns(detail) + 1))
    var line = figures + text(of: row, room: textRoom)
    if !detail.isEmpty {
      line = PlainText.paddedAtRight(line, to: width - PlainText.columns(detail)) + detail
    }
    return [LiveSpan(isChosen ? PlainText.paddedAtRight(line, to: width) : line, style)]
  }

  /// The text of a row in so many columns: who holds a lock is left whole where that can be.
  private func text(of row: LiveRow, room: Int) -> String {
    if row.thread == nil, view.pane == .functions {
      return PlainText.shortenedInMiddle(row.text, to: room)
    }
    let owner = PlainText.columns(row.owner)
    let isLong = PlainText.columns(row.text) + owner > room
    guard isLong, owner > 0, owner <= room / 2 else {
      return PlainText.shortenedAtRight(row.text + row.owner + row.rest, to: room)
    }
    return PlainText.shortenedAtRight(row.text, to: room - owner) + row.owner
  }

  private var foot: [LiveSpan] {
    switch view.prompt {
    case .filter(let text): return [LiveSpan("Filter: \(text)_", .strong)]
    case .thread(let text): return [LiveSpan("Thread (name or number): \(text)_", .strong)]
    case nil: break
    }
    if !view.message.isEmpty { return [LiveSpan(view.message.printable, .strong)] }
    return [
      LiveSpan(
        "h help  q quit  1-5 panes  / filter  t thread  s sort  c CPU/wall  p pause  r reset  d dump  "
          + "w write  +/- rate", .dim)
    ]
  }

  // MARK: - Fitting

  func wrapped(_ text: String, limit: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for part in PlainText.unbreakableParts(of: PlainText.printable(text)) {
      let longer = line.isEmpty ? part : line + " " + part
      if PlainText.columns(longer) <= width || line.isEmpty {
        line = longer
      } else {
        lines.append(line)
        line = "  " + part
      }
    }
    lines.append(line)
    guard lines.count > limit else { return lines }
    let rest = lines[limit - 1] + lines.dropFirst(limit).map { $0.dropFirst() }.joined()
    return lines.prefix(limit - 1) + [PlainText.shortenedAtRight(rest, to: width)]
  }

  private func fitted(_ line: [LiveSpan]) -> [LiveSpan] {
    var room = width
    var result: [LiveSpan] = []
    for span in line where room > 0 {
      let text = PlainText.shortenedAtRight(span.text, to: room)
      room -= PlainText.columns(text)
      result.append(LiveSpan(status.isASCII ? text.asciiOnly : text, span.style))
    }
    return result
  }
}

extension String {
  /// The text without what a terminal of ASCII cannot show.
  var asciiOnly: String {
    if utf8.allSatisfy({ $0 < 0x80 }) { return self }
    return String(
      map { character -> Character in
        if character.isASCII { return character }
        switch character {
        case "·": return "|"
        case "…": return "~"
        case "→": return ">"
        case "↑": return "^"
        case "↓": return "v"
        case "×": return "x"
        case "µ": return "u"
        case "█", "▄": return "#"
        case "▁": return "_"
        case "±": return "~"
        default: return "?"
        }
      })
  }
}

extension LiveScreen {
  /// The picture as a block of text: for a pipe.
  package static func block(
    _ view: LiveView, _ picture: LivePicture, _ status: LiveStatus, rows: Int = 10, width: Int = 100
  ) -> String {
    var view = view
    let screen = LiveScreen(
      view: view, picture: picture, status: status, width: width, height: 40)
    let lines = screen.head + screen.body(room: rows, view: &view)
    return lines.map { line in
      let text = screen.fitted(line).map(\.text).joined()
      return String(text.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
