package import ProfileModel

/// A profile that grows: the runs of the last minutes, and the sums of all since the beginning.
///
/// Adding costs a few steps for each new run and stack; memory is bounded.
package struct LiveProfile: Sendable {
  /// What of the past has its times; older runs are only in the sums.
  package let history: Int64
  /// The most runs that are kept, and the most sums.
  private static let runLimit = 1_000_000
  private static let sumLimit = 500_000
  /// How far back the run is looked for that a piece belongs to.
  private static let searchLimit = 256

  struct SumKey: Hashable {
    let thread: Int
    let stack: StackID
    let activity: Activity
    let end: StackEnd
  }

  package private(set) var capture: CaptureInfo
  private(set) var modules: [Module] = []
  package private(set) var threads: [ThreadInfo] = []
  private(set) var stacks = StackTable()
  private(set) var symbols: [ResolvedFrame] = []
  /// By the number in the growth.
  private var frameIDs: [FrameID] = []
  private var stackIDs: [StackID: StackID] = [:]
  /// By their beginnings, of each thread; those before `firstRun` are dropped.
  private(set) var runs: [Run] = []
  private(set) var firstRun = 0
  /// By thread: the place of its last run in `runs`.
  private(set) var lastRuns: [Int: Int] = [:]
  private(set) var sums: [SumKey: Weight] = [:]
  /// From when on `sums` count, in nanoseconds from the start of the capture.
  package private(set) var sumStart: Int64 = 0
  /// When the program began that runs now, likewise: what came before was another.
  private(set) var programStart: Int64 = 0
  private(set) var blockings: [Blocking] = []
  private(set) var waits = LiveWaits()

  /// An empty profile that keeps `history` nanoseconds of the past.
  package init(_ capture: CaptureInfo, history: Int64) {
    self.capture = capture
    self.history = history
  }

  /// A profile that has all of a finished one.
  package init(_ profile: Profile) {
    self.init(profile.capture, history: .max)
    (modules, threads, symbols) = (profile.modules, profile.threads, profile.symbols)
    (stacks, blockings) = (profile.stacks, profile.blockings)
    waits = LiveWaits(profile.waitHistory)
    for run in profile.runs where threads.indices.contains(run.thread) { append(run) }
  }

  /// Nanoseconds from the start of the capture to the last that is known.
  package var duration: Int64 { capture.duration }

  /// How much of the past has its times, in nanoseconds.
  package var kept: Int64 {
    guard firstRun < runs.count else { return 0 }
    return min(history, max(0, duration &- max(programStart, runs[firstRun].start)))
  }
}

extension LiveProfile {
  /// Adds what a capture has seen since the last time.
  package mutating func add(_ growth: ProfileGrowth) {
    if let capture = growth.capture { self.capture = capture }
    if let start = growth.programStart, start > programStart {
      programStart = start
      sums = [:]
      sumStart = start
    }
    if !growth.modules.isEmpty { modules = growth.modules }
    for (index, info) in growth.threads.sorted(by: { $0.index < $1.index }) {
      // Numbers are given in order; one that leaps is no thread of this capture.
      if threads.indices.contains(index) {
        threads[index] = info
      } else if index == threads.count {
        threads.append(info)
      }
    }
    for (position, (id, frame)) in growth.frames.enumerated() where id.rawValue == frameIDs.count {
      let own = stacks.id(of: frame)
      frameIDs.append(own)
      guard Int(own.rawValue) == symbols.count else { continue }
      symbols.append(
        position < growth.symbols.count ? growth.symbols[position] : ResolvedFrame(unknown: frame))
    }
    for run in growth.runs where threads.indices.contains(run.thread) {
      guard let stack = stack(of: run.stack, growth) else { continue }
      add(
        Run(
          thread: run.thread, stack: stack, end: run.end, activity: run.activity, start: run.start,
          weight: run.weight, unseenSleeps: run.unseenSleeps))
    }
    trim()
  }

  /// Takes the sleeps that are known now, in place of those before.
  package mutating func set(blockings: [Blocking]) { self.blockings = blockings }

  /// Adds a stretch of a thread's time in a wait.
  package mutating func add(_ wait: Wait, of tid: Int32, from start: Int64, to end: Int64) {
    waits.add(wait, of: tid, from: start, to: end)
  }

  /// Lets the sums count from now on.
  package mutating func resetSums() {
    sums = [:]
    sumStart = duration
  }

  private mutating func stack(of id: StackID, _ growth: ProfileGrowth) -> StackID? {
    if let known = stackIDs[id] { return known }
    guard let frames = growth.stacks[id] else { return nil }
    var stack = StackID.empty
    for frame in frames.reversed() {
      guard Int(frame.rawValue) < frameIDs.count else { return nil }
      stack = stacks.stack(of: frameIDs[Int(frame.rawValue)], calledBy: stack)
    }
    stackIDs[id] = stack
    return stack
  }

  /// Adds a run, or a piece of one that is there.
  private mutating func add(_ run: Run) {
    guard let last = lastRuns[run.thread], last >= firstRun else { return append(run) }
    var place = last
    // CPU time is credited to an earlier run at times, seldom to one that is long past.
    for _ in 0..<Self.searchLimit {
      let known = runs[place]
      if known.thread == run.thread, known.start == run.start, known.stack == run.stack {
        runs[place].weight += run.weight
        runs[place].unseenSleeps.formUnion(run.unseenSleeps)
        return addSum(run)
      }
      let isNew = known.thread == run.thread && known.start < run.start
      guard !isNew, place > firstRun else { break }
      place -= 1
    }
    append(run)
  }

  private mutating func append(_ run: Run) {
    lastRuns[run.thread] = runs.count
    runs.append(run)
    addSum(run)
  }

  private mutating func addSum(_ run: Run) {
    // It is credited late to a run of the program before.
    guard run.start >= programStart || run.start &+ run.weight.wall > programStart else { return }
    let key = SumKey(thread: run.thread, stack: run.stack, activity: run.activity, end: run.end)
    guard sums.count < Self.sumLimit || sums[key] != nil else { return }
    sums[key, default: Weight()] += run.weight
  }

  private mutating func trim() {
    let oldest = duration &- history
    while firstRun < runs.count,
      runs[firstRun].start &+ runs[firstRun].weight.wall < oldest
        || runs.count - firstRun > Self.runLimit
    {
      firstRun += 1
    }
    waits.trim(before: oldest)
    guard firstRun > 4096, firstRun > runs.count / 2 else { return }
    runs.removeFirst(firstRun)
    lastRuns = lastRuns.compactMapValues { $0 >= firstRun ? $0 - firstRun : nil }
    firstRun = 0
  }
}
