internal import ProfileModel

/// Matches the functions, threads and paths of two sides, and measures them window by window.
struct ComparisonBuilder {
  struct Parts {
    let functions: [Comparison.Function]
    let threads: [Comparison.Threads]
    let cpu: Comparison.Change
    let delay: Comparison.Change
    let blocked: Comparison.Change
    let seconds: [Double]
    let windows: [Int]
  }

  /// A part of a run in one window, in thread-seconds per wall second of that window.
  struct Entry {
    let node: Int
    let window: Int
    /// Index into `waits`; -1 for none, or `madeUp`.
    let wait: Int
    var times: Comparison.Times
    /// All of its time: the parts may add up to a little less or more, because the kernel counts
    /// them late.
    let wall: Double

    /// Marks what no sample found, but gaps were filled with; such entries come after all others.
    static let madeUp = -2
    var isSeen: Bool { wait != Self.madeUp }
  }

  /// A function called by way of others, below a group of threads.
  struct Node: Hashable {
    let parent: Int
    /// Index into the functions of the comparison; -1 for the threads themselves.
    let function: Int
    let group: Int
  }

  let sides: [[ComparedCapture]]
  let layouts: [WindowLayout]
  let censuses: [FunctionCensus]
  let matching: FunctionMatching
  let grouping: ComparedThreads
  private(set) var nodes: [Node] = []
  var entries: [[Entry]] = [[], []]
  private(set) var waits: [String] = []
  var bootstrap: BlockBootstrap
  /// By group: how much of its time on a CPU, and blocked, load alone may take away, and on which
  /// side the load is lower.
  private(set) var loads: [Load] = []
  /// Groups that never pause but hardly ran: all their changes may be due to load.
  ///
  /// The kernel counts a wait for a CPU only when it ends, so that much of it looks like a sleep.
  var starved: Set<Int> = []
  /// By side, group and window: waiting for a CPU that was made up for (`makeUpForDelays`).
  var delaysMadeUpFor: [[Int: [Double]]] = [[:], [:]]

  struct Load {
    var quieter = 0
    var cpuLoss = 0.0
    var blockedLoss = 0.0
  }

  init(
    before: [ComparedCapture], after: [ComparedCapture], filter: ThreadFilter?, seed: UInt64
  ) {
    sides = [before, after]
    let window = WindowLayout.windowLength(sides)
    layouts = sides.map { WindowLayout($0, window: window) }
    let indexed = sides.map { side in
      side.map { capture in
        let index = ProfileIndex(capture.profile)
        return (index: index, threads: index.threads(matching: filter))
      }
    }
    censuses = indexed.map { side in
      var census = FunctionCensus()
      for capture in side { census.add(capture.index, threads: capture.threads) }
      return census
    }
    let samples = zip(sides, layouts).map { side, layout in
      zip(side, layout.captures).reduce(0.0) {
        $0 + $1.1.length * max($1.0.profile.capture.rate, 1)
      }
    }
    let scale = samples[0] > 0 && samples[1] > 0 ? samples[1] / samples[0] : 1
    matching = FunctionMatching(censuses[0], censuses[1], scale: scale)
    grouping = ComparedThreads(indexed)
    bootstrap = BlockBootstrap(
      before: layouts[0].captures.map(\.windows.count),
      after: layouts[1].captures.map(\.windows.count), seed: seed)
    collect(indexed)
    makeUpForDelays()
    measureLoads()
  }

  // MARK: - Runs to entries

  private mutating func collect(_ indexed: [[(index: ProfileIndex, threads: [Int])]]) {
    var ids = Identifiers()
    for side in 0..<2 {
      for (capture, part) in indexed[side].enumerated() {
        guard layouts[side].captures[capture].windowLength > 0 else { continue }
        for thread in part.threads {
          collect(thread, part.index, side: side, capture: capture, &ids)
        }
      }
    }
    (nodes, waits) = (ids.nodes.elements, ids.waits.elements)
  }

  /// The nodes and waits of both sides, by number.
  private struct Identifiers {
    var nodes = Numbering<Node>()
    var waits = Numbering<String>()
  }

  private mutating func collect(
    _ thread: Int, _ index: ProfileIndex, side: Int, capture: Int, _ ids: inout Identifiers
  ) {
    let seconds = layouts[side].captures[capture].windowLength / 1e9
    let paths = index.stacks.functionPaths
    let group = grouping.groupOfThread[side][capture][thread]
    var nodeOfPath = [0: ids.nodes.number(of: Node(parent: -1, function: -1, group: group))]
    func node(of path: Int) -> Int {
      var missing: [Int] = []
      var known = path
      while nodeOfPath[known] == nil {
        missing.append(known)
        known = paths.caller(of: known)
      }
      var node = nodeOfPath[known] ?? 0
      for path in missing.reversed() {
        let function = function(paths.item(of: path), side: side, capture: capture)
        node = ids.nodes.number(of: Node(parent: node, function: function, group: group))
        nodeOfPath[path] = node
      }
      return node
    }
    let sleep = TimeAsleep(index.runs(of: thread))
    for run in index.runs(of: thread) {
      let node = node(of: paths.path(of: run.stack))
      let wait = run.activity.wait.map { ids.waits.number(of: $0) } ?? -1
      let times = Comparison.Times(run, asleep: sleep.part(of: run), per: seconds)
      let wall = Double(max(run.weight.wall, 0)) / 1e9 / seconds
      layouts[side].divide(run, of: capture) { window, part in
        entries[side].append(
          Entry(node: node, window: window, wait: wait, times: times * part, wall: wall * part))
      }
    }
  }

  /// The function of the comparison that a capture's function is.
  private func function(_ function: Int, side: Int, capture: Int) -> Int {
    let entry = censuses[side].entryOfFunction[capture][function]
    return side == 0 ? matching.pairOfBefore[entry] : matching.pairOfAfter[entry]
  }

  // MARK: - Load

  /// Works out how more waiting for a CPU affects each group of threads: it shortens what runs
  /// without a pause in the same proportion, and where there are pauses it shortens these.
  private mutating func measureLoads() {
    let groups = grouping.groups.count
    var sums = Array(repeating: Array(repeating: Comparison.Times(), count: groups), count: 2)
    for side in 0..<2 {
      let windows = Double(max(layouts[side].windows, 1))
      for entry in entries[side] {
        sums[side][nodes[entry.node].group] += entry.times * (1 / windows)
      }
    }
    loads = (0..<groups).map { group in
      let quieter = sums[0][group].delay <= sums[1][group].delay ? 0 : 1
      let (quiet, loud) = (sums[quieter][group], sums[1 - quieter][group])
      let more = loud.delay - quiet.delay
      let wall = quiet.time + quiet.delay
      guard more > 0, wall > 0 else { return Load(quieter: quieter) }
      return Load(
        quieter: quieter, cpuLoss: min(1, more / max(wall - quiet.delay, more)),
        blockedLoss: min(1, more / max(quiet.blocked, more)))
    }
  }

  /// The change of a row that load may explain: load takes time away, and stretches what is short,
  /// so that more samples find it.
  ///
  /// The losses are what load takes of the row's parts on the side where it is the quieter one;
  /// `waiting` is the row's own time waiting for a CPU; both by side. `stops` is what sprof's own
  /// stops may explain either way.
  func harmless(losses: [Double], waiting: [Double], stops: Double) -> ClosedRange<Double> {
    let more = waiting[1] - waiting[0]
    return -(losses[0] + max(0, -more) + stops)...(losses[1] + max(0, more) + stops)
  }

  /// How much of a part of a run load may have taken away.
  func loss(_ entry: Entry, on side: Int) -> Comparison.Times {
    let group = nodes[entry.node].group
    var loss = entry.times
    loss.delay = 0
    if starved.contains(group) { return loss }
    guard loads[group].quieter == side else { return Comparison.Times() }
    loss.cpu *= loads[group].cpuLoss
    loss.blocked *= loads[group].blockedLoss
    return loss
  }

  /// By how much of a figure two runs of one program differ beyond what the windows within a run
  /// show: layout in memory, the CPU's clock, neighbours in its caches.
  static let runToRun = 0.01
  /// How much more for the share of late ticks: samples that wait for a CPU together with the
  /// program find it where it lost its own.
  private static let lateToRun = 0.1

  /// The error of a rate that windows cannot show: that of the ends of runs between two samples,
  /// and the difference of one run of a program from the next.
  func uncertainty(threads: Double, before: Double, after: Double) -> Double {
    let parts = (0..<2).map { side in
      let period = sides[side].map { 1e9 / max($0.profile.capture.rate, 1) }.max() ?? 0
      let captures = Double(max(sides[side].count, 1))
      return layouts[side].length > 0
        ? period * captures / layouts[side].length * max(threads, 1).squareRoot() : 0
    }
    let between = zip(sides, [before, after]).reduce(0.0) { sum, side in
      let error = side.1 * (Self.runToRun + Self.lateToRun * Self.lateShare(side.0))
      return sum + error * error / Double(max(side.0.count, 1))
    }
    return (parts[0] * parts[0] + parts[1] * parts[1] + between).squareRoot()
  }
}

extension ComparisonBuilder {
  /// The part of a side's ticks that came late.
  static func lateShare(_ side: [ComparedCapture]) -> Double {
    let costs = side.map(\.profile.capture.cost)
    let planned = costs.reduce(0.0) { $0 + Double($1.ticksPlanned) }
    let late = costs.reduce(0.0) { $0 + Double($1.ticksLate) }
    return planned > 0 ? min(1, late / planned) : 0
  }
}
