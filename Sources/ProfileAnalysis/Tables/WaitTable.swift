package import ProfileModel

/// The waits of some threads: the system call, the stack, how long and how often.
package struct WaitTable: Sendable {
  /// The waits in one stack with the same system call.
  package struct Entry: Sendable {
    package let activity: Activity
    /// As the view shows it.
    package let stack: StackID
    /// The same with all its frames, which show what the wait is for.
    package let wholeStack: StackID
    package let end: StackEnd
    /// The waits; two in a row count as one where no sample was taken of them both.
    package fileprivate(set) var count: Int64
    /// Whether there were more, too short for a sample to meet each.
    package fileprivate(set) var isAtLeast: Bool
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
  /// Where the profile hides frames, `whole` is the profile with all of them: waits of several
  /// kinds that have the same visible stack stay separate.
  package init(
    _ index: ProfileIndex, whole: ProfileIndex? = nil, threads: [Int],
    sortedBy unit: WeightUnit = .wall
  ) {
    var kinds = whole.map { WaitKinds($0) }
    var waits = EntriesOfWaits()
    var total = Weight()
    let source = whole ?? index
    let runs = threads.lazy.flatMap { zip(index.runs(of: $0), source.runs(of: $0)) }
    for (run, wholeRun) in runs {
      total += run.weight
      guard run.activity.isWait else { continue }
      let path = index.stacks.linePaths.path(of: run.stack)
      waits.add(run, whole: wholeRun.stack, path: path, kind: kinds?.kind(of: wholeRun))
    }
    entries = waits.sorted(by: unit)
    waited = waits.total
    self.total = total
  }
}

/// The entries of a table of waits while it is made.
private struct EntriesOfWaits {
  private struct Place: Hashable {
    let path: Int
    let end: StackEnd
    let activity: Activity
    let kind: WaitKind?
  }

  private var entries: [WaitTable.Entry] = []
  private var positions: [Place: Int] = [:]
  private(set) var total = Weight()

  /// Adds a wait whose stack takes this path, and is `whole` with all its frames.
  mutating func add(_ run: Run, whole: StackID, path: Int, kind: WaitKind?) {
    total += run.weight
    let place = Place(path: path, end: run.end, activity: run.activity, kind: kind)
    guard let position = positions[place] else {
      positions[place] = entries.count
      entries.append(WaitTable.Entry(run, whole: whole))
      return
    }
    entries[position].add(run)
  }

  /// Heaviest first; equal ones in the order in which they came.
  func sorted(by unit: WeightUnit) -> [WaitTable.Entry] {
    entries.enumerated().sorted { left, right in
      let (one, other) = (left.element.weight, right.element.weight)
      return (one[unit], one.wall, one.samples, right.offset)
        > (other[unit], other.wall, other.samples, left.offset)
    }.map(\.element)
  }
}

extension WaitTable.Entry {
  fileprivate init(_ run: Run, whole: StackID) {
    self.init(
      activity: run.activity, stack: run.stack, wholeStack: whole, end: run.end, count: run.waits,
      isAtLeast: run.hidesWaits, longest: run.lengthOfWait, weight: run.weight)
  }

  fileprivate mutating func add(_ run: Run) {
    count = count &+ run.waits
    isAtLeast = isAtLeast || run.hidesWaits
    longest = max(longest, run.lengthOfWait)
    weight += run.weight
  }
}

extension Run {
  /// The waits in it, at least.
  fileprivate var waits: Int64 {
    (hasManyWaits ? max(1, weight.samples) : 1) - (goesOnWaiting ? 1 : 0)
  }
  /// How long one of them was, on average.
  fileprivate var lengthOfWait: Int64 { weight.wall / max(1, waits) }
  /// Whether it hides others, which no sample met.
  fileprivate var hidesWaits: Bool {
    activity.isWaitPerSleep && !unseenSleeps.isDisjoint(with: [.before, .within])
  }
}

/// The kinds of waits, found once for each stack and activity.
private struct WaitKinds {
  private struct Place: Hashable {
    let stack: StackID
    let activity: Activity
  }

  private let index: ProfileIndex
  private var known: [Place: WaitKind?] = [:]

  init(_ index: ProfileIndex) { self.index = index }

  mutating func kind(of run: Run) -> WaitKind? {
    let place = Place(stack: run.stack, activity: run.activity)
    if let kind = known[place] { return kind }
    let functions = index.frames(of: run.stack).lazy.map(\.line.function)
    let kind = run.activity.wait(functions)?.kind
    known[place] = .some(kind)
    return kind
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
