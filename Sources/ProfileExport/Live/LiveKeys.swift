package import ProfileAnalysis
internal import ProfileModel

/// A key of a live view.
package enum LiveKey: Equatable, Sendable {
  case character(Character)
  case up, down, pageUp, pageDown, home, end
  case enter, escape, tab, backTab, backspace
}

/// What a key asks for that the view cannot do itself.
package enum LiveOrder: Equatable, Sendable {
  case quit, suspend
  /// Keep a dump, or the last minutes as a capture.
  case dump, write
  /// Sample twice as often, or half as often.
  case faster, slower
  /// Let the sums count from now on.
  case reset
  /// Make the picture anew: what is asked of it has changed.
  case remake
}

/// The parts of a live view.
package enum LivePane: String, CaseIterable, Sendable {
  case functions, threads, blockers, tree, stack

  var title: String { rawValue.capitalizedFirst }
}

/// What rows are sorted by.
package enum LiveSort: String, CaseIterable, Sendable {
  /// By the pane's first figure.
  case own
  case total
  /// By the figures since the beginning.
  case all
  case name
}

/// What a user has chosen to see: which pane, its order, what is left out, which row is the chosen one.
package struct LiveView: Sendable {
  /// What is being typed.
  enum Prompt: Equatable, Sendable {
    case filter(String)
    case thread(String)
  }

  package var pane = LivePane.functions
  package var sort = LiveSort.own
  /// What tables weigh by: `cpu` or `wall`.
  package var unit = WeightUnit.wall
  /// Keeps rows with this text in their name; empty for all.
  package var filter = ""
  package var request = LivePicture.Request()
  /// The thread whose stack is shown; nil for the one that matters most.
  var focus: Int32?
  package var isPaused = false
  package var showsHelp = false
  /// Words for the last line, and what they are about: an answer to a key.
  package var message = ""
  /// By pane: the row that is chosen, by what it stands for, and its place when it was last there.
  var chosen: [LivePane: (key: String, place: Int)] = [:]
  /// By pane: the first row that is shown.
  var first: [LivePane: Int] = [:]
  /// Nodes of the tree whose callees are hidden.
  var folded: Set<String> = []
  var prompt: Prompt?
  /// The first row of the help that is shown, the last that may be, and how many there is room for.
  var firstHelpRow = 0
  var lastHelpRow = 0
  var helpRows = 1
  var cache: LiveRowCache?
  /// Rows that fit at the last drawing.
  var pageRows = 10

  package init() {}

  /// Takes a key; gives what is to be done about it elsewhere.
  package mutating func take(_ key: LiveKey, _ picture: LivePicture) -> LiveOrder? {
    message = ""
    if prompt != nil { return type(key) }
    if showsHelp { return takeInHelp(key) }
    switch key {
    case .up: move(by: -1, picture)
    case .down: move(by: 1, picture)
    case .pageUp: move(by: -max(1, pageRows), picture)
    case .pageDown: move(by: max(1, pageRows), picture)
    case .home: move(by: -1_000_000, picture)
    case .end: move(by: 1_000_000, picture)
    case .tab: turn(by: 1)
    case .backTab: turn(by: -1)
    case .enter: return open(picture)
    case .escape: return clear()
    case .backspace: break
    case .character(let character): return take(character, picture)
    }
    return nil
  }

  private mutating func take(_ character: Character, _ picture: LivePicture) -> LiveOrder? {
    switch character {
    case "q", "\u{3}": return .quit
    case "\u{1A}": return .suspend
    case "h", "?": showsHelp = true
    case "k": move(by: -1, picture)
    case "j": move(by: 1, picture)
    case "g": move(by: -1_000_000, picture)
    case "G": move(by: 1_000_000, picture)
    case "1"..."5":
      pane = LivePane.allCases[(character.wholeNumberValue ?? 1) - 1]
    case "s": sort = sort.next
    case "c":
      unit = unit == .wall ? .cpu : .wall
      message = unit == .wall ? "Times are wall time" : "Times are CPU time"
    case "p", " ": isPaused.toggle()
    case "/": prompt = .filter(filter)
    case "t": prompt = .thread(request.thread ?? "")
    case "r": return .reset
    case "d": return .dump
    case "w": return .write
    case "+", "=": return .faster
    case "-": return .slower
    case "o": return followOwner(picture)
    default: break
    }
    return nil
  }

  /// Scrolls the help where it has no room; any other key goes back.
  private mutating func takeInHelp(_ key: LiveKey) -> LiveOrder? {
    var step: Int?
    switch key {
    case .down, .character("j"): step = 1
    case .up, .character("k"): step = -1
    case .pageDown: step = helpRows
    case .pageUp: step = -helpRows
    case .character("\u{1A}"): return .suspend
    default: break
    }
    if lastHelpRow > 0, let step {
      firstHelpRow = min(max(0, firstHelpRow + step), lastHelpRow)
      return nil
    }
    showsHelp = false
    firstHelpRow = 0
    return key == .character("q") || key == .character("\u{3}") ? .quit : nil
  }

  private mutating func turn(by step: Int) {
    let panes = LivePane.allCases
    let place = panes.firstIndex(of: pane) ?? 0
    pane = panes[(place + step + panes.count) % panes.count]
  }

  private mutating func clear() -> LiveOrder? {
    filter = ""
    guard request.thread != nil else { return nil }
    request.thread = nil
    return .remake
  }

  private mutating func type(_ key: LiveKey) -> LiveOrder? {
    guard let prompt else { return nil }
    var text =
      switch prompt {
      case .filter(let text), .thread(let text): text
      }
    switch key {
    case .escape:
      self.prompt = nil
      return nil
    case .enter:
      self.prompt = nil
      switch prompt {
      case .filter: filter = text
      case .thread:
        request.thread = text.isEmpty ? nil : text
        return .remake
      }
      return nil
    case .backspace: text = String(text.dropLast())
    case .character(let character):
      if character == "\u{3}" { return .quit }
      if text.count < 200, character.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) {
        text.append(character)
      }
    default: break
    }
    switch prompt {
    case .filter: self.prompt = .filter(text)
    case .thread: self.prompt = .thread(text)
    }
    return nil
  }

  // MARK: - Rows

  private mutating func move(by step: Int, _ picture: LivePicture) {
    let entries = entries(picture)
    guard !entries.isEmpty else { return }
    let next = min(max(0, chosenPlace(in: entries) + step), entries.count - 1)
    chosen[pane] = (entries[next].key, next)
  }

  /// The place of the chosen row; where it has gone, the row that is in its place now.
  func chosenPlace(in entries: [LiveEntry]) -> Int {
    guard let chosen = chosen[pane] else { return 0 }
    if entries.indices.contains(chosen.place), entries[chosen.place].key == chosen.key {
      return chosen.place
    }
    return entries.firstIndex { $0.key == chosen.key }
      ?? min(chosen.place, max(0, entries.count - 1))
  }

  private mutating func chosenEntry(_ picture: LivePicture) -> LiveEntry? {
    let entries = entries(picture)
    let place = chosenPlace(in: entries)
    return entries.indices.contains(place) ? entries[place] : nil
  }

  /// Enter: the stack of a thread, the owner of a lock, the callees of a function.
  private mutating func open(_ picture: LivePicture) -> LiveOrder? {
    guard let entry = chosenEntry(picture) else { return nil }
    switch pane {
    case .threads:
      focus = entry.thread
      pane = .stack
      (chosen[.stack], first[.stack]) = (nil, nil)
    case .blockers: return entry.thread.flatMap { jump(to: $0, picture) }
    case .tree:
      if folded.remove(entry.key) == nil { folded.insert(entry.key) }
    case .functions, .stack: break
    }
    return nil
  }

  /// `o`: the thread that holds what the chosen one waits for.
  private mutating func followOwner(_ picture: LivePicture) -> LiveOrder? {
    guard pane == .threads || pane == .blockers, let entry = chosenEntry(picture) else {
      return nil
    }
    let owner =
      pane == .blockers
      ? entry.thread : picture.threads.first { $0.tid == entry.thread }?.owner
    guard let owner else {
      message = "Nobody in the program is known to hold it"
      return nil
    }
    return jump(to: owner, picture)
  }

  private mutating func jump(to tid: Int32, _ picture: LivePicture) -> LiveOrder? {
    pane = .threads
    filter = ""
    let place = entries(picture).firstIndex { $0.thread == tid } ?? 0
    chosen[.threads] = ("\(tid)", place)
    return nil
  }
}

extension LiveSort {
  fileprivate var next: LiveSort {
    let all = Self.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }
}
