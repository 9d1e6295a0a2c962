package import ProfileAnalysis
internal import ProfileModel

/// Everything that a comparison found, as one JSON object; `docs/json.md` describes it.
package struct ComparisonJSON {
  private let comparison: Comparison
  private let options: ComparisonOptions

  /// A report on `comparison`; of the options only the sides and the verdicts are used.
  package init(_ comparison: Comparison, options: ComparisonOptions) {
    self.comparison = comparison
    self.options = options
  }

  /// Writes the object in one line, with a newline at its end.
  package func write(to output: inout some TextOutputStream) {
    JSONWriter.write(to: &output) { json in
      json.object { json in
        json.object("sprof") { json in
          json.member("version", SprofVersion.current)
          json.member("schema", JSONReport.schema)
        }
        writeMembers(to: &json)
      }
      json.endLine()
    }
  }

  /// Writes all that was found.
  func writeMembers(to json: inout JSONWriter) {
    json.object("before") { $0.members(of: options.before, comparison.windowsBefore) }
    json.object("after") { $0.members(of: options.after, comparison.windowsAfter) }
    json.member("changed", comparison.hasChanges)
    json.array("warnings", of: comparison.warnings) { $0.value($1.words) }
    json.array("verdicts", of: options.verdicts) { json, verdict in
      json.object { $0.members(of: verdict) }
    }
    json.object("total") {
      $0.split(cpu: comparison.cpu, delay: comparison.delay, blocked: comparison.blocked)
    }
    if let freezes = comparison.freezes {
      json.object("freezes") { json in
        json.object("before") { $0.members(of: freezes.before) }
        json.object("after") { $0.members(of: freezes.after) }
        json.member("p", freezes.p)
      }
    } else {
      json.null("freezes")
    }
    writeLists(to: &json)
  }

  private func writeLists(to json: inout JSONWriter) {
    json.array("findings", of: comparison.findings) { json, finding in
      json.object { $0.members(of: finding) }
    }
    json.array("possible", of: comparison.possibleChanges) { json, possible in
      json.object { $0.members(of: possible) }
    }
    json.array("functions", of: comparison.functions) { json, function in
      json.object { $0.members(of: function) }
    }
    json.array("paths", of: comparison.paths) { json, path in
      json.object { $0.members(of: path) }
    }
    json.array("threads", of: comparison.threads) { json, threads in
      json.object { $0.members(of: threads) }
    }
    guard let need = comparison.need else { return json.null("need") }
    json.object("need") { json in
      json.member("function", need.function)
      json.member("visible", need.visible)
      json.member("more_seconds", need.moreSeconds)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func members(of side: ComparisonOptions.Side, _ windows: Int) {
    member("name", side.name)
    member("seconds", side.seconds)
    member("windows", windows)
  }

  fileprivate mutating func members(of verdict: LimitVerdict) {
    member("bound", verdict.limit.text)
    member("exceeded", verdict.isExceeded)
    member("words", verdict.words)
  }

  fileprivate mutating func members(of freezes: ComparedFreezes.Side) {
    member("count", freezes.count)
    member("seconds", freezes.seconds)
    member("per_hour", freezes.perHour)
    member("per_hour_low", freezes.perHourInterval?.lowerBound)
    member("per_hour_high", freezes.perHourInterval?.upperBound)
    member("median_ns", freezes.median)
    member("median_low_ns", freezes.medianInterval?.lowerBound)
    member("median_high_ns", freezes.medianInterval?.upperBound)
    member("longest_ns", freezes.longest)
    array("lengths_ns", of: freezes.lengths) { $0.value($1) }
  }

  private mutating func change(_ name: StaticString, _ change: Comparison.Change) {
    object(name) { json in
      json.member("before", change.before)
      json.member("after", change.after)
      json.member("change", change.change)
      json.member("low", change.interval?.lowerBound)
      json.member("high", change.interval?.upperBound)
      json.member("p", change.p)
      json.member("q", change.q)
      json.member("significant", change.isSignificant)
    }
  }

  fileprivate mutating func split(
    cpu: Comparison.Change, delay: Comparison.Change, blocked: Comparison.Change
  ) {
    change("cpu", cpu)
    change("delay", delay)
    change("blocked", blocked)
  }

  private mutating func times(_ name: StaticString, _ times: Comparison.Times) {
    object(name) { json in
      json.member("cpu", times.cpu)
      json.member("delay", times.delay)
      json.member("blocked", times.blocked)
    }
  }

  private mutating func timing(_ name: StaticString, _ timing: Comparison.Timing) {
    object(name) { json in
      json.change("time", timing.change)
      json.times("before", timing.before)
      json.times("after", timing.after)
      json.member("share_before", timing.shareBefore)
      json.member("share_after", timing.shareAfter)
    }
  }

  fileprivate mutating func members(of finding: Comparison.Finding) {
    member("function", finding.function)
    member("path", finding.path)
    member("self", finding.isOwn)
    timing("timing", finding.timing)
  }

  fileprivate mutating func members(of possible: Comparison.PossibleChange) {
    switch possible.subject {
    case .function(let index, let isOwn):
      member("function", index)
      null("threads")
      member("figure", isOwn ? "self" : "inclusive")
    case .threads(let index, let isBlocked):
      null("function")
      member("threads", index)
      member("figure", isBlocked ? "blocked" : "cpu")
    case .all(let isBlocked):
      null("function")
      null("threads")
      member("figure", isBlocked ? "blocked" : "cpu")
    }
    change("time", possible.change)
    member("may_be_chance", possible.mayBeChance)
    member("may_be_load", possible.mayBeLoad)
    member("seconds", possible.seconds)
  }

  fileprivate mutating func members(of function: Comparison.Function) {
    member("name", function.name)
    member("old_name", function.oldName)
    member("file", function.file)
    member("old_file", function.oldFile)
    member("module", function.module)
    member("match", function.match.rawValue)
    member("in_before", function.isBefore)
    member("in_after", function.isAfter)
    member("inlined_before", function.wasInlined)
    member("inlined_after", function.isInlined)
    member("wait", function.wait)
    timing("inclusive", function.inclusive)
    timing("self", function.own)
  }

  fileprivate mutating func members(of path: Comparison.Path) {
    member("threads", path.threads)
    array("functions", of: path.functions) { $0.value($1) }
    timing("inclusive", path.inclusive)
    timing("self", path.own)
  }

  fileprivate mutating func members(of threads: Comparison.Threads) {
    member("name", threads.name)
    member("root_function", threads.rootFunction)
    member("count_before", threads.countBefore)
    member("count_after", threads.countAfter)
    object("times") {
      $0.split(cpu: threads.cpu, delay: threads.delay, blocked: threads.blocked)
    }
  }
}
