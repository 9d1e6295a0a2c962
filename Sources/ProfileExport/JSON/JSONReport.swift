internal import ProfileAnalysis
package import ProfileModel

/// All that a capture saw, as one JSON object for programs; `docs/json.md` describes it.
package struct JSONReport {
  /// The version of the object's layout: it changes when a key goes or changes its meaning.
  package static let schema = 1

  private let index: ProfileIndex
  private let threads: [Int]
  private let diagnosis: Diagnosis
  private let showsVerdict: Bool

  private var profile: Profile { index.profile }

  /// A report on `profile`; of the options the thread filter, and whether there are a verdict and
  /// native frames, count.
  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    diagnosis = Diagnosis(profile, freezes: options.freezes)
    index = diagnosis.shownIndex(withNative: options.showsNative)
    threads = index.threads(matching: options.threadFilter)
    showsVerdict = options.showsVerdict && profile.capture.hasVerdict
  }

  /// Writes the object in one line, with a newline at its end.
  ///
  /// The document is never in memory as a whole.
  package func write(to output: inout some TextOutputStream) {
    JSONWriter.write(to: &output) { json in
      json.object { json in
        json.object("sprof") { json in
          json.member("version", SprofVersion.current)
          json.member("schema", Self.schema)
        }
        json.object("capture") { $0.members(of: profile.capture) }
        json.object("cost") { $0.members(of: profile.capture.cost, profile.capture.duration) }
        if showsVerdict {
          json.object("verdict") { $0.members(ofVerdictOf: diagnosis) }
        } else {
          json.null("verdict")
        }
        json.object("waits") { $0.members(ofWaitsOf: diagnosis) }
        json.array("modules", of: profile.modules) { json, module in
          json.object { $0.members(of: module) }
        }
        var numbering = StackNumbering(index)
        writeThreads(to: &json, &numbering)
        json.object("freezes") { json in
          json.members(ofFreezesOf: diagnosis, threads: Set(threads)) { stack in
            numbering.number(of: stack)
          }
        }
        writeStacks(numbering, to: &json)
        writeTree(to: &json)
        let blame = BlameTree(diagnosis, threads: threads)
        json.object("blame") {
          $0.members(ofBlame: blame, BlameWords(blame, WaitWords(profile)), profile)
        }
        json.array("tasks", of: profile.tasks) { json, tasks in
          json.object { $0.members(of: tasks) }
        }
        json.array("goroutines", of: profile.goroutines.filter { $0.kind == .goroutine }) {
          json, goroutines in
          json.object { $0.members(of: goroutines) }
        }
        json.array(
          "virtual_threads", of: profile.goroutines.filter { $0.kind == .virtualThread }
        ) { json, threads in
          json.object { $0.members(ofVirtualThreads: threads) }
        }
      }
      json.endLine()
    }
  }

  private func writeStacks(_ numbering: StackNumbering, to json: inout JSONWriter) {
    json.array("frames", of: numbering.frames) { json, frame in
      json.object { $0.members(of: index.stacks.frames[frame], profile) }
    }
    json.array("stacks", of: numbering.stacks) { json, stack in
      json.array { json in
        for frame in numbering.frames(of: stack) { json.value(frame) }
      }
    }
  }

  private func writeThreads(to json: inout JSONWriter, _ numbering: inout StackNumbering) {
    var maker = LineTable.Maker(index)
    json.array("threads") { json in
      for thread in threads {
        let table = maker.table(of: [thread])
        json.object { json in
          json.members(of: index, thread: thread)
          let situation = diagnosis.situations[thread]
          let idleness = situation?.usesCPU ?? false ? nil : situation?.idleness
          json.member("idle", idleness?.kind.rawValue)
          json.member("idle_in", idleness?.name)
          json.array("runs", of: index.runs(of: thread)) { json, run in
            json.object { $0.members(of: run, stack: numbering.number(of: run.stack)) }
          }
          json.array("lines", of: table.rows) { json, row in
            json.object { $0.members(of: row, index) }
          }
        }
      }
    }
  }

  private func writeTree(to json: inout JSONWriter) {
    let tree = CallTree(index, groups: threads.map { [$0] })
    var thread = -1
    json.array("tree", of: tree.nodes) { json, node in
      // A root comes before the nodes below it.
      if case .threads(let number) = node.kind { thread = number }
      json.object { $0.members(of: node, thread: thread, index) }
    }
  }
}

/// Numbers the stacks and frames that a report uses, in the order of their first use.
private struct StackNumbering {
  private let index: ProfileIndex
  private var numberOfFrame: [Int]
  private var numberOfStack: [StackID: Int] = [:]
  /// Indexes into `SourceStacks.frames`.
  private(set) var frames: [Int] = []
  private(set) var stacks: [StackID] = []

  init(_ index: ProfileIndex) {
    self.index = index
    numberOfFrame = Array(repeating: -1, count: index.stacks.frames.count)
  }

  mutating func number(of stack: StackID) -> Int {
    if let known = numberOfStack[stack] { return known }
    numberOfStack[stack] = stacks.count
    stacks.append(stack)
    for frame in index.sourceFrames(of: stack) where numberOfFrame[frame] < 0 {
      numberOfFrame[frame] = frames.count
      frames.append(frame)
    }
    return stacks.count - 1
  }

  /// The numbers of the frames of a numbered stack, innermost first.
  func frames(of stack: StackID) -> some Sequence<Int> {
    index.sourceFrames(of: stack).lazy.map { numberOfFrame[$0] }
  }
}

// MARK: - The members of each kind of object

extension JSONWriter {
  fileprivate mutating func members(of capture: CaptureInfo) {
    member("kind", capture.kind.rawValue)
    member("pid", capture.pid)
    member("process", capture.processName)
    member("executable", capture.executable)
    array("command_line", of: capture.commandLine) { $0.value($1) }
    member("host", capture.hostName)
    member("kernel", capture.kernel)
    member("start_time", capture.startTime)
    member("duration_ns", capture.duration)
    member("rate_hz", capture.rate)
    member("cpus", capture.processors)
    member("seed", capture.seed.map { Int64($0) })
    member("max_depth", capture.maxDepth.map { Int64($0) })
    member("ending", capture.ending.rawValue)
    members(of: capture.programEnd)
    member("unsampled_threads", capture.unsampled.threads)
    member("unsampled_processes", capture.unsampled.processes)
    member("unsampled_cpu_ns", capture.unsampled.cpu)
    array("freezes", of: capture.freezes) { json, freeze in
      json.object { json in
        json.member("tid", freeze.tid)
        json.member("start_ns", freeze.start)
        json.member("end_ns", freeze.end)
        json.member("over", freeze.isOver)
        json.member("began_before", freeze.beganBefore)
        json.member("threshold_ns", freeze.threshold)
      }
    }
    array("windows", of: capture.windows) { json, window in
      json.object { json in
        json.member("title", window.title)
        json.member("pings", window.sent)
        json.member("answered", window.answered)
        json.member("slowest_ns", window.slowest)
        json.member("unanswered_ns", window.unanswered)
      }
    }
    array("notes", of: capture.notes) { $0.value($1.words) }
  }

  private mutating func members(of end: CaptureInfo.ProgramEnd?) {
    var (code, signal): (Int32?, String?)
    switch end {
    case .exited(let number): code = number
    case .killed(let number): signal = CaptureInfo.ProgramEnd.name(ofSignal: number)
    case nil: break
    }
    member("exit_code", code)
    member("exit_signal", signal)
  }

  fileprivate mutating func members(of cost: CaptureCost, _ duration: Int64) {
    member("ticks_planned", cost.ticksPlanned)
    member("ticks_taken", cost.ticksTaken)
    member("ticks_late", cost.ticksLate)
    member("looks_without_stop", cost.samplesWithoutStop)
    member("stops", cost.stops)
    member("pause_p50_ns", cost.pauseMedian)
    member("pause_p99_ns", cost.pause99)
    member("pause_max_ns", cost.pauseMax)
    member("stopped_ns", cost.stoppedTime)
    member("stopped_share", cost.stoppedShare(of: duration))
    member("own_cpu_ns", cost.ownCPU)
    member("looks_dropped", cost.samplesDropped)
  }

  fileprivate mutating func members(of module: Module) {
    member("path", module.path)
    member("build_id", module.buildID)
    member("problem", module.problem?.words)
  }

  fileprivate mutating func members(of index: ProfileIndex, thread: Int) {
    let info = index.profile.threads[thread]
    let shares = TimeShares(index, thread: thread)
    member("tid", info.tid)
    member("name", info.name)
    members(ofProcess: info, index.profile.capture)
    member("main", info.isMain)
    member("ended", info.hasEnded)
    member("state", info.state.map(String.init))
    member("cpu_ns", info.cpu)
    member("delay_ns", info.delay)
    member("cpu_since_start_ns", info.cpuSinceStart)
    member("first_seen_ns", info.firstSeen)
    member("last_seen_ns", info.lastSeen)
    member("running_percent", shares?.running)
    member("waiting_percent", shares?.waiting)
    member("blocked_percent", shares?.blocked)
    member("stopped_percent", shares?.stopped)
    member("unknown_percent", shares?.unknown)
    if let lock = info.lockUse?.shares {
      member("gil_held_percent", lock.held)
      member("gil_waiting_percent", lock.awaited)
    }
    guard let call = info.systemCall else { return null("system_call") }
    object("system_call") { json in
      json.member("name", call.name)
      json.array("arguments", of: call.arguments) { $0.value("0x" + String($1, radix: 16)) }
    }
  }

  fileprivate mutating func members(of run: Run, stack: Int) {
    member("start_ns", run.start)
    member("stack", stack)
    member("end", run.end.rawName)
    member("activity", run.activity.rawName)
    member("wait", run.activity.wait)
    if run.hasManyWaits { member("many_waits", true) }
    members(of: run.weight)
  }

  fileprivate mutating func members(of row: LineTable.Row, _ index: ProfileIndex) {
    let place = row.line.map { index.stacks.lines[$0] }
    let source = place.map { index.stacks.functions[$0.function] }
    member("function", source?.name)
    member("file", source?.file)
    member("module", source.flatMap { index.profile.position(of: $0.module) })
    member("line", place.flatMap { $0.line > 0 ? $0.line : nil })
    member("cpu_ns", row.own.cpu)
    member("cpu_cum_ns", row.cumulative.cpu)
    interval("cpu_low_ns", "cpu_high_ns", row.own.cpu, row.ownError[.cpu])
    interval("cpu_cum_low_ns", "cpu_cum_high_ns", row.cumulative.cpu, row.cumulativeError[.cpu])
    member("ticks", row.own.ticks)
    member("ticks_cum", row.cumulative.ticks)
    interval("ticks_low", "ticks_high", row.own.ticks, row.ownError[.ticks])
    interval("ticks_cum_low", "ticks_cum_high", row.cumulative.ticks, row.cumulativeError[.ticks])
    member("samples", row.own.samples)
    member("samples_cum", row.cumulative.samples)
  }

  /// Where the true figure is in 19 of 20 captures; null where that is not known.
  private mutating func interval(
    _ low: StaticString, _ high: StaticString, _ value: Int64, _ error: Double?
  ) {
    let error = error.flatMap { $0 > 0 ? Int64(exactly: $0.rounded()) : nil }
    member(low, error.map { max(0, value &- $0) })
    member(high, error.map { value &+ $0 })
  }

  fileprivate mutating func members(
    of node: CallTree.Node, thread: Int, _ index: ProfileIndex
  ) {
    var function: SourceFunction?
    var reason: StackEnd.Reason?
    switch node.kind {
    case .threads: member("kind", "thread")
    case .function(let number):
      function = index.stacks.functions[number]
      member("kind", function?.isElided == true ? "elided" : "function")
    case .missingCallers(let why):
      reason = why
      member("kind", "callers_unknown")
    case .noStack: member("kind", "no_stack")
    }
    member("reason", reason?.rawValue)
    member("parent", node.parent)
    member("thread", thread)
    member("function", function?.name)
    member("file", function?.file)
    member("module", function.flatMap { index.profile.position(of: $0.module) })
    member("inlined", node.isInlined)
    object("inclusive") { $0.members(of: node.inclusive) }
    object("self") { $0.members(of: node.own) }
  }
}

extension JSONWriter {
  /// The five units of a weight.
  mutating func members(of weight: Weight) {
    member("samples", weight.samples)
    member("ticks", weight.ticks)
    member("cpu_ns", weight.cpu)
    member("wall_ns", weight.wall)
    member("delay_ns", weight.delay)
  }

  /// The process of a thread; not known in a capture that was merged or made by other tools.
  mutating func members(ofProcess thread: ThreadInfo, _ capture: CaptureInfo) {
    let isKnown = thread.process != nil || capture.pid > 0
    member("pid", isKnown ? thread.process?.pid ?? capture.pid : nil)
    member("process", isKnown ? thread.process?.name ?? capture.processName : nil)
  }

  /// A frame, as the report and the lines of JSON have it.
  mutating func members(of frame: SourceFrame, _ profile: Profile) {
    member("function", frame.line.function)
    member("linkage_name", frame.line.linkageName)
    member("file", frame.line.file)
    member("line", frame.line.line > 0 ? frame.line.line : nil)
    member("inlined", frame.line.isInlined)
    member("elided", frame.isElided)
    member("elided_frames", frame.elidedCount.flatMap { $0 > 0 ? $0 : nil })
    member("module", profile.position(of: frame.module))
    member("language", frame.languageName)
    member("address", frame.address?.description)
  }
}
