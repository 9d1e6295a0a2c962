internal import ProfileModel

extension ComparisonBuilder {
  /// The most call paths that are measured, heaviest first.
  private static let pathLimit = 3000

  /// Measures the call paths to functions that changed.
  ///
  /// No path counts as changed whose function did not change, so that the paths add nothing to the
  /// rate of false discoveries.
  mutating func addPaths(to comparison: inout Comparison, _ totals: [Comparison.Times]) {
    let changed = comparison.functions.indices.filter { index in
      comparison.functions[index].inclusive.change.isSignificant
        || comparison.functions[index].own.change.isSignificant
    }
    guard !changed.isEmpty else { return }
    let chosen = heaviestNodes(of: Set(changed))
    let (inclusive, own) = measure(nodes: chosen)
    comparison.paths = chosen.enumerated().map { row, node in
      Comparison.Path(
        node: node, threads: nodes[node].group, functions: functions(on: node),
        inclusive: timing(inclusive, row, totals), own: timing(own, row, totals))
    }
    let tested = comparison.paths.indices.filter { comparison.paths[$0].inclusive.change.p != nil }
    let values = tested.map { comparison.paths[$0].inclusive.change.p ?? 1 }
    for (path, value) in zip(tested, FalseDiscovery.adjusted(values)) {
      comparison.paths[path].inclusive.change.q = value
    }
  }

  /// The nodes of these functions, at most `pathLimit`, in their order.
  private func heaviestNodes(of wanted: Set<Int>) -> [Int] {
    var weights: [Double] = Array(repeating: 0, count: nodes.count)
    for side in 0..<2 {
      let part = 1 / Double(max(layouts[side].windows, 1))
      for entry in entries[side] { weights[entry.node] += entry.times.time * part }
    }
    // A caller comes before the functions that it called, so backwards each sum is complete.
    for node in nodes.indices.reversed() where nodes[node].parent >= 0 {
      weights[nodes[node].parent] += weights[node]
    }
    return nodes.indices.filter { wanted.contains(nodes[$0].function) }
      .sorted { (-weights[$0], $0) < (-weights[$1], $1) }.prefix(Self.pathLimit).sorted()
  }

  private func measure(nodes chosen: [Int]) -> (inclusive: Measured, own: Measured) {
    var rowOfNode: [Int] = Array(repeating: -1, count: nodes.count)
    for (row, node) in chosen.enumerated() { rowOfNode[node] = row }
    let windows = layouts.map(\.windows)
    var inclusive = Measured(count: chosen.count, windows: windows)
    var own = Measured(count: chosen.count, windows: windows)
    for side in 0..<2 {
      for entry in entries[side] {
        if rowOfNode[entry.node] >= 0 { add(entry, side, to: &own, row: rowOfNode[entry.node]) }
        var node = entry.node
        while node >= 0 {
          if rowOfNode[node] >= 0 { add(entry, side, to: &inclusive, row: rowOfNode[node]) }
          node = nodes[node].parent
        }
      }
    }
    return (inclusive, own)
  }

  private func functions(on node: Int) -> [Int] {
    var result: [Int] = []
    var node = node
    while node >= 0 {
      if nodes[node].function >= 0 { result.append(nodes[node].function) }
      node = nodes[node].parent
    }
    return result.reversed()
  }
}

extension Comparison {
  /// A caller's change is explained when the functions that it called changed by this part of it.
  private static let explainedPart = 0.7

  /// Finds the deepest frames that explain the changes of their callers.
  mutating func addFindings() {
    var causes: [Int: [Int]] = [:]
    for sign in [1.0, -1.0] {
      for path in causePaths(sign: sign) {
        guard let function = paths[path].functions.last else { continue }
        causes[function, default: []].append(path)
      }
    }
    findings = causes.map { function, paths in finding(function, paths) }
    // Changes that are spread over too many paths to show in any of them.
    if findings.isEmpty {
      findings = functions.indices.filter { functions[$0].own.change.isSignificant }.map {
        Finding(function: $0, path: nil, timing: functions[$0].own, isOwn: true)
      }
    }
    findings.sort { $0.rank < $1.rank }
  }

  /// Paths that changed in the direction of `sign`, with nothing below them that explains it.
  private func causePaths(sign: Double) -> [Int] {
    let changed = paths.indices.filter { path in
      let change = paths[path].inclusive.change
      return change.isSignificant && change.change * sign > 0
    }
    var explained: [[Int]: Double] = [:]
    for path in changed {
      let place = [paths[path].threads] + paths[path].functions.dropLast()
      explained[place, default: 0] += paths[path].inclusive.change.change * sign
    }
    return changed.filter { path in
      let place = [paths[path].threads] + paths[path].functions
      let below = explained[place] ?? 0
      return below < Self.explainedPart * paths[path].inclusive.change.change * sign
    }
  }

  private func finding(_ function: Int, _ found: [Int]) -> Finding {
    let heaviest = found.max {
      paths[$0].inclusive.change.change.magnitude < paths[$1].inclusive.change.change.magnitude
    }
    let whole = functions[function].inclusive
    let own = functions[function].own
    // A function that takes more itself may call others that take less.
    let isOwn =
      own.change.isSignificant
      && (!whole.change.isSignificant
        || own.change.change.magnitude > whole.change.change.magnitude)
    return Finding(
      function: function, path: heaviest, timing: isOwn ? own : whole, isOwn: isOwn)
  }

  /// Works out how much longer the captures must be to show a change of 2 % in the busiest
  /// function.
  mutating func addNeed() {
    let busiest = functions.indices.max {
      min(functions[$0].own.before.cpu, functions[$0].own.after.cpu)
        < min(functions[$1].own.before.cpu, functions[$1].own.after.cpu)
    }
    guard let busiest else { return }
    let own = functions[busiest].own
    let level = min(own.before.cpu, own.after.cpu)
    guard level > 0, let interval = own.change.interval, own.before.time > 0 else { return }
    // Half an interval is about two errors; a change of 2.8 errors shows in 80 % of all pairs.
    let error = (interval.upperBound - interval.lowerBound) / 2 / 1.96
    let visible = 2.8 * error / own.before.time
    let seconds = min(secondsBefore, secondsAfter)
    let factor = visible / 0.02
    need = Need(
      function: busiest, visible: visible,
      moreSeconds: max(0, seconds * (factor * factor - 1)))
  }
}

extension Comparison.Finding {
  /// More time before less, then by size.
  fileprivate var rank: (Int, Double, Int) {
    let change = timing.change.change
    return (change > 0 ? 0 : 1, -change.magnitude, function)
  }
}
