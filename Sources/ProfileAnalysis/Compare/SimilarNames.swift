/// Finds what a user may have meant by the name of a function that is not there.
enum SimilarNames {
  /// Longer names are compared by so many bytes of their beginning.
  private static let limit = 80

  /// The names whose bases are most like that of `wanted`, the most similar first; at most three.
  static func nearest(to wanted: String, in names: [String]) -> [String] {
    let wanted = key(wanted)
    var best: [(distance: Int, name: String)] = []
    for name in Set(names) {
      let key = key(name)
      // A name with the wanted one in it is likely to be meant, whatever its length.
      let isPart =
        wanted.count > 2 && key.count > 2 && (key.contains(wanted) || wanted.contains(key))
      let distance = isPart ? 1 : distance(wanted, key)
      guard distance * 2 <= max(wanted.count, key.count) else { continue }
      best.append((distance, name))
    }
    return best.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  private static func key(_ name: String) -> [UInt8] {
    Array(FunctionName.base(name).lowercased().utf8.prefix(limit))
  }

  /// How many bytes have to be inserted, removed or replaced (Levenshtein).
  private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var row = Array(0...second.count)
    for (position, byte) in first.enumerated() {
      var diagonal = row[0]
      row[0] = position + 1
      for column in second.indices {
        let replaced = diagonal + (byte == second[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[second.count]
  }
}
