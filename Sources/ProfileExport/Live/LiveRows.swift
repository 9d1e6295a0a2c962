internal import ProfileAnalysis
internal import ProfileModel

/// A row of a pane.
struct LiveRow {
  /// What it stands for, whatever its place; no two rows of a pane have the same.
  let key: String
  /// Figures, as wide as the header's.
  let figures: String
  let text: String
  /// What follows the text, who holds it, and is kept where the text has to be cut; and what is cut first.
  var owner = ""
  var rest = ""
  /// What is shown at the right end where there is room.
  var detail = ""
  var thread: Int32?
  var style = LiveSpan.Style.plain
}

/// A row of a pane before it is drawn: most never are.
struct LiveEntry {
  /// That of the row.
  var key: String
  /// Its place in the picture's array for the pane.
  let item: Int
  var thread: Int32?
}

/// The rows of a pane that were put in order last, and what they were made of.
struct LiveRowCache {
  struct Key: Equatable {
    let picture: Int
    let pane: LivePane
    let sort: LiveSort
    let unit: WeightUnit
    let filter: String
    let folded: Set<String>
    let focus: Int32?
  }

  let key: Key
  var entries: [LiveEntry] = []
  /// Columns for the names of threads.
  let nameWidth: Int
  /// The stack that is shown, in the pane of stacks.
  let stack: (title: String, lines: [String])
}

extension LiveView {
  /// The rows of the pane, in the order and after the filter that were chosen, put in order once for each
  /// picture: a thousand for each key would cost more than all that is drawn.
  mutating func entries(_ picture: LivePicture) -> [LiveEntry] {
    let key = LiveRowCache.Key(
      picture: picture.number, pane: pane, sort: sort, unit: unit, filter: filter, folded: folded,
      focus: focus)
    if picture.number != 0, let cache, cache.key == key { return cache.entries }
    let stack = pane == .stack ? picture.stacks?.stack(of: focus) : nil
    cache = LiveRowCache(key: key, nameWidth: nameWidth(picture), stack: stack ?? ("", []))
    let entries = madeEntries(picture)
    cache?.entries = entries
    return entries
  }

  /// All rows as they are drawn.
  func rows(_ picture: LivePicture) -> [LiveRow] {
    var view = self
    view.cache = nil
    return view.entries(picture).map { view.row($0, picture) }
  }

  private func madeEntries(_ picture: LivePicture) -> [LiveEntry] {
    var all =
      switch pane {
      case .functions: functionEntries(picture)
      case .threads: threadEntries(picture)
      case .blockers: blockerEntries(picture)
      case .tree: treeEntries(picture)
      case .stack: stackLines.indices.map { LiveEntry(key: "\($0)", item: $0) }
      }
    // Rows may read alike: the one that was chosen could not be left then.
    var counts: [String: Int] = [:]
    for place in all.indices {
      let count = counts[all[place].key, default: 0] + 1
      counts[all[place].key] = count
      if count > 1 { all[place].key += "\u{1F}\(count)" }
    }
    guard !filter.isEmpty else { return all }
    let wanted = filter.lowercased()
    return all.filter { text(of: $0, picture).lowercased().contains(wanted) }
  }

  /// What a filter looks for its text in.
  private func text(of entry: LiveEntry, _ picture: LivePicture) -> String {
    switch pane {
    case .functions: picture.functions[entry.item].name + "\n" + picture.functions[entry.item].place
    case .threads: picture.threads[entry.item].words
    case .blockers: picture.blockers[entry.item].words
    case .tree: picture.calls[entry.item].name
    case .stack: stackLines[entry.item]
    }
  }

  private var stackLines: [String] { cache?.stack.lines ?? [] }

  /// A row as it is drawn, of the picture that it was put in order for.
  func row(_ entry: LiveEntry, _ picture: LivePicture) -> LiveRow {
    switch pane {
    case .functions: functionRow(entry, picture)
    case .threads: threadRow(entry, picture)
    case .blockers: blockerRow(entry, picture)
    case .tree: treeRow(entry, picture)
    case .stack: LiveRow(key: entry.key, figures: "", text: stackLines[entry.item])
    }
  }

  /// The header of the figures and of the text.
  func header(_ picture: LivePicture) -> (figures: String, text: String) {
    // What the tables leave out: time at rest takes no CPU time.
    let restWords = unit == .wall && !picture.isImported ? ", without time at rest" : ""
    return switch pane {
    case .functions:
      ("  own%  total%  all own%  all total%   ", "function" + restWords)
    case .threads: ("    tid  cpu%  since  ", "thread")
    case .blockers: ("  lost s  threads  ", "waiting for · held by · meanwhile")
    case .tree: ("  total%    own%  ", "called from above" + restWords)
    case .stack: ("", "")
    }
  }

  private func share(_ weight: Weight, of whole: Weight) -> Double {
    whole[unit] > 0 ? Double(weight[unit]) / Double(whole[unit]) : 0
  }

  private func cell(_ share: Double, _ width: Int) -> String {
    PlainText.paddedAtLeft(Figures.fixed(share * 100, decimals: 1), to: width)
  }

  private func functionEntries(_ picture: LivePicture) -> [LiveEntry] {
    let rows = picture.functions.enumerated().lazy.map { item, function in
      (
        item: item, own: function.own[unit], total: function.total[unit],
        all: function.ownOfAll[unit], allTotal: function.totalOfAll[unit]
      )
    }.filter { $0.total > 0 || $0.allTotal > 0 }
    let names = picture.functions
    let sorted = rows.sorted { one, other in
      switch sort {
      case .own: return (one.own, one.total, other.item) > (other.own, other.total, one.item)
      case .total: return (one.total, one.own, other.item) > (other.total, other.own, one.item)
      case .all:
        return (one.all, one.allTotal, other.item) > (other.all, other.allTotal, one.item)
      case .name:
        return (names[one.item].name, one.item) < (names[other.item].name, other.item)
      }
    }
    return sorted.map { row in
      LiveEntry(key: names[row.item].name + "\u{1F}" + names[row.item].place, item: row.item)
    }
  }

  private func functionRow(_ entry: LiveEntry, _ picture: LivePicture) -> LiveRow {
    let function = picture.functions[entry.item]
    let own = share(function.own, of: picture.windowWeight)
    let all = share(function.ownOfAll, of: picture.allWeight)
    let trend = own > all * 1.25 + 0.01 ? "↑" : own < all * 0.8 - 0.01 ? "↓" : " "
    let totals = [
      cell(share(function.total, of: picture.windowWeight), 8), cell(all, 10),
      cell(share(function.totalOfAll, of: picture.allWeight), 12),
    ]
    return LiveRow(
      key: entry.key, figures: cell(own, 6) + totals.joined() + " " + trend + " ",
      text: ShortName.bare(function.name), detail: function.place,
      style: own >= 0.2 ? .strong : own == 0 ? .dim : .plain)
  }

  private func threadEntries(_ picture: LivePicture) -> [LiveEntry] {
    let threads = picture.threads
    let ranks = threads.map(\.rank)
    let sorted = threads.indices.sorted { one, other in
      switch sort {
      // Those that do something first, then those that wait for others, those at rest last.
      case .own: return (ranks[one], other) > (ranks[other], one)
      case .total, .all: return (threads[one].since, other) > (threads[other].since, one)
      case .name: return (threads[one].name, one) < (threads[other].name, other)
      }
    }
    return sorted.map { LiveEntry(key: "\(threads[$0].tid)", item: $0, thread: threads[$0].tid) }
  }

  private func nameWidth(_ picture: LivePicture) -> Int {
    guard pane == .threads else { return 0 }
    return min(20, picture.threads.lazy.map { PlainText.columns($0.name) }.max() ?? 0)
  }

  private func threadRow(_ entry: LiveEntry, _ picture: LivePicture) -> LiveRow {
    let thread = picture.threads[entry.item]
    let nameWidth = cache?.nameWidth ?? nameWidth(picture)
    let name = PlainText.paddedAtRight(
      PlainText.shortenedInMiddle(thread.name, to: nameWidth), to: nameWidth)
    let since = thread.since > 0 ? Self.short(thread.since) : ""
    return LiveRow(
      key: entry.key,
      figures: PlainText.paddedAtLeft("\(thread.tid)", to: 7) + cell(thread.cpu, 6)
        + PlainText.paddedAtLeft(since, to: 7) + "  ",
      text: name + "  " + PlainText.printable(thread.doing),
      owner: PlainText.printable(thread.heldBy), rest: PlainText.printable(thread.place),
      detail: picture.isImported ? "" : strip(thread), thread: thread.tid, style: thread.style)
  }

  /// Nanoseconds in five columns at most: `40ms`, `3.2s`, `12m`, `5h`.
  static func short(_ time: Int64) -> String {
    switch time {
    case ..<1_000_000_000: return "\(time / 1_000_000)ms"
    case ..<100_000_000_000: return Figures.fixed(Double(time) / 1e9, decimals: 1) + "s"
    case ..<6_000_000_000_000: return "\(time / 60_000_000_000)m"
    case ..<360_000_000_000_000: return "\(time / 3_600_000_000_000)h"
    default: return "\(time / 86_400_000_000_000)d"
    }
  }

  /// What the thread did in the window: `█▄` for running, `.` for sleeping, `D` for a disk, `w` for waiting for
  /// a CPU.
  private func strip(_ thread: LivePicture.Thread) -> String {
    String(
      thread.strip.map { slot in
        switch slot.activity {
        case .running: slot.running > 0.75 ? "█" : "▄"
        case .waitingForCPU: "w"
        case .blocked: slot.running > 0.05 ? "▁" : "."
        case .uninterruptible: "D"
        case .stopped: "T"
        case .unknown, nil: " "
        }
      } as [Character])
  }

  private func blockerEntries(_ picture: LivePicture) -> [LiveEntry] {
    picture.blockers.enumerated().map { item, blocker in
      LiveEntry(
        key: blocker.parts.joined(separator: "\u{1F}"), item: item, thread: blocker.ownerThread)
    }
  }

  private func blockerRow(_ entry: LiveEntry, _ picture: LivePicture) -> LiveRow {
    let blocker = picture.blockers[entry.item]
    return LiveRow(
      key: entry.key,
      figures: PlainText.paddedAtLeft(Figures.seconds(blocker.lost, decimals: 2), to: 8)
        + PlainText.paddedAtLeft("\(blocker.waiters)", to: 9) + "  ",
      text: PlainText.printable(blocker.wait),
      owner: blocker.isOwnerKnown ? Self.part(blocker.owner) : "",
      rest: (blocker.isOwnerKnown ? "" : Self.part(blocker.owner)) + Self.part(blocker.deed),
      thread: blocker.ownerThread,
      style: blocker.lost > picture.window / 2 ? .bad : .plain)
  }

  private static func part(_ words: String) -> String {
    words.isEmpty ? "" : " · " + PlainText.printable(words)
  }

  private func treeEntries(_ picture: LivePicture) -> [LiveEntry] {
    var entries: [LiveEntry] = []
    var hiddenDepth = Int.max
    for (item, call) in picture.calls.enumerated() {
      if call.depth > hiddenDepth { continue }
      hiddenDepth = folded.contains(call.path) ? call.depth : Int.max
      // What is less explains nothing.
      guard share(call.total, of: picture.windowWeight) >= 0.005 else { continue }
      entries.append(LiveEntry(key: call.path, item: item))
    }
    return entries
  }

  private func treeRow(_ entry: LiveEntry, _ picture: LivePicture) -> LiveRow {
    let call = picture.calls[entry.item]
    let total = share(call.total, of: picture.windowWeight)
    let mark = !call.hasChildren ? "  " : folded.contains(call.path) ? "+ " : "- "
    return LiveRow(
      key: entry.key,
      figures: cell(total, 8) + cell(share(call.own, of: picture.windowWeight), 8) + "  ",
      text: String(repeating: " ", count: min(call.depth, 60)) + mark + ShortName.bare(call.name),
      style: total >= 0.5 ? .strong : .plain)
  }
}

extension LivePicture.Blocker {
  fileprivate var parts: [String] { [wait, owner, deed].filter { !$0.isEmpty } }

  fileprivate var words: String { PlainText.printable(parts.joined(separator: " · ")) }
}

extension LivePicture.Thread {
  fileprivate var words: String { name + "  " + doing + heldBy + place }

  fileprivate var rank: Double {
    cpu * 1000 + (isIdle ? 0 : 1) + (activity?.isRunnable ?? false ? 2 : 0)
      + (since > 0 && !isIdle ? 1 : 0)
  }

  fileprivate var style: LiveSpan.Style {
    switch activity {
    case .running: .good
    case .waitingForCPU: .warning
    case .uninterruptible, .stopped: .bad
    case .blocked: isIdle ? .dim : .plain
    case .unknown, nil: .dim
    }
  }
}
