internal import ProfileModel

/// Tells one long handler from a storm of short ones, as far as samples can.
///
/// A wait that no other sleep interrupts is one handler's for certain; of many short sleeps in a row nothing
/// tells. Besides that there are only the stacks: the samples of a storm now and then find the thread in its
/// loop, or in another function that the loop called, and those of one handler never do. So many samples in a row must be in the
/// same functions that a storm would hardly show it: by how soon such a row ends elsewhere in the
/// capture, by how busy the loop is with the same handler otherwise, and where the thread slept unseen by
/// how little a loop rests that is still healthy. Where the loop was seen to call the same handler again at once,
/// only a wait is certain.
struct HandlerTrial {
  /// In so many captures one storm at most is taken for a handler.
  private static let chance = 1e-4
  /// Rows that ended early: fewer show no storm.
  private static let leastEnds = 3
  /// The least part of its time that a healthy loop rests, of which handlers compute, or sleep.
  private static let leastRest = (computing: 0.05, sleeping: 0.2)
  /// The most of its time that stops, and waits of a moment for what the kernel guards, take from a handler
  /// that computes: well below what a healthy loop rests.
  private static let mostStray = 0.02

  /// Of a thread that mostly waits for a CPU the work piles up: if its loop is that busy with the same
  /// handler otherwise, it may be many of them.
  private static let leastBusy = 0.1

  private let index: ProfileIndex
  private let runs: [Run]
  private let period: Int64
  private let threshold: Int64
  private let sampleCount: Int64
  private let restCount: Int64
  /// By the path of the functions.
  private var known: [Int: [Row]] = [:]

  init(_ index: ProfileIndex, thread: Int, period: Int64, threshold: Int64, rests: Int64) {
    self.index = index
    self.period = max(1, period)
    self.threshold = threshold
    restCount = rests
    runs = Array(index.runs(of: thread))
    sampleCount = runs.reduce(Int64(0)) { $0 &+ max(0, $1.weight.samples) }
  }

  /// The stretch, or parts of it, that are of one handler and as long as the threshold.
  ///
  /// `isCalledAgain` is whether the loop was seen to call the handler again at once: there are storms of it.
  mutating func handlers(
    in stretch: HandlerStretch, isCalledAgain: Bool = false
  ) -> [HandlerStretch] {
    if isOneHandler(stretch, isCalledAgain) { return [stretch] }
    guard stretch.hidesSleep || stretch.isManySleeps(threshold: threshold) else { return [] }
    return stretch.wholeParts.filter { $0.length >= threshold && isOneHandler($0, isCalledAgain) }
  }

  private mutating func isOneHandler(_ stretch: HandlerStretch, _ isCalledAgain: Bool) -> Bool {
    // A late sample stands for time before it, too, in which the thread may have been elsewhere.
    if stretch.isOneWait {
      // Of samples that are far apart what is between the first and the last is certain.
      let known = stretch.length - stretch.length / max(1, stretch.samples)
      return stretch.samples >= threshold / period / 2 || known >= threshold
    }
    // Where ticks were late nobody saw what it did.
    guard !isCalledAgain, stretch.samples > stretch.length / period / 2,
      !stretch.isManySleeps(threshold: threshold)
    else { return false }
    let hidesSleep = stretch.hidesSleep
    // A loop that had next to no time to rest in has slept for a moment in its handler.
    if hidesSleep, Double(stretch.restingTime) > Self.mostStray * Double(stretch.length) {
      let rest = stretch.isMostlyAsleep ? Self.leastRest.sleeping : Self.leastRest.computing
      guard Self.power(1 - rest, stretch.samples) < Self.chance else { return false }
    }
    guard let rows = rows(like: stretch), !isBacklog(stretch, rows) else { return false }
    let others = others(than: stretch, rows, countsRests: hidesSleep)
    guard others.ends >= Self.leastEnds, others.atRisk > 0 else { return true }
    let hazard = min(1, Double(others.ends) / Double(others.atRisk))
    return Double(others.ends + 1) * Self.power(1 - hazard, stretch.samples) < Self.chance
  }

  /// Whether it may be many calls of a handler that keeps the loop busy otherwise, too: as many in a row
  /// as it is longer than they are.
  private func isBacklog(_ stretch: HandlerStretch, _ rows: [Row]) -> Bool {
    let short = rows.filter { row in
      row.samples < threshold / period && !stretch.contains(row.start)
    }
    let samples = short.reduce(Int64(0)) { $0 &+ $1.samples }
    let all = rows.reduce(Int64(0)) { $0 &+ $1.samples }
    let rest = Double(restCount) / Double(max(1, sampleCount))
    // A loop that does little else, and hardly rests, has more to do than it can.
    if all > sampleCount / 2, rest < (stretch.isMostlyWithoutCPU ? 0.25 : 0.1) { return true }
    guard short.count >= Self.leastEnds else { return false }
    let long = all &- samples
    let busy = Double(samples) / Double(max(1, sampleCount &- long))
    if stretch.isMostlyWithoutCPU { return busy > Self.leastBusy }
    let length = max(1, samples / Int64(short.count))
    let chance = Double(short.count) * Self.power(min(1, busy), stretch.samples / length)
    return chance > Self.chance
  }

  // MARK: - Rows

  /// Samples in a row within the same functions.
  private struct Row {
    let start: Int64
    var samples: Int64
    var end = RowEnd.rest
  }

  private enum RowEnd {
    /// The thread slept, or the capture was over.
    case rest
    /// It returned to its loop without sleeping.
    case loop
    /// It went on in the same handler, in other functions.
    case sameHandler
  }

  /// How other rows like the stretch ended.
  ///
  /// `atRisk` are their samples, of each row at most half as many as the stretch has, and `ends` the rows
  /// that ended before that by the thread's returning to its loop; one that goes on in other functions of
  /// the same handler shows no return.
  private func others(
    than stretch: HandlerStretch, _ rows: [Row], countsRests: Bool
  ) -> (ends: Int, atRisk: Int64) {
    let limit = max(1, stretch.samples / 2)
    var (ends, atRisk) = (0, Int64(0))
    for row in rows where !stretch.contains(row.start) {
      atRisk = atRisk &+ min(row.samples, limit)
      guard row.samples < limit else { continue }
      switch row.end {
      case .rest: if countsRests { ends += 1 }
      case .loop: ends += 1
      case .sameHandler: break
      }
    }
    return (ends, atRisk)
  }

  /// All rows of samples in the functions that all of the stretch is in; nil where too many others were
  /// asked for, or it has none.
  private mutating func rows(like stretch: HandlerStretch) -> [Row]? {
    let common = commonPath(of: stretch)
    guard common != 0 else { return nil }
    if let known = known[common] { return known }
    guard known.count < max(64, Self.effort / max(1, runs.count)) else { return nil }
    var rows: [Row] = []
    var isOpen = false
    for run in runs where run.weight.wall > 0 {
      let isWithin = isWithin(run.stack, common)
      if isWithin, isOpen {
        rows[rows.count - 1].samples &+= max(0, run.weight.samples)
      } else if isWithin {
        rows.append(Row(start: run.start, samples: max(0, run.weight.samples)))
      } else if isOpen, run.unseenSleeps.isEmpty {
        rows[rows.count - 1].end = end(at: run, stretch.handler)
      }
      isOpen = isWithin
    }
    known[common] = rows
    return rows
  }

  /// How a row of samples in a handler ends by a run that is not in the row's functions.
  private func end(at run: Run, _ handler: LoopMoments.Handler?) -> RowEnd {
    let isInHandler = handler.map { handler in
      index.sourceFrames(of: run.stack).contains {
        index.stacks.function(ofFrame: $0) == handler.function
      }
    }
    if isInHandler ?? false { return .sameHandler }
    return run.activity.isWait ? .rest : .loop
  }

  /// Steps for all rows together.
  private static let effort = 200_000_000

  // MARK: - Paths

  /// The functions that all stacks of the stretch begin with.
  private func commonPath(of stretch: HandlerStretch) -> Int {
    var seen: Set<StackID> = []
    var common: Int?
    for run in stretch.runs where seen.insert(run.stack).inserted {
      let path = index.stacks.functionPaths.path(of: run.stack)
      common = common.map { shared($0, path) } ?? path
    }
    return common ?? 0
  }

  private func shared(_ first: Int, _ second: Int) -> Int {
    let table = index.stacks.functionPaths
    var (first, second) = (first, second)
    // A path's number is higher than its caller's.
    while first != second {
      if first > second {
        first = table.caller(of: first)
      } else {
        second = table.caller(of: second)
      }
    }
    return first
  }

  private func isWithin(_ stack: StackID, _ common: Int) -> Bool {
    var path = index.stacks.functionPaths.path(of: stack)
    while path > common { path = index.stacks.functionPaths.caller(of: path) }
    return path == common
  }

  private static func power(_ base: Double, _ exponent: Int64) -> Double {
    var (result, base, exponent) = (1.0, min(max(base, 0), 1), max(0, exponent))
    while exponent > 0 {
      if exponent & 1 == 1 { result *= base }
      base *= base
      exponent >>= 1
    }
    return result
  }
}
