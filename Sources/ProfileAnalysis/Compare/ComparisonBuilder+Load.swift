internal import ProfileModel

extension ComparisonBuilder {
  /// Threads that are blocked for less than this part of their time on a CPU count as never
  /// pausing: load takes time from all that they do in proportion.
  private static let pausePart = 0.15
  /// Less waiting for a CPU than this part of the time is not made up for.
  private static let leastDelay = 0.002
  /// A thread that ran for less than this part of the time in which it was runnable says too little
  /// about what it would have done in the rest.
  private static let leastRunPart = 0.05
  /// The most parts of runs that may be added.
  private static let entryLimit = 4_000_000

  /// Fills the time that load took from threads that never pause with what they did in the rest.
  ///
  /// On a busy machine the time that such a thread gets varies by far more than what it does with
  /// it. With the gaps filled in proportion, each figure is per second in which the thread was
  /// runnable: what it did, times its running and its gaps divided by its running. A window gets
  /// that, and the part of its own gaps that is unusual for its running. The mean over the windows
  /// is then the usual ratio estimate, and their variance that of the ratio, which is larger by the
  /// square of the same factor (Cochran 1977, 2.11). The gaps are the time waiting for a CPU and,
  /// since no sample found the thread asleep, the time in which sprof's own stops held it. Its
  /// sleep is as long on a busy machine as on an idle one.
  mutating func makeUpForDelays() {
    let sums = (0..<2).map { side in
      var sums = Array(repeating: Sums(), count: grouping.groups.count)
      for entry in entries[side] { sums[nodes[entry.node].group].add(entry) }
      return sums
    }
    for group in grouping.groups.indices {
      let both = [sums[0][group], sums[1][group]]
      let isBusy = both.allSatisfy { $0.kept > 0 && $0.asleep < Self.pausePart * $0.kept }
      let isLate = both.contains { $0.lost > Self.leastDelay * ($0.kept + $0.lost) }
      guard isBusy, isLate else { continue }
      guard both.allSatisfy({ $0.ran > Self.leastRunPart * ($0.ran + $0.lost) }) else {
        starved.insert(group)
        continue
      }
      for side in 0..<2 { makeUp(group, side, ran: both[side].ran) }
    }
  }

  /// What a group of threads did: sums of the rates of windows.
  private struct Sums {
    /// On a CPU or asleep.
    var kept = 0.0
    var asleep = 0.0
    var lost = 0.0
    var ran: Double { kept - asleep }

    mutating func add(_ entry: Entry) {
      let own = entry.own
      kept += own.time
      asleep += own.blocked
      lost += max(0, entry.wall - own.time)
    }
  }

  private mutating func makeUp(_ group: Int, _ side: Int, ran: Double) {
    var gaps: [Double] = Array(repeating: 0, count: layouts[side].windows)
    var delays = gaps
    var running = gaps
    var parts: [Int: Comparison.Times] = [:]
    let own = entries[side].indices.filter { nodes[entries[side][$0].node].group == group }
    for index in own {
      let entry = entries[side][index]
      gaps[entry.window] += entry.wall - entry.own.time
      delays[entry.window] += entry.times.delay
      entries[side][index].times = entry.own
      guard entry.wait < 0 else { continue }
      running[entry.window] += entry.own.time
      parts[entry.node, default: Comparison.Times()] += entry.own
    }
    delaysMadeUpFor[side][group] = delays
    let stretch = gaps.reduce(0, +) / ran
    for index in own where entries[side][index].wait < 0 {
      entries[side][index].times = entries[side][index].times * (1 + stretch)
    }
    // By window; the sum of all is zero.
    let unusual = zip(gaps, running).map { $0 - stretch * $1 }
    let late = unusual.indices.filter { unusual[$0] != 0 }
    // Heaviest first: what exceeds the limit is too light to be tested.
    let heaviest = parts.sorted { ($0.value.time, $1.key) > ($1.value.time, $0.key) }
      .prefix(max(1, Self.entryLimit / max(late.count, 1)))
    for (node, times) in heaviest {
      for window in late {
        entries[side].append(
          Entry(
            node: node, window: window, wait: Entry.madeUp, times: times * (unusual[window] / ran),
            wall: 0))
      }
    }
  }

  /// Adds the waiting that was made up for: by group, and in the last row for all together.
  func addDelaysMadeUpFor(to delay: inout Measured) {
    for side in 0..<2 {
      for (group, windows) in delaysMadeUpFor[side] {
        for (window, value) in windows.enumerated() where value != 0 {
          delay.rows[side].add(value, row: group, window: window)
          delay.rows[side].add(value, row: grouping.groups.count, window: window)
        }
      }
    }
  }

  /// The difference of the sides' time with threads stopped by sprof, in seconds per second.
  var stopDifference: Double { (stopShares[1] - stopShares[0]).magnitude }

  /// By side: the part of the time in which sprof had threads stopped.
  private var stopShares: [Double] {
    sides.map { side in
      let seconds = side.reduce(0.0) { $0 + Double($1.profile.capture.duration) }
      let stopped = side.reduce(0.0) { $0 + Double($1.profile.capture.cost.stoppedTime) }
      return seconds > 0 ? stopped / seconds : 0
    }
  }
}

extension ComparisonBuilder.Entry {
  /// What the thread itself did: on a CPU where a sample found it running, else asleep for all the
  /// time of the sample.
  fileprivate var own: Comparison.Times {
    wait < 0 ? Comparison.Times(cpu: times.cpu) : Comparison.Times(blocked: wall)
  }
}
