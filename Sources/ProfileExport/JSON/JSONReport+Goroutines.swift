internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The goroutines of a process.
  mutating func members(of list: Goroutines) {
    member("pid", list.pid)
    member("version", list.version)
    member("count", list.count)
    member("steady", list.isSteady)
    member("cut", list.isCut)
    array("stacks", of: list.stacks) { json, stack in
      json.array { json in
        for line in stack {
          json.object { $0.members(ofGoLine: line) }
        }
      }
    }
    array("groups", of: list.groups) { json, group in
      json.object { json in
        json.member("state", group.state.rawValue)
        json.member("reason", group.reason)
        json.member("count", group.count)
        json.array("ids", of: group.ids) { $0.value($1) }
        json.array("tids", of: group.threads) { $0.value($1) }
        json.member("stack", group.stack)
        if let creator = group.creator {
          json.object("created_by") { $0.members(ofGoLine: creator) }
        } else {
          json.null("created_by")
        }
        json.member("of_runtime", group.isOfRuntime)
        json.member("object", group.object?.description)
        json.member("waited_ns", group.waited > 0 ? group.waited : nil)
        json.member("longest_wait_ns", group.longestWait > 0 ? group.longestWait : nil)
        json.member("long_waiters", group.longWaiters)
      }
    }
  }

  private mutating func members(ofGoLine line: SourceLine) {
    member("function", line.function)
    member("file", line.file)
    member("line", line.line > 0 ? line.line : nil)
  }
}
