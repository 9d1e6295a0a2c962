internal import ProfileModel

/// Weights by key; ties are in the order of the first additions, so that they do not depend on
/// hashing.
struct Tally<Key: Hashable> {
  private var positions: [Key: Int] = [:]
  private(set) var entries: [(key: Key, weight: Weight)] = []
  private(set) var total = Weight()

  mutating func add(_ weight: Weight, to key: Key) {
    total += weight
    if let position = positions[key] {
      entries[position].weight += weight
    } else {
      positions[key] = entries.count
      entries.append((key, weight))
    }
  }

  /// The entry with the most wall time, or samples without any; the first of equals.
  var heaviest: (key: Key, weight: Weight)? {
    entries.reduce(nil) { best, entry in
      guard let best, !entry.weight.isHeavier(than: best.weight) else { return entry }
      return best
    }
  }

  /// The entries, heaviest in `unit` first, then in samples; the first of equals stays first.
  func sorted(by unit: WeightUnit) -> [(key: Key, weight: Weight)] {
    entries.enumerated().sorted { left, right in
      let (one, other) = (left.element.weight, right.element.weight)
      return (one[unit], one.samples, right.offset) > (other[unit], other.samples, left.offset)
    }.map(\.element)
  }
}
