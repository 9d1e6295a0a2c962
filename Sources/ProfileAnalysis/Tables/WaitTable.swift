package import ProfileModel

/// What some threads waited in: the kernel's name for it, the stack, how long and how often.
package struct WaitTable: Sendable {
  package struct Entry: Sendable {
    package let activity: Activity
    package let stack: StackID
    /// The same with all its frames, which tell what was waited for.
    package let wholeStack: StackID
    package let end: StackEnd
    /// Waits that were told apart: two in a row look like one when nobody looked between them.
    package fileprivate(set) var count: Int64
    /// The longest of them, in nanoseconds of wall time.
    package fileprivate(set) var longest: Int64
    package fileprivate(set) var weight: Weight
  }

  /// Longest in total first.
  package let entries: [Entry]
  /// All waits together, and all that the threads did.
  package let waited: Weight
  package let total: Weight

  /// The waits of the threads, given by indexes into `profile.threads`, taken together.
  ///
  /// Where the profile hides frames `whole` is the one that has them all: waits of several kinds in
  /// what looks like one stack stay apart.
  package init(
    _ index: ProfileIndex, whole: ProfileIndex? = nil, threads: [Int],
    sortedBy unit: WeightUnit = .wall
  ) {
    struct Place: Hashable {
      let path: Int
      let end: StackEnd
      let activity: Activity
      let kind: WaitKind?
    }
    struct WholePlace: Hashable {
      let stack: StackID
      let activity: Activity
    }
    var kinds: [WholePlace: WaitKind?] = [:]
    func kind(_ run: Run) -> WaitKind? {
      guard let whole else { return nil }
      let place = WholePlace(stack: run.stack, activity: run.activity)
      if let known = kinds[place] { return known }
      let functions = whole.frames(of: run.stack).lazy.map(\.line.function)
      let kind = run.activity.wait(functions)?.kind
      kinds[place] = kind
      return kind
    }
    var entries: [Entry] = []
    var positions: [Place: Int] = [:]
    var (waited, total) = (Weight(), Weight())
    let source = whole ?? index
    let runs = threads.lazy.flatMap { zip(index.runs(of: $0), source.runs(of: $0)) }
    for (run, wholeRun) in runs {
      total += run.weight
      guard run.activity.isWait else { continue }
      waited += run.weight
      let place = Place(
        path: index.stacks.linePaths.path(of: run.stack), end: run.end, activity: run.activity,
        kind: kind(wholeRun))
      if let position = positions[place] {
        entries[position].count += 1
        entries[position].longest = max(entries[position].longest, run.weight.wall)
        entries[position].weight += run.weight
      } else {
        positions[place] = entries.count
        entries.append(
          Entry(
            activity: run.activity, stack: run.stack, wholeStack: wholeRun.stack, end: run.end,
            count: 1, longest: run.weight.wall, weight: run.weight))
      }
    }
    self.entries = entries.enumerated().sorted { left, right in
      let (one, other) = (left.element.weight, right.element.weight)
      return (one[unit], one.wall, one.samples, right.offset)
        > (other[unit], other.wall, other.samples, left.offset)
    }.map(\.element)
    self.waited = waited
    self.total = total
  }
}

extension Activity {
  /// Whether the thread sleeps in the kernel.
  package var isWait: Bool {
    switch self {
    case .blocked, .uninterruptible: true
    case .running, .waitingForCPU, .stopped, .unknown: false
    }
  }
}
