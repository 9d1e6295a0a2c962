/// Runs in the order in which they were added, in half the memory of an array: there may be a
/// million of them.
///
/// Reading a run costs a few steps. Writing one copies no others as long as the list has one owner.
package struct RunList: Sendable {
  private static let chunkShift = 12
  private static let chunkSize = 1 << chunkShift

  // Chunks, not one array: an array that grows is in memory twice for a moment.
  private var chunks: [[PackedRun]] = []
  package private(set) var count = 0
  /// What runs have in common, by the number that a packed run has for it.
  private var kinds: [RunKind] = []
  private var kindNumbers: [RunKind: UInt32] = [:]
  private var lastKind = 0
  /// The weights that do not fit into four bytes a unit.
  private var largeWeights: [Weight] = []

  package init() {}

  /// Sorts by start, then by thread, runs without a sample first; equal runs keep their order.
  ///
  /// Takes four bytes a run, and little time for a list that is nearly sorted.
  package mutating func sortByStart() {
    guard !isSorted else { return }
    var order = (0..<UInt32(clamping: count)).map { $0 }
    order.sort { left, right in
      let (first, second) = (packed(at: Int(left)), packed(at: Int(right)))
      let (key, otherKey) = (self.key(first), self.key(second))
      return key == otherKey ? left < right : key < otherKey
    }
    for first in order.indices where order[first] != first {
      let saved = packed(at: first)
      var place = first
      // Each place is set once; its entry then is the place itself.
      while Int(order[place]) != first {
        let source = Int(order[place])
        setPacked(packed(at: source), at: place)
        order[place] = UInt32(place)
        place = source
      }
      setPacked(saved, at: place)
      order[place] = UInt32(place)
    }
  }

  private var isSorted: Bool {
    indices.dropFirst().allSatisfy { index in
      let (before, run) = (packed(at: index - 1), packed(at: index))
      return key(before) <= key(run)
    }
  }

  private func key(_ run: PackedRun) -> (start: Int64, thread: Int32, isSampled: Int) {
    let weight = run.largeWeight.map { largeWeights[$0] } ?? run.weight
    return (run.start, run.thread, weight.samples == 0 ? 0 : 1)
  }

  /// Gives the run at `index` another stack.
  mutating func setStack(_ stack: StackID, at index: Int) {
    chunks[index >> Self.chunkShift][index & (Self.chunkSize - 1)].stack = stack
  }

  /// The stack of the run at `index`.
  func stack(at index: Int) -> StackID { packed(at: index).stack }

  // MARK: - Packing

  private func packed(at index: Int) -> PackedRun {
    chunks[index >> Self.chunkShift][index & (Self.chunkSize - 1)]
  }

  private mutating func setPacked(_ run: PackedRun, at index: Int) {
    chunks[index >> Self.chunkShift][index & (Self.chunkSize - 1)] = run
  }

  private mutating func pack(_ run: Run, over old: PackedRun? = nil) -> PackedRun {
    let kind = number(
      of: RunKind(activity: run.activity, end: run.end, unseenSleeps: run.unseenSleeps))
    if let packed = PackedRun(run, kind: kind) { return packed }
    var place = largeWeights.count
    if let known = old?.largeWeight {
      place = known
      largeWeights[known] = run.weight
    } else {
      largeWeights.append(run.weight)
    }
    return PackedRun(run, kind: kind, largeWeight: UInt32(clamping: place))
  }

  private func unpack(_ packed: PackedRun) -> Run {
    let kind = kinds[packed.kind]
    let weight = packed.largeWeight.map { largeWeights[$0] } ?? packed.weight
    return Run(
      thread: Int(packed.thread), stack: packed.stack, end: kind.end, activity: kind.activity,
      start: packed.start, weight: weight, unseenSleeps: kind.unseenSleeps)
  }

  private mutating func number(of kind: RunKind) -> UInt32 {
    // Hashing costs more than a comparison, and the kind is often the one before.
    if kinds.indices.contains(lastKind), kinds[lastKind] == kind { return UInt32(lastKind) }
    lastKind = kindNumbers[kind].map { Int($0) } ?? kinds.count
    if lastKind == kinds.count {
      kinds.append(kind)
      kindNumbers[kind] = UInt32(lastKind)
    }
    return UInt32(lastKind)
  }
}

extension RunList: RandomAccessCollection, MutableCollection, RangeReplaceableCollection {
  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(index: Int) -> Run {
    get { unpack(packed(at: index)) }
    set { setPacked(pack(newValue, over: packed(at: index)), at: index) }
  }

  package mutating func append(_ run: Run) {
    let packed = pack(run)
    if count & (Self.chunkSize - 1) == 0 {
      chunks.append([])
      // The first one grows with its runs: most lists are short.
      if count > 0 { chunks[chunks.count - 1].reserveCapacity(Self.chunkSize) }
    }
    chunks[chunks.count - 1].append(packed)
    count += 1
  }

  /// Costs one step for each run from `range` on.
  package mutating func replaceSubrange(_ range: Range<Int>, with runs: some Collection<Run>) {
    let tail = Array(self[range.upperBound...])
    while count > range.lowerBound {
      chunks[chunks.count - 1].removeLast()
      if chunks[chunks.count - 1].isEmpty { chunks.removeLast() }
      count -= 1
    }
    if isEmpty { largeWeights = [] }
    for run in runs { append(run) }
    for run in tail { append(run) }
  }

  package struct Iterator: IteratorProtocol {
    fileprivate let runs: RunList
    fileprivate var index = 0

    package mutating func next() -> Run? {
      guard index < runs.count else { return nil }
      defer { index += 1 }
      return runs[index]
    }
  }

  package func makeIterator() -> Iterator { Iterator(runs: self) }
}

extension RunList: ExpressibleByArrayLiteral {
  package init(arrayLiteral runs: Run...) { self.init(runs) }
}

/// What many runs have in common.
private struct RunKind: Hashable {
  let activity: Activity
  let end: StackEnd
  let unseenSleeps: UnseenSleeps
}

/// A run in 40 bytes.
private struct PackedRun {
  /// In `kindBits`: the weight is not here, and `samples` is its number in a list of large ones.
  private static let largeFlag: UInt32 = 1 << 31

  let thread: Int32
  var stack: StackID
  let start: Int64
  private let samples, ticks, cpu, wall, delay: UInt32
  private let kindBits: UInt32

  /// Nil when a weight is below 0 or takes more than four bytes, as 4.3 s of sleep do.
  init?(_ run: Run, kind: UInt32) {
    let weight = run.weight
    guard let samples = UInt32(exactly: weight.samples), let ticks = UInt32(exactly: weight.ticks),
      let cpu = UInt32(exactly: weight.cpu), let wall = UInt32(exactly: weight.wall),
      let delay = UInt32(exactly: weight.delay)
    else { return nil }
    (thread, stack, start) = (Int32(clamping: run.thread), run.stack, run.start)
    (self.samples, self.ticks, self.cpu, self.wall, self.delay) = (samples, ticks, cpu, wall, delay)
    kindBits = kind
  }

  init(_ run: Run, kind: UInt32, largeWeight: UInt32) {
    (thread, stack, start) = (Int32(clamping: run.thread), run.stack, run.start)
    samples = largeWeight
    (ticks, cpu, wall, delay) = (0, 0, 0, 0)
    kindBits = kind | Self.largeFlag
  }

  /// Index into the list of kinds.
  var kind: Int { Int(kindBits & ~Self.largeFlag) }

  /// Index into the list of large weights; nil for a weight that is here.
  var largeWeight: Int? { kindBits & Self.largeFlag == 0 ? nil : Int(samples) }

  var weight: Weight {
    Weight(
      samples: Int64(samples), ticks: Int64(ticks), cpu: Int64(cpu), wall: Int64(wall),
      delay: Int64(delay))
  }
}
