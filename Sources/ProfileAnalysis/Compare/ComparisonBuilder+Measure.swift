internal import ProfileModel

extension ComparisonBuilder {
  /// Some rows measured on both sides.
  struct Measured {
    var rows: [WindowRows]
    /// By side, by row: the sums over all windows, per second of wall time.
    var times: [[Comparison.Times]]
    /// By side: what load may have taken away from rows where that side is the quieter one.
    var losses: [[Double]]

    init(count: Int, windows: [Int]) {
      rows = windows.map { WindowRows(count: count, windows: $0) }
      times = Array(repeating: Array(repeating: Comparison.Times(), count: count), count: 2)
      losses = Array(repeating: Array(repeating: 0, count: count), count: 2)
    }
  }

  mutating func comparison() -> Comparison {
    let (inclusive, own) = measureFunctions()
    let groups = measureThreads()
    bootstrap.learn(own.rows[0], own.rows[1])
    let totals = (0..<2).map { side in
      own.times[side].reduce(groups.noStack[side]) { $0 + $1 }
    }
    var comparison = Comparison(
      Parts(
        functions: matching.pairs.indices.map { pair in
          function(pair, timing(inclusive, pair, totals), timing(own, pair, totals))
        },
        threads: grouping.groups.indices.map { threads($0, groups.measured) },
        cpu: test(groups.measured.cpu, row: grouping.groups.count, isSplit: true),
        delay: test(groups.measured.delay, row: grouping.groups.count),
        blocked: test(groups.measured.blocked, row: grouping.groups.count, isSplit: true),
        seconds: layouts.map { $0.length / 1e9 }, windows: layouts.map(\.windows)))
    comparison.adjust()
    comparison.tree = tree
    addPaths(to: &comparison, totals)
    addWaits(to: &comparison)
    comparison.addFindings()
    comparison.addNeed()
    comparison.warnings = warnings(comparison)
    return comparison
  }

  /// All nodes, with what each did itself in a second of wall time.
  private var tree: [Comparison.TreeNode] {
    var tree = nodes.map { node in
      Comparison.TreeNode(parent: node.parent, function: node.function, threads: node.group)
    }
    let parts = layouts.map { 1 / Double(max($0.windows, 1)) }
    for entry in entries[0] { tree[entry.node].before += entry.times * parts[0] }
    for entry in entries[1] { tree[entry.node].after += entry.times * parts[1] }
    return tree
  }

  private func measureFunctions() -> (inclusive: Measured, own: Measured) {
    let count = matching.pairs.count
    let windows = layouts.map(\.windows)
    var inclusive = Measured(count: count, windows: windows)
    var own = Measured(count: count, windows: windows)
    var stamp: [Int] = Array(repeating: -1, count: count)
    var number = 0
    for side in 0..<2 {
      for entry in entries[side] {
        number += 1
        var node = entry.node
        var isInnermost = true
        while node >= 0 {
          let function = nodes[node].function
          if function >= 0 && stamp[function] != number {
            stamp[function] = number
            add(entry, side, to: &inclusive, row: function)
          }
          if isInnermost && function >= 0 { add(entry, side, to: &own, row: function) }
          isInnermost = false
          node = nodes[node].parent
        }
      }
    }
    return (inclusive, own)
  }

  /// The three parts of each group's time, and in the last row those of all together.
  struct MeasuredThreads {
    var cpu: Measured
    var delay: Measured
    var blocked: Measured
  }

  private func measureThreads() -> (measured: MeasuredThreads, noStack: [Comparison.Times]) {
    let windows = layouts.map(\.windows)
    let all = grouping.groups.count
    let empty = Measured(count: all + 1, windows: windows)
    var measured = MeasuredThreads(cpu: empty, delay: empty, blocked: empty)
    var noStack = [Comparison.Times(), Comparison.Times()]
    for side in 0..<2 {
      for entry in entries[side] {
        let group = nodes[entry.node].group
        let loss = loss(entry, on: side)
        if nodes[entry.node].function < 0 {
          noStack[side] += entry.times * (1 / Double(max(windows[side], 1)))
        }
        for row in [group, all] {
          let window = entry.window
          let times = entry.times
          let isSeen = entry.isSeen
          measured.cpu.rows[side].add(times.cpu, row: row, window: window, isSeen: isSeen)
          measured.delay.rows[side].add(times.delay, row: row, window: window, isSeen: isSeen)
          measured.blocked.rows[side].add(times.blocked, row: row, window: window, isSeen: isSeen)
          let part = 1 / Double(max(windows[side], 1))
          measured.cpu.losses[side][row] += loss.cpu * part
          measured.blocked.losses[side][row] += loss.blocked * part
        }
      }
    }
    addDelaysMadeUpFor(to: &measured.delay)
    return (measured, noStack)
  }

  func add(_ entry: Entry, _ side: Int, to measured: inout Measured, row: Int) {
    measured.rows[side].add(
      entry.times.time, row: row, window: entry.window, isSeen: entry.isSeen)
    let part = 1 / Double(max(layouts[side].windows, 1))
    measured.times[side][row] += entry.times * part
    measured.losses[side][row] += loss(entry, on: side).time * part
  }

  /// Tests a row of some measured ones.
  ///
  /// A row that is split has only the time on a CPU, or only the blocked time: sprof's own stops,
  /// which count as blocked, move time from the one to the other.
  mutating func test(
    _ measured: Measured, row: Int, threads: Double = 1, isSplit: Bool = false
  ) -> Comparison.Change {
    let before = measured.rows[0].mean(row)
    let after = measured.rows[1].mean(row)
    let windows = zip(measured.rows, [0, 1]).reduce(0) { sum, part in
      sum + part.0.seen[row]
    }
    // What was hardly seen cannot have changed visibly; leaving it out makes no other row unsure.
    guard windows >= 4 else {
      return Comparison.Change(before: before, after: after, interval: nil, p: nil, q: nil)
    }
    let result = bootstrap.test(
      measured.rows[0], measured.rows[1], row: row,
      uncertainty: uncertainty(threads: threads, before: before, after: after),
      harmless: harmless(
        losses: measured.losses.map { $0[row] }, waiting: measured.times.map { $0[row].delay },
        stops: isSplit ? stopDifference * max(1, threads) : 0))
    return Comparison.Change(
      before: before, after: after, interval: result.interval,
      p: result.interval == nil ? nil : result.p, q: nil)
  }

  mutating func timing(
    _ measured: Measured, _ row: Int, _ totals: [Comparison.Times]
  ) -> Comparison.Timing {
    let (before, after) = (measured.times[0][row], measured.times[1][row])
    return Comparison.Timing(
      before: before, after: after,
      change: test(measured, row: row, threads: max(before.time, after.time)),
      shareBefore: totals[0].time > 0 ? before.time / totals[0].time : 0,
      shareAfter: totals[1].time > 0 ? after.time / totals[1].time : 0)
  }

  private func function(
    _ pair: Int, _ inclusive: Comparison.Timing, _ own: Comparison.Timing
  ) -> Comparison.Function {
    let match = matching.pairs[pair]
    let before = match.before.map { censuses[0].entries[$0] }
    let after = match.after.map { censuses[1].entries[$0] }
    let shown = after ?? before
    return Comparison.Function(
      name: shown?.key.name ?? "",
      oldName: match.match == .renamed ? before?.key.name : nil,
      file: shown?.function.file, oldFile: match.match == .same ? nil : before?.function.file,
      module: shown?.moduleName ?? "", match: match.match,
      isBefore: before.map { $0.samples > 0 } ?? false,
      isAfter: after.map { $0.samples > 0 } ?? false,
      wasInlined: before?.isInlined ?? false, isInlined: after?.isInlined ?? false,
      inclusive: inclusive, own: own, wait: nil)
  }

  private mutating func threads(
    _ group: Int, _ measured: MeasuredThreads
  ) -> Comparison.Threads {
    let known = grouping.groups[group]
    let counts = (0..<2).map { Double(known.counts[$0]) / Double(max(sides[$0].count, 1)) }
    let threads = max(counts[0], counts[1])
    return Comparison.Threads(
      name: known.name, rootFunction: known.root, countBefore: counts[0], countAfter: counts[1],
      cpu: test(measured.cpu, row: group, threads: threads, isSplit: true),
      delay: test(measured.delay, row: group, threads: threads),
      blocked: test(measured.blocked, row: group, threads: threads, isSplit: true))
  }

  // MARK: - Waits

  /// Names the system call whose blocked time changed most in each function that changed.
  private func addWaits(to comparison: inout Comparison) {
    var changes: [[Int: Double]] = Array(repeating: [:], count: comparison.functions.count)
    var stamp: [Int] = Array(repeating: -1, count: comparison.functions.count)
    var number = 0
    for side in 0..<2 {
      let part = (side == 0 ? -1.0 : 1.0) / Double(max(layouts[side].windows, 1))
      for entry in entries[side] where entry.wait >= 0 {
        number += 1
        var node = entry.node
        while node >= 0 {
          let function = nodes[node].function
          if function >= 0 && stamp[function] != number {
            stamp[function] = number
            changes[function][entry.wait, default: 0] += entry.times.blocked * part
          }
          node = nodes[node].parent
        }
      }
    }
    for function in comparison.functions.indices {
      let largest = changes[function].max {
        ($0.value.magnitude, $1.key) < ($1.value.magnitude, $0.key)
      }
      if let largest, largest.value.magnitude > 1e-6 {
        comparison.functions[function].wait = waits[largest.key]
      }
    }
  }
}

extension Comparison {
  /// Holds the rate of false discoveries over all functions and threads together.
  fileprivate mutating func adjust() {
    var values: [Double] = []
    forEachTested { change in if let p = change.p { values.append(p) } }
    let adjusted = FalseDiscovery.adjusted(values)
    var next = 0
    forEachTested { change in
      guard change.p != nil else { return }
      change.q = adjusted[next]
      next += 1
    }
  }

  private mutating func forEachTested(_ body: (inout Change) -> Void) {
    for function in functions.indices {
      body(&functions[function].inclusive.change)
      body(&functions[function].own.change)
    }
    for group in threads.indices {
      body(&threads[group].cpu)
      body(&threads[group].blocked)
    }
    body(&cpu)
    body(&blocked)
  }
}
