internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The most blockers on a page.
  private static let blockerLimit = 100

  /// The tree of blame of some threads as columns, and who held up others.
  mutating func members(
    ofPageBlameOf diagnosis: Diagnosis, threads: [Int], _ columns: inout PageColumns
  ) {
    let tree = BlameTree(diagnosis, threads: threads)
    let words = BlameWords(tree, WaitWords(diagnosis.index.profile))
    let drawn = DrawnBlame(tree, words)
    object("blame") { json in
      json.member("count", drawn.parents.count)
      json.object("columns") { json in
        // How far back the parent is; the root of all threads is before the first.
        json.member("parents", columns.add(drawn.parents.enumerated().map { UInt64($0 - $1) }))
        json.member("words", columns.add(drawn.words.map { UInt64($0) }))
        json.member("kinds", columns.add(drawn.kinds.map { UInt64($0) }))
        json.member("own", columns.add(signed: drawn.own))
      }
      json.array("texts", of: drawn.texts.items) { $0.value($1) }
      json.array("kinds", of: drawn.names.items) { $0.value($1) }
      json.array("blockers", of: BlockerTable(tree).rows.prefix(Self.blockerLimit)) { json, row in
        json.object { json in
          json.member("lost", row.lost)
          json.member("waiters", row.waiters)
          json.array("words", of: words.cells(of: row)) { $0.value($1) }
        }
      }
    }
  }
}

/// The boxes of a tree of blame that are large enough to be drawn, callers first.
private struct DrawnBlame {
  /// Of a thread's time; what is less is drawn as a part of the box above it.
  private static let threshold = 0.0002

  private(set) var texts = Numbering<String>()
  private(set) var names = Numbering<String>()
  /// By box: the one above it, -1 for none; its text and kind, as numbers; its own time.
  private(set) var parents: [Int] = []
  private(set) var words: [Int] = []
  private(set) var kinds: [Int] = []
  private(set) var own: [Int64] = []

  init(_ tree: BlameTree, _ blameWords: BlameWords) {
    var places = Array(repeating: -1, count: tree.nodes.count)
    var least: Int64 = 0
    for (number, node) in tree.nodes.enumerated() {
      if node.parent == nil { least = Int64(Double(node.total) * Self.threshold) }
      let parent = node.parent.map { places[$0] }
      guard node.total > 0 else { continue }
      guard node.parent == nil || node.total >= least else {
        // The nearest one above that is drawn has its time.
        places[number] = parent ?? -1
        if let parent, parent >= 0 { own[parent] &+= node.own }
        continue
      }
      places[number] = parents.count
      parents.append(parent ?? -1)
      let text = blameWords.node(number)
      texts.add(text)
      words.append(texts.number(of: text))
      var name = node.kind.rawName
      if case .wait(let wait) = node.kind { name = tree.waits[wait].kind.pageGroup.rawValue }
      names.add(name)
      kinds.append(names.number(of: name))
      own.append(node.own)
    }
  }
}
