internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The virtual threads of a process.
  mutating func members(ofVirtualThreads list: Goroutines) {
    member("pid", list.pid)
    member("version", list.version)
    member("count", list.count)
    member("steady", list.isSteady)
    member("cut", list.isCut)
    member("untracked", list.isUntracked)
    array("stacks", of: list.stacks) { json, stack in
      json.array { json in
        for line in stack {
          json.object { json in
            json.member("function", line.function)
            json.member("file", line.file)
            json.member("line", line.line > 0 ? line.line : nil)
          }
        }
      }
    }
    array("groups", of: list.groups) { json, group in
      json.object { $0.members(ofVirtual: group) }
    }
  }

  private mutating func members(ofVirtual group: GoroutineGroup) {
    member("state", group.state.rawValue)
    member("java_state", group.reason)
    member("count", group.count)
    array("ids", of: group.ids) { $0.value($1) }
    array("names", of: group.names) { $0.value($1) }
    array("tids", of: group.threads) { $0.value($1) }
    member("stack", group.stack)
    guard let wait = group.wait else { return null("wait") }
    object("wait") { json in
      json.member("kind", wait.kind.rawValue)
      json.members(ofObject: wait.object)
      json.array("owners", of: wait.owners) { json, owner in json.object { $0.members(of: owner) } }
    }
  }
}
