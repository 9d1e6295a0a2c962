internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The verdict of a report.
  mutating func members(ofVerdictOf diagnosis: Diagnosis) {
    let verdict = diagnosis.verdict
    let words = VerdictWords(diagnosis)
    member("kind", verdict.kind.rawValue)
    member("words", words.sentence)
    array("chain_words", of: words.chainLines) { $0.value($1) }
    member("tid", verdict.thread.map { diagnosis.index.profile.threads[$0].tid })
    array("chain", of: verdict.chain) { $0.value($1) }
    member("ring", verdict.isCycle)
    member("timed", verdict.isTimed)
    member("behind", verdict.behind)
    member("lasted_ns", verdict.lasted)
    member("lasted_at_least", verdict.isAtLeast)
    member("looks", verdict.samples)
    members(ofPlacesOf: verdict)
    member("running_percent", verdict.shares?.running)
    member("wanting_threads", verdict.wantingThreads)
    member("waiting_percent", verdict.shares?.waiting)
    member("blocked_percent", verdict.shares?.blocked)
    member("wait", verdict.wait?.kind.rawValue)
    member("wait_function", verdict.waitPlace?.line.function)
    let situation = verdict.thread.flatMap { diagnosis.situations[$0] }
    member("awaited_by", verdict.awaitedBy.map { diagnosis.index.profile.threads[$0].tid })
    members(of: verdict.hanging, diagnosis)
    let handler = (verdict.overdue ?? situation?.handler)?.line
    member("handler_of", handler == nil ? nil : situation?.handlerOf?.name)
    member("handler_function", handler?.function)
    member("handler_file", handler?.file)
    member("handler_line", handler.flatMap { $0.line > 0 ? $0.line : nil })
    member("idle_threads", verdict.idleThreads)
    member("alike_threads", verdict.alikeThreads)
    member("unseen", verdict.unseen?.rawValue)
    member("goroutines", verdict.goroutines?.kind.rawValue)
    array("goroutine_groups", of: verdict.goroutines?.groups ?? []) { $0.value($1) }
    member("rule", verdict.rule.rawValue)
    array("facts", of: EvidenceWords(words: words).facts) { $0.value($1) }
    members(of: situation?.loopEvidence)
  }

  private mutating func members(ofPlacesOf verdict: Verdict) {
    member("function", verdict.place?.line.function)
    member("file", verdict.place?.line.file)
    member("line", verdict.place.flatMap { $0.line.line > 0 ? $0.line.line : nil })
    member("function_share", verdict.placeShare)
    let error = verdict.placeShareError
    member(
      "function_share_low", error.flatMap { error in verdict.placeShare.map { max(0, $0 - error) } }
    )
    member(
      "function_share_high",
      error.flatMap { error in verdict.placeShare.map { min(1, $0 + error) } })
    member("busiest_function", verdict.busiest?.line.function)
    member("busiest_file", verdict.busiest?.line.file)
    member("busiest_line", verdict.busiest.flatMap { $0.line.line > 0 ? $0.line.line : nil })
    member("busiest_share", verdict.busiestShare)
    member("within_function", verdict.within?.line.function)
    member("within_file", verdict.within?.line.file)
    member("within_line", verdict.within.flatMap { $0.line.line > 0 ? $0.line.line : nil })
    member("within_share", verdict.withinShare)
  }

  private mutating func members(of hanging: HangingThread?, _ diagnosis: Diagnosis) {
    guard let hanging else { return null("hanging") }
    object("hanging") { json in
      json.member("tid", diagnosis.index.profile.threads[hanging.thread].tid)
      json.member("wait", hanging.wait?.kind.rawValue)
      json.member("wait_function", hanging.place?.line.function)
      json.member("lasted_ns", hanging.lasted)
      json.member("lasted_at_least", hanging.isAtLeast)
      json.array("chain", of: hanging.chain) { $0.value($1) }
      json.member("behind", hanging.behind)
      json.member("more", hanging.more)
    }
  }

  private mutating func members(of evidence: LoopEvidence?) {
    guard let evidence else { return null("loop") }
    object("loop") { json in
      json.member("rests_in", evidence.restsIn?.name)
      json.member("rest_function", evidence.rest?.line.function)
      json.member("by_poll_function", evidence.isByPollFunction)
      json.member("handler_of", evidence.handlerOf?.name)
      json.member("calling_function", evidence.caller?.line.function)
      if let sharesEvents = evidence.sharesEvents {
        json.member("shares_events", sharesEvents)
      } else {
        json.null("shares_events")
      }
      json.member("descriptors", evidence.descriptors)
      json.member("user_descriptors", evidence.userDescriptors)
    }
  }

  /// The wait graph of a report.
  mutating func members(ofWaitsOf diagnosis: Diagnosis) {
    let graph = diagnosis.graph
    array("seen", of: diagnosis.index.profile.blockings) { json, blocking in
      json.object { $0.members(of: blocking) }
    }
    array("nodes", of: graph.nodes.enumerated()) { json, entry in
      let (number, node) = entry
      json.object { json in
        json.member("pid", node.pid)
        json.member("tid", node.tid)
        json.member("name", node.name)
        json.member("process", node.processName)
        json.member("own", node.thread != nil)
        json.member("ended", node.isDead)
        json.member("stuck", graph.isStuck[number])
        json.member("wait", node.blocking)
      }
    }
    array("edges", of: graph.edges) { json, edge in
      json.object { json in
        json.member("from", edge.from)
        json.member("to", edge.to)
        var descriptor: Int32?
        switch edge.reason {
        case .owner: json.member("reason", "owner")
        case .member: json.member("reason", "member")
        case .descriptor(let number):
          json.member("reason", "descriptor")
          descriptor = number
        }
        json.member("descriptor", descriptor)
      }
    }
    array("rings", of: graph.cycles) { json, cycle in
      json.object { json in
        json.array("nodes", of: cycle.threads) { $0.value($1) }
        json.member("timed", cycle.isTimed)
        json.member("certain", cycle.isCertain)
        json.member("lasted_ns", cycle.lasted)
        json.member("looks", cycle.samples)
      }
    }
  }

  private mutating func members(of blocking: Blocking) {
    let wait = blocking.wait
    member("pid", blocking.waiter.pid)
    member("tid", blocking.waiter.tid)
    member("name", blocking.waiter.name)
    member("process", blocking.waiter.processName)
    member("process_threads", blocking.waiter.threadCount)
    member("process_waking_signal", blocking.waiter.wakingSignal)
    member("kind", wait.kind.rawValue)
    member("system_call", wait.systemCall)
    members(ofObject: wait.object)
    array("owners", of: wait.owners) { json, owner in json.object { $0.members(of: owner) } }
    array("descriptors", of: wait.descriptors) { json, descriptor in
      json.object { $0.members(of: descriptor) }
    }
    member("omitted_descriptors", wait.omittedDescriptors)
    member("timed", wait.isTimed)
    member("time_left_ns", wait.timeLeft)
    member("kernel_function", wait.kernelFunction)
    member("since_ns", blocking.since)
    member("first_seen_ns", blocking.firstSeen)
    member("last_seen_ns", blocking.lastSeen)
    member("looks", blocking.samples)
  }

  /// The lock or other place that is waited for; null for none.
  mutating func members(ofObject object: WaitObject?) {
    guard let object else { return null("object") }
    self.object("object") { json in
      json.member("address", object.address.description)
      json.member("flavor", object.flavor?.rawName)
      json.member("variable", object.variable)
      json.member("field", object.field)
      json.member("file", object.file)
      json.member("mapping", object.mapping)
    }
  }

  /// Who can end a wait.
  mutating func members(of owner: WaitOwner) {
    var (pid, tid, name, readers): (Int32?, Int32?, String?, Int?)
    switch owner {
    case .thread(let thread):
      member("kind", "thread")
      tid = thread
    case .process(let process, let thread, let processName):
      member("kind", "process")
      (pid, tid, name) = (process, thread, processName)
    case .dead(let thread):
      member("kind", "ended")
      tid = thread
    case .readers(let count):
      member("kind", "readers")
      readers = count
    }
    member("pid", pid)
    member("tid", tid)
    member("name", name)
    member("readers", readers)
  }

  /// A descriptor that is waited on.
  mutating func members(of descriptor: WaitDescriptor) {
    member("number", descriptor.number)
    member("kind", descriptor.kind.rawValue)
    member("name", descriptor.name)
    member("peer_address", descriptor.peerAddress)
    array("peers", of: descriptor.peers) { json, owner in json.object { $0.members(of: owner) } }
    member("events", descriptor.events)
    member("state", descriptor.state?.rawName)
  }
}
