internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The most blockers on a page.
  private static let blockerLimit = 100
  /// Of a thread's time; what is less is drawn as a part of the box above it.
  private static let threshold = 0.0002

  /// The tree of blame of some threads as columns, and who held up others.
  mutating func members(
    ofPageBlameOf diagnosis: Diagnosis, threads: [Int], _ columns: inout PageColumns
  ) {
    let tree = BlameTree(diagnosis, threads: threads)
    let words = BlameWords(tree, WaitWords(diagnosis.index.profile))
    var (texts, names) = (Numbering<String>(), Numbering<String>())
    var places = Array(repeating: -1, count: tree.nodes.count)
    var least: Int64 = 0
    var (parents, numbers, kinds): ([Int], [Int], [Int]) = ([], [], [])
    var own: [Int64] = []
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
      let text = words.node(number)
      texts.add(text)
      numbers.append(texts.number(of: text))
      var name = node.kind.rawName
      if case .wait(let wait) = node.kind { name = tree.waits[wait].kind.pageGroup.rawValue }
      names.add(name)
      kinds.append(names.number(of: name))
      own.append(node.own)
    }
    object("blame") { json in
      json.member("count", parents.count)
      json.object("columns") { json in
        // How far back the parent is; the root of all threads is before the first.
        json.member("parents", columns.add(parents.enumerated().map { UInt64($0 - $1) }))
        json.member("words", columns.add(numbers.map { UInt64($0) }))
        json.member("kinds", columns.add(kinds.map { UInt64($0) }))
        json.member("own", columns.add(signed: own))
      }
      json.array("texts", of: texts.items) { $0.value($1) }
      json.array("kinds", of: names.items) { $0.value($1) }
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
