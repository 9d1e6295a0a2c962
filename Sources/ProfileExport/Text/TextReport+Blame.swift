internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// Where each thread's time went; the time of a wait is shown as what those did who held it up.
  func writeBlame(to page: inout TextPage<some TextOutputStream>) {
    page.heading("Blame: each thread's time, and what held up its waits")
    let threads = blamedThreads
    let shown = threads.prefix(max(50, options.rows))
    let tree = BlameTree(diagnosis, threads: Array(shown))
    let writer = BlameWriter(words: BlameWords(tree, WaitWords(profile)))
    for thread in shown {
      guard let root = tree.roots[thread] else { continue }
      page.space()
      writer.write(root, to: &page)
    }
    guard threads.count > shown.count else { return }
    page.space()
    page.line(
      """
      … \(Figures.count(Int64(threads.count - shown.count), "more thread")) (raise --top, or use \
      --thread or --json, to see them)
      """)
  }

  /// The main threads first, the others in the order of the table of threads.
  private var blamedThreads: [Int] {
    let all = rows.flatMap(\.threads)
    return all.filter { profile.isMainThread($0) } + all.filter { !profile.isMainThread($0) }
  }

  /// Who held up others, and what they did meanwhile.
  func writeBlockers(to page: inout TextPage<some TextOutputStream>) {
    page.heading("Blockers: who held up others, most thread-seconds lost first")
    let tree = BlameTree(diagnosis, threads: rows.flatMap(\.threads))
    let table = BlockerTable(tree)
    let words = BlameWords(tree, WaitWords(profile))
    guard !table.rows.isEmpty else {
      page.paragraph(
        "No thread was seen to wait for a lock whose owner is known, another thread or another process."
      )
      return
    }
    for row in table.rows.prefix(options.rows) {
      page.paragraph(
        "  \(Figures.seconds(row.lost)) s lost by \(Figures.count(Int64(row.waiters), "thread")) · "
          + words.cells(of: row).filter { !$0.isEmpty }.joined(separator: " · "), indent: 4)
    }
    let hidden = table.rows.dropFirst(options.rows)
    guard !hidden.isEmpty else { return }
    let rest = hidden.reduce(Int64(0)) { $0 &+ $1.lost }
    page.line(
      """
        … \(Figures.count(Int64(hidden.count), "more row")) with \(Figures.seconds(rest)) s (raise \
      --top to see them)
      """)
  }
}

/// Writes the tree of one thread.
private struct BlameWriter {
  /// Of a thread's time; what is less is summed up.
  private static let threshold = 0.005
  private static let indentLimit = 24

  let words: BlameWords

  private struct Line {
    let node: Int?
    let time: Int64
    let depth: Int
    let hidden: Int
  }

  func write(_ root: Int, to page: inout TextPage<some TextOutputStream>) {
    let total = words.tree.nodes[root].total
    page.line(
      Span(
        "\(words.node(root).capitalizedFirst): \(Figures.seconds(total)) s of wall time", .strong))
    var pending = lines(below: root, depth: 0, of: total)
    while let line = pending.popLast() {
      write(line, of: total, to: &page)
      guard let node = line.node else { continue }
      pending += lines(below: node, depth: line.depth + 1, of: total)
    }
  }

  /// What is directly below a node, in the reverse of the order in which it is to be written.
  private func lines(below node: Int, depth: Int, of total: Int64) -> [Line] {
    let tree = words.tree
    let children = tree.children(of: node)
    let least = Int64((Double(total) * Self.threshold).rounded(.up))
    let shown = children.filter { tree.nodes[$0].total >= max(1, least) }
    var lines = shown.map { Line(node: $0, time: tree.nodes[$0].total, depth: depth, hidden: 0) }
    let rest = children.filter { tree.nodes[$0].total < max(1, least) }
    let time = rest.reduce(Int64(0)) { $0 &+ tree.nodes[$1].total }
    if time > 0 { lines.append(Line(node: nil, time: time, depth: depth, hidden: rest.count)) }
    return lines.reversed()
  }

  private func write(
    _ line: Line, of total: Int64, to page: inout TextPage<some TextOutputStream>
  ) {
    let seconds = PlainText.paddedAtLeft(Figures.seconds(line.time), to: 10)
    let share = PlainText.paddedAtLeft(Figures.percent(line.time, of: total), to: 6)
    let indent = String(repeating: "  ", count: min(line.depth, Self.indentLimit))
    let label = line.node.map { words.node($0) } ?? "… \(line.hidden) more below 0.5 %"
    page.line("\(seconds) s \(share) %  \(indent)\(label)")
  }
}
