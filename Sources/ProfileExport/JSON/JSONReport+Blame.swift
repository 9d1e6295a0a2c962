internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The tree of blame of some threads, and who held up others.
  mutating func members(ofBlame tree: BlameTree, _ words: BlameWords, _ profile: Profile) {
    array("nodes", of: tree.nodes.enumerated()) { json, entry in
      json.object { $0.members(of: entry.element, entry.offset, tree, words) }
    }
    array("waits", of: tree.waits) { json, wait in
      json.object { json in
        json.member("kind", wait.kind.rawValue)
        json.member("system_call", wait.systemCall)
        json.members(ofObject: wait.object)
        json.array("descriptors", of: wait.descriptors) { json, descriptor in
          json.object { $0.members(of: descriptor) }
        }
      }
    }
    let table = BlockerTable(tree)
    array("blockers", of: table.rows) { json, row in
      json.object { json in
        json.member("wait", row.wait)
        json.members(ofOwner: row.owner, words)
        json.member("owner_did", row.deed?.rawName)
        if case .wait(let wait)? = row.deed {
          json.member("owner_wait", wait)
        } else {
          json.null("owner_wait")
        }
        json.members(ofPlace: row.place.map { tree.places[$0] }, profile)
        json.member("lost_ns", row.lost)
        json.member("waiters", row.waiters)
      }
    }
    member("lost_ns", table.lost)
  }

  private mutating func members(
    of node: BlameTree.Node, _ number: Int, _ tree: BlameTree, _ words: BlameWords
  ) {
    member("kind", node.kind.rawName)
    member("parent", node.parent)
    var (thread, pid, tid, name, wait): (Int?, Int32?, Int32?, String?, Int?)
    switch node.kind {
    case .thread(let index):
      thread = index
      tid = words.words.profile.threads[index].tid
      pid = words.words.pid(of: index)
      name = words.words.profile.threads[index].name
    case .process(let process, let processName): (pid, name) = (process, processName)
    case .endedThread(let number): tid = number
    case .wait(let number): wait = number
    default: break
    }
    member("thread", thread)
    member("pid", pid)
    member("tid", tid)
    member("name", name)
    member("wait", wait)
    members(ofPlace: node.place.map { tree.places[$0] }, words.words.profile)
    member("words", words.node(number))
    member("self_ns", node.own)
    member("total_ns", node.total)
  }

  private mutating func members(ofOwner kind: BlameTree.Kind, _ words: BlameWords) {
    member("owner", kind.rawName)
    var (pid, tid): (Int32?, Int32?)
    switch kind {
    case .thread(let index):
      (pid, tid) = (words.words.pid(of: index), words.words.profile.threads[index].tid)
    case .process(let process, _): pid = process
    case .endedThread(let number): tid = number
    default: break
    }
    member("owner_pid", pid)
    member("owner_tid", tid)
    member("owner_words", words.owner(kind, for: words.words.profile.capture.pid))
  }

  private mutating func members(ofPlace place: BlameTree.Place?, _ profile: Profile) {
    member("function", place?.function)
    member("file", place?.file)
    member("module", place.flatMap { profile.position(of: $0.module) })
  }
}
