internal import ProfileAnalysis
internal import ProfileModel

/// Says where time went that threads waited, and who held them up.
struct BlameWords {
  let tree: BlameTree
  let words: WaitWords

  init(_ tree: BlameTree, _ words: WaitWords) {
    self.tree = tree
    self.words = words
  }

  /// A node in a few words, as they follow its time.
  func node(_ number: Int) -> String {
    let node = tree.nodes[number]
    switch node.kind {
    case .thread, .process, .anyOf, .endedThread, .readers:
      return (node.parent == nil ? "" : "→ ") + owner(node.kind, for: pid(of: number))
    default: return deed(node.kind, node.place, pid: pid(of: number))
    }
  }

  /// Who holds up a wait of a thread of the process `waiter`.
  func owner(_ kind: BlameTree.Kind, for waiter: Int32) -> String {
    switch kind {
    case .thread(let thread): words.thread(thread)
    case .process(let pid, let name):
      pid == words.profile.capture.pid
        ? "a thread of the program itself"
        : (name.isEmpty ? "pid \(pid)" : "\(name.quoted) (pid \(pid))") + ", not sampled"
    case .anyOf(let owners): words.owners(owners, in: waiter)
    case .endedThread(let tid): "exited thread \(tid)"
    case .readers(let count): Figures.count(Int64(count), "reader") + ", not known which"
    case .ownerUnknown: "owner not known"
    case .computed, .runnable, .wait, .stopped, .unknown, .notSampled, .cycle, .limit: ""
    }
  }

  private func owner(at node: Int) -> String { owner(tree.nodes[node].kind, for: pid(of: node)) }

  /// What a thread did; `pid` is its process.
  func deed(_ kind: BlameTree.Kind, _ place: Int?, pid: Int32) -> String {
    let place = place.map { " in " + ShortName.bare(tree.places[$0].function).shortName } ?? ""
    return switch kind {
    case .computed: "computing" + place
    case .runnable: "runnable, waiting for a CPU" + place
    case .wait(let wait): words.action(tree.waits[wait], in: pid) + place
    case .stopped: "stopped"
    case .unknown: "activity not known"
    case .ownerUnknown: "owner not known"
    case .notSampled: "not sampled at that time"
    case .cycle(let isDeadlock):
      isDeadlock
        ? "deadlock: it waits for a thread above" : "waiting for a thread above, changing hands"
    case .limit: "not followed further"
    case .thread, .process, .anyOf, .endedThread, .readers: owner(kind, for: pid)
    }
  }

  /// Who held up a thread for much of its time, as a sentence.
  func sentence(of finding: BlameFinding) -> String {
    let (nodes, path) = (tree.nodes, finding.path)
    let waited = Figures.duration(finding.waited)
    var sentence = waited + " of its \(Figures.duration(nodes[0].total)) went by "
    let several = finding.ownerCount > 1 ? "\(finding.ownerCount) others in turn, most by " : ""
    let held = Figures.duration(finding.held)
    // What its owner did not hold up, another did, or one that is not known.
    let part = held == waited ? "" : "\(held) of it "
    let isOfPlace = finding.isInOneFunction
    sentence += deed(
      nodes[path[0]].kind, isOfPlace ? nodes[path[0]].place : nil, pid: pid(of: path[0]))
    sentence += ", \(part)held up by \(several)\(owner(at: path[1]))"
    var place = 2
    while place < path.count {
      let isLast = place + 1 == path.count
      let deed = node(path[place])
      guard case .wait = nodes[path[place]].kind, !isLast else {
        sentence += ", mostly " + deed
        break
      }
      sentence += ", itself \(deed), held up by \(owner(at: path[place + 1]))"
      place += 2
    }
    return sentence + "."
  }

  /// A row of the table of blockers: what was waited for, who held it up, and what that one did meanwhile.
  func cells(of row: BlockerTable.Row) -> [String] {
    var pid = words.profile.capture.pid
    if case .thread(let thread) = row.owner { pid = words.pid(of: thread) }
    return [
      words.action(tree.waits[row.wait], in: words.profile.capture.pid),
      owner(row.owner, for: words.profile.capture.pid),
      row.deed.map { deed($0, row.place, pid: pid) } ?? "",
    ]
  }

  /// The process whose thread did what a node stands for.
  func pid(of node: Int) -> Int32 {
    var next: Int? = node
    while let number = next {
      if case .thread(let thread) = tree.nodes[number].kind { return words.pid(of: thread) }
      next = tree.nodes[number].parent
    }
    return words.profile.capture.pid
  }
}

extension BlameTree.Kind {
  /// A word for programs.
  var rawName: String {
    switch self {
    case .thread: "thread"
    case .process: "process"
    case .anyOf: "any_of"
    case .endedThread: "ended_thread"
    case .readers: "readers"
    case .computed: "computed"
    case .runnable: "runnable"
    case .wait: "wait"
    case .stopped: "stopped"
    case .unknown: "unknown"
    case .ownerUnknown: "owner_not_known"
    case .notSampled: "not_sampled"
    case .cycle(let isDeadlock): isDeadlock ? "deadlock" : "changing_hands"
    case .limit: "limit"
    }
  }
}
