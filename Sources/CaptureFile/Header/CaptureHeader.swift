internal import ProfileModel

/// A file's facts about the capture as a whole: sprof's own, or those of pprof's fields.
struct CaptureHeader {
  private(set) var capture: CaptureInfo
  private(set) var threads: [Int: ThreadInfo] = [:]
  private(set) var problems: [Int: String] = [:]
  private(set) var blockings: [Blocking] = []
  private(set) var tasks: [AsyncTasks] = []
  private(set) var goroutines: [Goroutines] = []
  private var waits: [Wait] = []
  private var spans: [WaitHistory.Span] = []
  /// Whether sprof wrote the file.
  private(set) var isOwn = false
  private(set) var isComplete = true

  /// PID_MAX_LIMIT, the most threads that Linux has at a time, so that no index asks for more
  /// memory.
  private static let threadLimit = 1 << 22
  /// Many more waits than sprof writes; the rest is left out.
  private static let blockingLimit = 1 << 16

  /// What threads waited for at each tick.
  var waitHistory: WaitHistory { WaitHistory(waits: waits, spans: spans) }

  init(
    _ messages: PprofMessages, name: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) {
    let tables = messages.tables
    capture = CaptureInfo(kind: .imported, pid: 0, processName: name)
    capture.startTime = Double(tables.timeNanos) / 1e9
    capture.duration = max(0, tables.durationNanos)
    if let mapping = tables.mapping.first, let path = try tables.known(mapping.filename) {
      capture.executable = path
      capture.processName = Module(path: path).name
    }
    for text in messages.facts { try add(text, budget) }
    // Early versions had the facts in comments, which other tools show.
    for index in tables.comment { try add(tables.text(index), budget) }
  }

  private mutating func add(
    _ text: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) {
    guard text.hasPrefix(CaptureFacts.prefix) else { return }
    try budget.take(MemoryCost.record + 8 * text.utf8.count)
    guard let facts = try CaptureFacts(text: text) else { return }
    try budget.take(MemoryCost.thread, times: facts.threads?.count ?? 0)
    try add(facts)
  }

  private mutating func add(_ facts: CaptureFacts) throws(CaptureFileError) {
    // A capture that is not over says more of itself once it has begun.
    if let info = facts.capture, !isOwn || !isComplete {
      capture = info.info
      isOwn = true
      isComplete = facts.complete ?? true
      if !isComplete { capture.ending = .unfinished }
    }
    if let progress = facts.progress {
      capture.duration = progress.duration
      capture.cost.ticksPlanned = progress.ticksPlanned
      capture.cost.ticksTaken = progress.ticksTaken
      capture.cost.stoppedTime = progress.stopped
      capture.cost.samplesWithoutStop =
        progress.samplesWithoutStop ?? capture.cost.samplesWithoutStop
      capture.cost.stops = progress.stops ?? capture.cost.stops
      capture.cost.ownCPU = progress.ownCPU ?? capture.cost.ownCPU
    }
    for thread in facts.threads ?? [] {
      guard thread.index >= 0, thread.index < Self.threadLimit else { throw .damaged(.header) }
      threads[thread.index] = thread.info
    }
    blockings += (facts.waits ?? []).prefix(Self.blockingLimit - blockings.count)
      .map(\.blocking)
    facts.history?.add(to: &waits, &spans)
    if let part = facts.tasks { part.add(to: &tasks) }
    if let part = facts.goroutines { part.add(to: &goroutines) }
    for problem in facts.problems ?? [] { problems[problem.module] = problem.problem }
  }
}
