internal import ProfileModel

/// Turns pprof messages into a profile, those of sprof or of any other tool.
struct ProfileDecoder {
  /// More inlined calls in one place than compilers make.
  private static let lineLimit = 1000

  private let tables: Perftools_Profiles_Profile
  private let header: CaptureHeader
  private let types: SampleTypes
  private let labelKeys: LabelKeys
  private var frames: FrameTable
  private var threads: ThreadLookup
  private var runs = RunList()
  /// By thread: the index of its last run, which a further piece of that run lengthens.
  private var lastRuns: [Int: Int] = [:]

  private let budget: ReadingBudget

  private init(
    _ messages: PprofMessages, name: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) {
    self.budget = budget
    self.tables = messages.tables
    let tables = messages.tables
    header = try CaptureHeader(messages, name: name, budget)
    types = try SampleTypes(tables)
    labelKeys = LabelKeys(tables)
    frames = try FrameTable(tables, lineLimit: Self.lineLimit, budget)
    threads = ThreadLookup(header, budget)
  }

  /// The profile; samples are decoded one after the other.
  static func profile(
    _ messages: PprofMessages, name: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) -> Profile {
    var decoder = try ProfileDecoder(messages, name: name, budget)
    try messages.forEachSample { sample throws(CaptureFileError) in
      try decoder.add(sample)
    }
    return decoder.finish()
  }

  private mutating func add(_ sample: PprofSample) throws(CaptureFileError) {
    let limit = budget.limits.count
    guard runs.count < limit else { throw .tooLarge(.samples(limit: limit)) }
    try budget.take(MemoryCost.sample)
    let labels = try SampleLabels(sample.labels, labelKeys, tables)
    let weight = try types.weight(of: sample.values)
    let stack = try frames.stack(innermostFirst: sample.locations)
    let activity = labels.activity ?? (types.tellsCPU && weight.cpu > 0 ? .running : .unknown)
    let end = labels.end ?? (stack == .empty ? .truncated(.noStack) : .complete)
    let thread = try threads.index(of: labels, isOwn: header.isOwn)
    threads.note(thread, start: labels.start, weight: weight)
    let run = Run(
      thread: thread, stack: stack, end: end, activity: activity, start: labels.start,
      weight: weight, unseenSleeps: labels.unseenSleeps)
    // Only a growing file has runs in pieces.
    if header.isOwn, !header.isComplete, let last = lastRuns[thread], runs[last].isBegun(by: run) {
      runs[last].weight += weight
      runs[last].unseenSleeps.formUnion(labels.unseenSleeps)
      return
    }
    lastRuns[thread] = runs.count
    runs.append(run)
  }

  private mutating func finish() -> Profile {
    if header.isOwn, !header.isComplete {
      // A run is written when it ends, or each half second: a long one comes after shorter later
      // ones.
      runs.sortByStart()
    }
    var capture = header.capture
    var infos = threads.infos
    if !(header.isOwn && header.isComplete) {
      threads.describe(&infos)
      // A growing file names the process before it is known whether there is another one.
      if Set(infos.map(\.process)).count == 1 {
        for index in infos.indices { infos[index].process = nil }
      }
      if capture.duration == 0 { capture.duration = infos.map(\.lastSeen).max() ?? 0 }
    }
    if !header.isOwn {
      capture.notes += types.notes
      for index in infos.indices where infos[index].lastSeen == 0 {
        infos[index].lastSeen = capture.duration
      }
      let samples = runs.reduce(0) { $0 &+ $1.weight.samples }
      capture.cost.ticksPlanned = samples
      capture.cost.ticksTaken = samples
      capture.rate = types.rate
    }
    var profile = Profile(
      capture: capture, modules: frames.modules(problems: header.problems), threads: infos,
      stacks: frames.stacks, runs: runs, symbols: frames.symbols, blockings: header.blockings,
      waitHistory: header.waitHistory, tasks: header.tasks.map(\.withoutLooseEnds))
    profile.goroutines = header.goroutines.map(\.withoutLooseEnds)
    return profile
  }
}

extension Run {
  /// Whether `piece` continues this run.
  fileprivate func isBegun(by piece: Run) -> Bool {
    piece.start == start && piece.stack == stack && piece.activity == activity && piece.end == end
  }
}

extension Perftools_Profiles_Profile {
  /// The text at `index`; empty for 0.
  func text(_ index: Int64) throws(CaptureFileError) -> String {
    guard index >= 0, index < stringTable.count else { throw .damaged(.reference) }
    return stringTable[Int(index)]
  }

  /// The text at `index`; nil for an empty one.
  func known(_ index: Int64) throws(CaptureFileError) -> String? {
    let text = try text(index)
    return text.isEmpty ? nil : text
  }
}
