extension Comparison {
  /// A figure whose own 95 % interval leaves out zero, though it does not count as changed: among so many
  /// figures that may be chance, or load may explain it.
  package struct PossibleChange: Sendable {
    package enum Subject: Hashable, Sendable {
      /// Index into `functions`; by itself, or with all that it called.
      case function(Int, isOwn: Bool)
      /// Index into `threads`: their time on a CPU, or blocked.
      case threads(Int, isBlocked: Bool)
      /// All chosen threads together.
      case all(isBlocked: Bool)
    }

    package let subject: Subject
    package let change: Change
    /// Whether other waiting for a CPU on the two sides may explain it.
    package let mayBeLoad: Bool
    /// Whether chance alone gives the best of so many figures such an interval as often as not.
    package let mayBeChance: Bool
    /// For how long each side has to be sampled for such a change to count in four of five comparisons; nil
    /// where two runs of one program differ by so much, and only several captures of each side help.
    package internal(set) var seconds: Double?
  }

  /// What may have changed where nothing counts as changed; the most likely first, what takes more time before
  /// what takes less.
  package var possibleChanges: [PossibleChange] {
    guard !hasChanges else { return [] }
    let own = functions.indices.map {
      (PossibleChange.Subject.function($0, isOwn: true), functions[$0].own.change)
    }
    let inclusive = deepestFirst.map {
      (PossibleChange.Subject.function($0, isOwn: false), functions[$0].inclusive.change)
    }
    let groups = threads.indices.flatMap { group in
      [
        (PossibleChange.Subject.threads(group, isBlocked: false), threads[group].cpu),
        (.threads(group, isBlocked: true), threads[group].blocked),
      ]
    }
    let all = [
      (PossibleChange.Subject.all(isBlocked: false), cpu), (.all(isBlocked: true), blocked),
    ]
    // The next list repeats what the one before it says.
    for list in [own, inclusive, groups, all] {
      let found = list.filter { $0.1.leavesOutZero }.map { possible($0.0, $0.1) }
      if !found.isEmpty { return Self.likeliestFirst(found) }
    }
    return []
  }

  /// The function that makes up most of what changed where threads changed and no function did beyond noise;
  /// nil elsewhere.
  package var largestPart: PossibleChange? {
    guard let total = changeOfThreads else { return nil }
    let sign = total.change < 0 ? -1.0 : 1
    let largest = functions.indices.max { left, right in
      let (one, other) = (functions[left].own.change, functions[right].own.change)
      return (one.change * sign, right) < (other.change * sign, left)
    }
    guard let largest, case let change = functions[largest].own.change, change.change * sign > 0
    else { return nil }
    var part = possible(.function(largest, isOwn: true), change)
    part.seconds = seconds(of: change, size: change.change.magnitude)
    return part
  }

  /// The largest change of threads that counts, or may be one, without one of a function.
  private var changeOfThreads: Change? {
    let groups = threads.flatMap { [$0.cpu, $0.blocked] }
    let changed = hasChanges ? groups.filter(\.isSignificant) : groups.filter(\.leavesOutZero)
    let all = [cpu, blocked].filter { hasChanges ? $0.isSignificant : $0.leavesOutZero }
    let isOfFunction = functions.contains { function in
      [function.own.change, function.inclusive.change].contains {
        hasChanges ? $0.isSignificant : $0.leavesOutZero
      }
    }
    guard findings.isEmpty, !isOfFunction else { return nil }
    return (changed.isEmpty ? all : changed).max { $0.change.magnitude < $1.change.magnitude }
  }

  /// How many figures were tested together.
  package var testedCount: Int {
    functions.count { $0.own.change.p != nil } + functions.count { $0.inclusive.change.p != nil }
      + threads.count { $0.cpu.p != nil } + threads.count { $0.blocked.p != nil }
      + [cpu, blocked].count { $0.p != nil }
  }

  /// The functions, callees before their callers.
  private var deepestFirst: [Int] {
    var last = Array(repeating: -1, count: functions.count)
    for (place, node) in tree.enumerated() where node.function >= 0 { last[node.function] = place }
    return functions.indices.sorted { (-last[$0], $0) < (-last[$1], $1) }
  }

  /// Callers that changed exactly as their callee did say nothing more.
  private static func likeliestFirst(_ found: [PossibleChange]) -> [PossibleChange] {
    var seen: Set<[Double]> = []
    let distinct = found.filter { seen.insert([$0.change.before, $0.change.after]).inserted }
    func rank(_ item: (offset: Int, element: PossibleChange)) -> (Int, Int, Double, Int) {
      let change = item.element.change
      let doubt = (item.element.mayBeChance ? 2 : 0) + (item.element.mayBeLoad ? 1 : 0)
      return (
        doubt, change.change > 0 ? 0 : 1, -change.certainty, item.offset
      )
    }
    return distinct.enumerated().sorted { rank($0) < rank($1) }.map(\.element)
  }

  private func possible(_ subject: PossibleChange.Subject, _ change: Change) -> PossibleChange {
    let p = change.p ?? 1
    // The interval leaves out zero, the test that allows for load does not.
    let mayBeLoad = p > 0.05
    let error = change.halfInterval / 1.96
    let count = Double(max(testedCount, 1))
    let apart = StudentT.twoSidedP(1.96 * change.certainty, freedom: 200) * count
    let mayBeChance = (mayBeLoad ? apart : change.q ?? 1) > 0.5
    let beyond = StudentT.value(exceededBy: p) * error
    let size = mayBeLoad ? change.change.magnitude : min(beyond, change.change.magnitude)
    return PossibleChange(
      subject: subject, change: change, mayBeLoad: mayBeLoad, mayBeChance: mayBeChance,
      seconds: seconds(of: change, size: size))
  }

  /// For how long each side has to be sampled for a change of this size to count; nil where more than that is
  /// needed.
  private func seconds(of change: Change, size: Double) -> Double? {
    let error = change.halfInterval / 1.96
    let count = Double(max(testedCount, 1))
    // As the first of all tested figures it counts from here on; 0.84 more does in four of five comparisons.
    let wanted =
      StudentT.value(exceededBy: Self.falseDiscoveryRate / count) + 0.84
    let squares = change.before * change.before + change.after * change.after
    // The part of the error that is as large in longer captures.
    let lasting = ComparisonBuilder.runToRun * ComparisonBuilder.runToRun * squares
    let allowed = size / wanted * (size / wanted) - lasting
    let now = min(secondsBefore, secondsAfter)
    let seconds =
      allowed > 0 ? now * max(1, max(0, error * error - lasting) / allowed) : nil
    return seconds.flatMap { $0 < 1000 * now ? $0 : nil }
  }
}

extension Comparison.Change {
  /// Whether the interval of this figure alone has all its values on one side of zero.
  fileprivate var leavesOutZero: Bool {
    interval.map { $0.lowerBound > 0 || $0.upperBound < 0 } ?? false
  }

  fileprivate var halfInterval: Double {
    interval.map { ($0.upperBound - $0.lowerBound) / 2 } ?? 0
  }

  fileprivate var certainty: Double { change.magnitude / max(halfInterval, 1e-12) }
}
