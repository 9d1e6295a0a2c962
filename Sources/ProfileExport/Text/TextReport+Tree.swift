internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// The call tree; a line without a branch mark was called by the line above it.
  func writeTree(to page: inout TextPage<some TextOutputStream>) {
    guard profile.capture.maxDepth != 1 else {
      page.heading("Call tree")
      return page.line("None: callers were not captured (--no-callers).")
    }
    let tree = CallTree(
      index, groups: detailedRows.map(\.threads), sortedBy: options.sort ?? .wall)
    page.heading("Call tree, % of each thread's wall time and CPU time")
    for (row, root) in zip(detailedRows, tree.roots) {
      let total = tree.nodes[root].inclusive
      page.space()
      page.paragraph(
        """
        \(row.words(profile).capitalizedFirst): \(Figures.duration(total.wall)), \
        \(Figures.seconds(total.cpu)) s CPU
        """, style: .strong)
      page.line(Span(TreeLines.header, .dim))
      var lines = TreeLines(index: index, tree: tree, total: total)
      lines.write(root, to: &page)
    }
    writeRest(to: &page)
  }
}

/// The lines of the tree of one thread or group of threads.
private struct TreeLines {
  static let header = "% wall    self   % cpu    self  function  file"

  /// The part of the time and of the CPU time below which a node is only counted.
  private static let threshold = 0.005
  /// Of a longer row of calls without a branch the middle is left out, and counted.
  private static let chainLimit = 120
  /// Columns of branch marks; the outer levels of deeper ones are counted instead: `…+12`.
  private static let indentLimit = 36

  let index: ProfileIndex
  let tree: CallTree
  let total: Weight
  /// By node: the name of one of several callees, cut so that it reads as no other.
  private var names: [Int: String] = [:]

  init(index: ProfileIndex, tree: CallTree, total: Weight) {
    (self.index, self.tree, self.total) = (index, tree, total)
  }

  /// A function in a row of calls without a branch; with `count` for one that called itself.
  private struct Link {
    var node: Int
    var count = 1
    var hidden = 0
  }

  /// How a node hangs on the one that called it.
  private enum Branch {
    /// As its only callee.
    case none
    case inner
    case last

    var mark: String {
      switch self {
      case .none: ""
      case .inner: "├ "
      case .last: "└ "
      }
    }

    /// What stands before the lines below it.
    var indent: String {
      switch self {
      case .none: ""
      case .inner: "│ "
      case .last: "  "
      }
    }
  }

  private enum Pending {
    case node(Int, indent: String, branch: Branch)
    case hidden(Int, indent: String)
  }

  mutating func write(_ root: Int, to page: inout TextPage<some TextOutputStream>) {
    let top = visibleChildren(of: root)
    distinguish(top.shown, indent: "", in: page)
    var pending = branches(top.shown, hidden: top.hidden, indent: "")
    if top.shown.count == 1 && top.hidden == 0 {
      pending = [.node(top.shown[0], indent: "", branch: .none)]
    }
    while let next = pending.popLast() {
      switch next {
      case .hidden(let count, let indent):
        let marks = shown(indent: indent + Branch.last.mark)
        page.line(Span(String(repeating: " ", count: 32) + marks + more(count), .dim))
      case .node(let node, let indent, let branch):
        let (chain, fork) = chain(from: node)
        let inner = indent + branch.indent
        write(chain, first: indent + branch.mark, others: inner, to: &page)
        distinguish(fork.shown, indent: inner, in: page)
        pending += branches(fork.shown, hidden: fork.hidden, indent: inner)
      }
    }
  }

  /// The calls from `node` on up to the first that has several callees or none, and those.
  private func chain(from node: Int) -> (links: [Link], fork: (shown: [Int], hidden: Int)) {
    var links: [Link] = []
    var link = Link(node: node)
    var below = visibleChildren(of: node)
    while below.shown.count == 1 {
      let child = below.shown[0]
      link.hidden = below.hidden
      let isRecursion =
        tree.nodes[child].kind == tree.nodes[link.node].kind && link.hidden == 0
        && !isShown(tree.nodes[link.node].own)
      if isRecursion {
        link = Link(node: child, count: link.count + 1)
      } else {
        links.append(link)
        link = Link(node: child)
      }
      below = visibleChildren(of: child)
    }
    if below.shown.isEmpty {
      link.hidden = below.hidden
      below.hidden = 0
    }
    return (links + [link], below)
  }

  /// Notes how the names of callees of one function are cut.
  private mutating func distinguish(
    _ nodes: [Int], indent: String, in page: borrowing TextPage<some TextOutputStream>
  ) {
    guard nodes.count > 1 else { return }
    let labels = nodes.map { label(of: tree.nodes[$0]) }
    let room = page.width - 32 - PlainText.columns(shown(indent: indent + Branch.last.mark))
    let names = DistinctLabels.labels(labels.map(\.name)) { number, name in
      labels[number].place.beside(name, room: room - mark(of: nodes[number], 1).utf8.count).name
    }
    for (node, name) in zip(nodes, names) { self.names[node] = name }
  }

  private func mark(of node: Int, _ count: Int) -> String {
    (tree.nodes[node].isInlined ? " (inlined)" : "")
      + (count > 1 ? " (recursion ×\(count))" : "")
  }

  /// Several callees in the reverse of the order in which they are to be written.
  private func branches(_ nodes: [Int], hidden: Int, indent: String) -> [Pending] {
    var list: [Pending] = nodes.enumerated().map { position, node in
      let isLast = position == nodes.count - 1 && hidden == 0
      return .node(node, indent: indent, branch: isLast ? .last : .inner)
    }
    if hidden > 0 { list.append(.hidden(hidden, indent: indent)) }
    return list.reversed()
  }

  private func isShown(_ weight: Weight) -> Bool {
    if total.wall <= 0 && total.cpu <= 0 { return weight.samples > 0 }
    return weight.wall > 0 && Double(weight.wall) >= Double(total.wall) * Self.threshold
      || weight.cpu > 0 && Double(weight.cpu) >= Double(total.cpu) * Self.threshold
  }

  private func visibleChildren(of node: Int) -> (shown: [Int], hidden: Int) {
    let children = tree.children(of: node)
    let shown = children.filter { isShown(tree.nodes[$0].inclusive) }
    return (shown, children.count - shown.count)
  }

  private func more(_ count: Int) -> String { "… \(count) more below 0.5 %" }

  // MARK: - Lines

  private func write(
    _ links: [Link], first: String, others: String, to page: inout TextPage<some TextOutputStream>
  ) {
    for (position, link) in links.enumerated() {
      if links.count > Self.chainLimit {
        let leftOut = links.count - Self.chainLimit
        let head = Self.chainLimit * 2 / 3
        if position == head {
          let margin = String(repeating: " ", count: 32) + shown(indent: others)
          page.line(Span(margin + "… \(leftOut) calls left out (--json has them) …", .dim))
        }
        if (head..<head + leftOut).contains(position) { continue }
      }
      write(link, indent: shown(indent: position == 0 ? first : others), to: &page)
    }
  }

  private func write(
    _ link: Link, indent: String, to page: inout TextPage<some TextOutputStream>
  ) {
    let node = tree.nodes[link.node]
    let figures = [
      Figures.percent(node.inclusive.wall, of: total.wall),
      Figures.percent(node.own.wall, of: total.wall),
      Figures.percent(node.inclusive.cpu, of: total.cpu),
      Figures.percent(node.own.cpu, of: total.cpu),
    ]
    let columns = zip(figures, [6, 8, 8, 8]).map { PlainText.paddedAtLeft($0, to: $1) }.joined()
    let label = label(of: node)
    let mark = mark(of: link.node, link.count)
    let note = link.hidden > 0 ? "  " + more(link.hidden) : ""
    let room = page.width - 32 - [indent, mark, note].reduce(0) { $0 + PlainText.columns($1) }
    let (name, place) = label.place.beside(names[link.node] ?? label.name, room: room)
    page.line(
      "\(columns)  \(indent)\(name)\(mark)", Span(place.isEmpty ? "" : "  " + place, .dim),
      Span(note, .dim))
  }

  private func label(of node: CallTree.Node) -> (name: String, place: SourcePlace) {
    switch node.kind {
    case .threads: return ("all", .none)
    case .noStack: return ("(no stack)", .none)
    case .missingCallers(let reason): return ("(callers unknown: \(reason.words))", .none)
    case .function(let number):
      let function = index.stacks.functions[number]
      if function.isElided { return (function.name, .none) }
      let place = index.profile.place(file: function.file, line: 0, module: function.module)
      return (PlainText.printable(function.name), place)
    }
  }

  /// The branch marks, with the outer ones counted where they would leave no room for names.
  private func shown(indent: String) -> String {
    // Every mark is one column, and every level two.
    guard indent.count > Self.indentLimit else { return indent }
    let kept = Self.indentLimit - 6
    return PlainText.paddedAtRight("…+\((indent.count - kept) / 2)", to: 6) + indent.suffix(kept)
  }
}
