/// How a function of one side was found on the other.
package enum FunctionMatch: String, Sendable {
  /// By its name.
  case same
  /// The name is in another file or module now.
  case moved
  /// Another name in the same place: the same file, or the same callers and callees.
  case renamed
  /// Only on one side.
  case unmatched
}

/// Which functions of the two sides are the same.
struct FunctionMatching {
  struct Pair {
    var before: Int?
    var after: Int?
    var match: FunctionMatch
  }

  /// Fewer samples than this may be missing on the other side by chance.
  private static let fewestSamples: Int64 = 12

  private(set) var pairs: [Pair] = []
  private(set) var pairOfBefore: [Int]
  private(set) var pairOfAfter: [Int]
  private let before: FunctionCensus
  private let after: FunctionCensus

  /// Matches the functions of both sides; `scale` is how many samples the after side has for each
  /// one of the before side, by the lengths and rates of the captures alone.
  init(_ before: FunctionCensus, _ after: FunctionCensus, scale: Double) {
    self.before = before
    self.after = after
    pairOfBefore = Array(repeating: -1, count: before.entries.count)
    pairOfAfter = Array(repeating: -1, count: after.entries.count)
    pair(as: .same) { $0.key }
    pair(as: .same) { $0.key.ofAllLambdas }
    pairLambdas()
    pair(as: .moved) { $0.key.unnumbered + "\u{0}" + $0.key.module }
    pair(as: .moved) { $0.key.unnumbered }
    pairRenamed(scale: scale)
    for entry in before.entries.indices where pairOfBefore[entry] < 0 {
      pairOfBefore[entry] = pairs.count
      pairs.append(Pair(before: entry, after: nil, match: .unmatched))
    }
    for entry in after.entries.indices where pairOfAfter[entry] < 0 {
      pairOfAfter[entry] = pairs.count
      pairs.append(Pair(before: nil, after: entry, match: .unmatched))
    }
  }

  private mutating func add(_ left: Int, _ right: Int, _ match: FunctionMatch) {
    pairOfBefore[left] = pairs.count
    pairOfAfter[right] = pairs.count
    pairs.append(Pair(before: left, after: right, match: match))
  }

  /// Pairs functions without a partner that are the only ones of their key on both sides.
  private mutating func pair<Key: Hashable>(
    as match: FunctionMatch, by key: (FunctionCensus.Entry) -> Key
  ) {
    let left = before.entries.indices.filter { pairOfBefore[$0] < 0 }
    let right = Dictionary(
      grouping: after.entries.indices.filter { pairOfAfter[$0] < 0 }, by: { key(after.entries[$0]) }
    )
    let leftKeys = Dictionary(grouping: left, by: { key(before.entries[$0]) })
    for entry in left {
      let found = key(before.entries[entry])
      guard leftKeys[found]?.count == 1, let others = right[found], others.count == 1 else {
        continue
      }
      let other = others[0]
      // Without debug data on one side it is not known whether the function moved.
      let (one, two) = (before.entries[entry].key, after.entries[other].key)
      let hasMoved = one.module != two.module || (one.file != nil && two.file != nil)
      add(entry, other, match == .moved && !hasMoved ? .same : match)
    }
  }

  /// Pairs the lambdas of one function in their order, where both sides have as many.
  private mutating func pairLambdas() {
    let left = Dictionary(grouping: before.entries.indices.filter { pairOfBefore[$0] < 0 }) {
      before.entries[$0].key.ofAllLambdas
    }
    let right = Dictionary(grouping: after.entries.indices.filter { pairOfAfter[$0] < 0 }) {
      after.entries[$0].key.ofAllLambdas
    }
    for (key, ones) in left.sorted(by: { $0.value[0] < $1.value[0] }) {
      guard let others = right[key], others.count == ones.count, ones.count > 1 else { continue }
      let first = ones.sorted { Self.isBefore(before.entries[$0], before.entries[$1]) }
      let second = others.sorted { Self.isBefore(after.entries[$0], after.entries[$1]) }
      for (one, other) in zip(first, second) { add(one, other, .same) }
    }
  }

  /// By number: a longer name has a higher one.
  private static func isBefore(_ left: FunctionCensus.Entry, _ right: FunctionCensus.Entry) -> Bool
  {
    let (one, other) = (left.key.name, right.key.name)
    return (one.utf8.count, one) < (other.utf8.count, other)
  }

  private mutating func pairRenamed(scale: Double) {
    let left = before.entries.indices.filter { entry in
      pairOfBefore[entry] < 0 && before.entries[entry].samples >= Self.fewestSamples
        && Double(before.entries[entry].samples) * scale >= Double(Self.fewestSamples)
    }
    let right = after.entries.indices.filter { entry in
      pairOfAfter[entry] < 0 && after.entries[entry].samples >= Self.fewestSamples
        && Double(after.entries[entry].samples) >= Double(Self.fewestSamples) * scale
    }
    // Very many new names belong to another program, where a guess would be wrong.
    guard left.count * right.count <= 250_000 else { return }
    var bestOfLeft: [Int: (partner: Int, score: Double, isTie: Bool)] = [:]
    var bestOfRight: [Int: (partner: Int, score: Double, isTie: Bool)] = [:]
    for one in left {
      for two in right {
        let score = likeness(one, two, scale: scale)
        guard score > 0 else { continue }
        bestOfLeft[one] = Self.better(bestOfLeft[one], two, score)
        bestOfRight[two] = Self.better(bestOfRight[two], one, score)
      }
    }
    for one in left {
      guard let best = bestOfLeft[one], !best.isTie, let back = bestOfRight[best.partner],
        !back.isTie, back.partner == one
      else { continue }
      add(one, best.partner, .renamed)
    }
  }

  private static func better(
    _ known: (partner: Int, score: Double, isTie: Bool)?, _ partner: Int, _ score: Double
  ) -> (partner: Int, score: Double, isTie: Bool) {
    guard let known, known.score >= score else { return (partner, score, false) }
    return known.score == score ? (known.partner, score, true) : known
  }

  /// How alike two functions of different names are; 0 for not at all.
  private func likeness(_ left: Int, _ right: Int, scale: Double) -> Double {
    let (one, two) = (before.entries[left], after.entries[right])
    guard one.key.module == two.key.module, !one.function.isElided, !two.function.isElided else {
      return 0
    }
    let ratio = Double(two.samples) / (Double(one.samples) * scale)
    guard (0.25...4).contains(ratio) else { return 0 }
    let callers = overlap(one.callers, two.callers)
    let callees = overlap(one.callees, two.callees)
    let closeness = 0.1 * min(ratio, 1 / ratio)
    if let file = one.key.file, file == two.key.file {
      return callers >= 0.5 && callees >= 0.5 ? 1 + callers + callees + closeness : 0
    }
    let hasShape = !one.callers.isEmpty && !one.callees.isEmpty
    let noFile = one.key.file == nil && two.key.file == nil
    return callers == 1 && callees == 1 && (hasShape || noFile) ? 1 + closeness : 0
  }

  /// The part of two sets of functions that is the same; 1 for two empty ones.
  private func overlap(_ left: Set<Int>, _ right: Set<Int>) -> Double {
    let one = Set(left.map { pairOfBefore[$0] < 0 ? -1 : pairOfBefore[$0] })
    let two = Set(right.map { pairOfAfter[$0] < 0 ? -1 : pairOfAfter[$0] })
    let union = one.union(two).count
    return union == 0 ? 1 : Double(one.intersection(two).count) / Double(union)
  }
}
