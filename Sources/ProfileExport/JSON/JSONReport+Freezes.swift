internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The freezes of some threads; `stack` numbers the stacks of the report.
  mutating func members(
    ofFreezesOf diagnosis: Diagnosis, threads: Set<Int>, stack: (StackID) -> Int
  ) {
    let table = diagnosis.freezes
    let words = FreezeWords(diagnosis)
    let profile = diagnosis.index.profile
    let freezes = table.freezes.filter { threads.contains($0.thread) }
    member("threshold_ns", table.rule.threshold)
    member("known", table.isKnown)
    array("list", of: freezes) { json, freeze in
      json.object { json in
        json.members(of: freeze, profile)
        json.member("stack", stack(freeze.stack))
        json.member("words", words.phrase(freeze, namesLoop: true))
      }
    }
    array("causes", of: FreezeTable.rows(of: freezes)) { json, row in
      json.object { json in
        json.member("count", row.count)
        json.member("total_ns", row.total)
        json.member("longest_ns", row.longest.length)
        json.member("at_least", row.isAtLeast)
        json.member("unclear", row.longest.isUnclear)
        json.member("tid", profile.threads[row.longest.thread].tid)
        json.members(of: row.longest.handler, row.longest.loop)
        json.member("cause", row.longest.cause.kind.rawValue)
        json.member("wait", row.longest.cause.wait?.kind.rawValue)
        json.member("words", words.phrase(row, namesLoop: true))
      }
    }
    array("threads", of: table.threads.filter { threads.contains($0.thread) }) { json, thread in
      json.object { $0.members(of: thread, profile, words) }
    }
  }

  private mutating func members(of freeze: Freeze, _ profile: Profile) {
    let cause = freeze.cause
    member("tid", profile.threads[freeze.thread].tid)
    member("start_ns", freeze.start)
    member("length_ns", freeze.length)
    member("began_before", freeze.beganBefore)
    member("goes_on", freeze.goesOn)
    member("unclear", freeze.isUnclear)
    members(of: freeze.handler, freeze.loop)
    member("cause", cause.kind.rawValue)
    member("cause_ns", cause.time)
    member("wait", cause.wait?.kind.rawValue)
    member("wait_object", cause.wait?.object?.variable)
    member("function", cause.place?.line.function)
    member("file", cause.place?.line.file)
    member("line", cause.place.flatMap { $0.line.line > 0 ? $0.line.line : nil })
    member("owner_tid", cause.owner.map { profile.threads[$0.thread].tid })
    member("owner_did", cause.owner?.kind.rawValue)
    member("owner_function", cause.owner?.place?.line.function)
    member("looks", freeze.samples)
  }

  private mutating func members(of handler: SourceFrame?, _ loop: EventLoop?) {
    member("loop", loop?.name)
    member("handler_function", handler?.line.function)
    member("handler_file", handler?.line.file)
    member("handler_line", handler.flatMap { $0.line.line > 0 ? $0.line.line : nil })
  }

  private mutating func members(
    of thread: ThreadResponses, _ profile: Profile, _ words: FreezeWords
  ) {
    member("tid", profile.threads[thread.thread].tid)
    member("loop", thread.loop?.name)
    member("frozen_ns", thread.frozen)
    member("rests", thread.betweenRests.count)
    member("between_rests_p50_ns", thread.betweenRests(0.5))
    member("between_rests_p99_ns", thread.betweenRests(0.99))
    member("between_rests_longest_ns", thread.betweenRests(1))
    array("unclear", of: thread.unclear) { json, freeze in
      json.object { json in
        json.member("start_ns", freeze.start)
        json.member("length_ns", freeze.length)
        json.member("cause", freeze.cause.kind.rawValue)
        json.member("words", words.phrase(freeze, namesLoop: true))
      }
    }
  }
}
