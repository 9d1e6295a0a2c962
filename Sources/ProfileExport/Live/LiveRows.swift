internal import ProfileAnalysis
internal import ProfileModel

/// A row of a pane.
struct LiveRow {
  /// What it stands for, whatever its place; no two rows of a pane have the same.
  var key: String
  /// Figures, as wide as the header's.
  let figures: String
  let text: String
  /// What is shown at the right end where there is room.
  var detail = ""
  var thread: Int32?
  var style = LiveSpan.Style.plain
}

/// The rows that were made last, and what they were made of.
struct LiveRowCache {
  struct Key: Equatable {
    let picture: Int
    let pane: LivePane
    let sort: LiveSort
    let unit: WeightUnit
    let filter: String
    let folded: Set<String>
  }

  let key: Key
  let rows: [LiveRow]
}

extension LiveView {
  /// The same as `rows`, made once for each picture: a thousand rows for each key would cost more than all
  /// that is drawn.
  mutating func knownRows(_ picture: LivePicture) -> [LiveRow] {
    let key = LiveRowCache.Key(
      picture: picture.number, pane: pane, sort: sort, unit: unit, filter: filter, folded: folded)
    if picture.number != 0, let cache, cache.key == key { return cache.rows }
    let rows = rows(picture)
    cache = LiveRowCache(key: key, rows: rows)
    return rows
  }

  /// The rows of the pane, in the order and after the filter that were chosen.
  func rows(_ picture: LivePicture) -> [LiveRow] {
    var all =
      switch pane {
      case .functions: functionRows(picture)
      case .threads: threadRows(picture)
      case .blockers: blockerRows(picture)
      case .tree: treeRows(picture)
      case .stack:
        picture.stack.enumerated().map { LiveRow(key: "\($0)", figures: "", text: $1) }
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
    return all.filter { row in
      row.text.lowercased().contains(wanted) || row.detail.lowercased().contains(wanted)
    }
  }

  /// The header of the figures and of the text.
  var header: (figures: String, text: String) {
    switch pane {
    case .functions: ("  own%  total%  all own%  all total%   ", "function")
    case .threads: ("    tid  cpu%  since  ", "thread")
    case .blockers: ("  lost s  threads  ", "waiting for · held by · meanwhile")
    case .tree: ("  total%    own%  ", "called from above")
    case .stack: ("", "")
    }
  }

  private func share(_ weight: Weight, of whole: Weight) -> Double {
    whole[unit] > 0 ? Double(weight[unit]) / Double(whole[unit]) : 0
  }

  private func cell(_ share: Double, _ width: Int) -> String {
    PlainText.paddedAtLeft(Figures.fixed(share * 100, decimals: 1), to: width)
  }

  private func functionRows(_ picture: LivePicture) -> [LiveRow] {
    let rows = picture.functions.map { function in
      (
        function, own: share(function.own, of: picture.windowWeight),
        total: share(function.total, of: picture.windowWeight),
        all: share(function.ownOfAll, of: picture.allWeight),
        allTotal: share(function.totalOfAll, of: picture.allWeight)
      )
    }.filter { $0.total > 0 || $0.allTotal > 0 }
    let sorted = rows.enumerated().sorted { left, right in
      let (one, other) = (left.element, right.element)
      switch sort {
      case .own: return (one.own, one.total, right.offset) > (other.own, other.total, left.offset)
      case .total:
        return (one.total, one.own, right.offset) > (other.total, other.own, left.offset)
      case .all:
        return (one.all, one.allTotal, right.offset) > (other.all, other.allTotal, left.offset)
      case .name: return (one.0.name, left.offset) < (other.0.name, right.offset)
      }
    }.map(\.element)
    return sorted.map { row in
      let trend = row.own > row.all * 1.25 + 0.01 ? "↑" : row.own < row.all * 0.8 - 0.01 ? "↓" : " "
      return LiveRow(
        key: row.0.name + "\u{1F}" + row.0.place,
        figures: cell(row.own, 6) + cell(row.total, 8) + cell(row.all, 10) + cell(row.allTotal, 12)
          + " " + trend + " ",
        text: row.0.name, detail: row.0.place,
        style: row.own >= 0.2 ? .strong : row.own == 0 ? .dim : .plain)
    }
  }

  private func threadRows(_ picture: LivePicture) -> [LiveRow] {
    let sorted = picture.threads.enumerated().sorted { left, right in
      let (one, other) = (left.element, right.element)
      switch sort {
      // Those that do something first, then those that wait for others, those at rest last.
      case .own: return (one.rank, right.offset) > (other.rank, left.offset)
      case .total, .all: return (one.since, right.offset) > (other.since, left.offset)
      case .name: return (one.name, left.offset) < (other.name, right.offset)
      }
    }.map(\.element)
    let nameWidth = min(20, sorted.lazy.map { PlainText.columns($0.name) }.max() ?? 0)
    return sorted.map { thread in
      let name = PlainText.paddedAtRight(
        PlainText.shortenedInMiddle(thread.name, to: nameWidth), to: nameWidth)
      let since = thread.since > 0 ? Self.short(thread.since) : ""
      return LiveRow(
        key: "\(thread.tid)",
        figures: PlainText.paddedAtLeft("\(thread.tid)", to: 7) + cell(thread.cpu, 6)
          + PlainText.paddedAtLeft(since, to: 7) + "  ",
        text: name + "  " + PlainText.printable(thread.doing), detail: strip(thread),
        thread: thread.tid, style: thread.style)
    }
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

  private func blockerRows(_ picture: LivePicture) -> [LiveRow] {
    picture.blockers.map { blocker in
      let parts = [blocker.wait, blocker.owner, blocker.deed].filter { !$0.isEmpty }
      return LiveRow(
        key: parts.joined(separator: "\u{1F}"),
        figures: PlainText.paddedAtLeft(Figures.seconds(blocker.lost, decimals: 2), to: 8)
          + PlainText.paddedAtLeft("\(blocker.waiters)", to: 9) + "  ",
        text: PlainText.printable(parts.joined(separator: " · ")), thread: blocker.ownerThread,
        style: blocker.lost > picture.window / 2 ? .bad : .plain)
    }
  }

  private func treeRows(_ picture: LivePicture) -> [LiveRow] {
    var rows: [LiveRow] = []
    var hiddenDepth = Int.max
    for call in picture.calls {
      if call.depth > hiddenDepth { continue }
      hiddenDepth = folded.contains(call.path) ? call.depth : Int.max
      let total = share(call.total, of: picture.windowWeight)
      // What is less explains nothing.
      guard total >= 0.005 else { continue }
      let mark = !call.hasChildren ? "  " : folded.contains(call.path) ? "+ " : "- "
      rows.append(
        LiveRow(
          key: call.path,
          figures: cell(total, 8) + cell(share(call.own, of: picture.windowWeight), 8) + "  ",
          text: String(repeating: " ", count: min(call.depth, 60)) + mark + call.name,
          style: total >= 0.5 ? .strong : .plain))
    }
    return rows
  }
}

extension LivePicture.Thread {
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
