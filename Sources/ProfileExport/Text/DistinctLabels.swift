/// The labels of a table's rows, of which no two that stand for different names read the same, however little
/// room there is.
enum DistinctLabels {
  /// The columns of a name's beginning, and of the part in which it differs from others, to be tried.
  private static let widths = [(28, 28), (16, 20), (8, 12), (0, 12), (0, 6)]

  /// A label for each name, which `label` makes from the name's number and text, and may shorten in the middle.
  static func labels(_ names: [String], _ label: (Int, String) -> String) -> [String] {
    var labels = names.indices.map { label($0, names[$0]) }
    let groups = Dictionary(grouping: labels.indices) { labels[$0] }.values
    for group in groups.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
      let distinct = Set(group.map { names[$0] })
      guard distinct.count > 1 else { continue }
      let short = shortened(distinct.sorted()) { text, name in
        group.first { names[$0] == name }.map { label($0, text) } ?? text
      }
      for row in group { labels[row] = label(row, short[names[row]] ?? names[row]) }
    }
    return labels
  }

  /// By name: a text that shows how it differs from the others.
  private static func shortened(
    _ names: [String], label: (_ text: String, _ name: String) -> String
  ) -> [String: String] {
    let scalars = names.map { Array($0.unicodeScalars) }
    let common = commonPrefix(of: scalars)
    for (head, width) in widths {
      let texts = scalars.map { part(of: $0, head: head, from: common, width: width) }
      let labels = zip(texts, names).map { label($0, $1) }
      if Set(labels).count == names.count { return dictionary(names, texts) }
    }
    // They differ in several places, or there is next to no room.
    return dictionary(names, names.indices.map { "#\($0 + 1) \(names[$0])" })
  }

  private static func dictionary(_ names: [String], _ texts: [String]) -> [String: String] {
    Dictionary(zip(names, texts)) { first, _ in first }
  }

  /// The beginning of a name, and what is around the place where it begins to differ.
  private static func part(
    of name: [Unicode.Scalar], head: Int, from common: Int, width: Int
  ) -> String {
    let start = max(0, common - 4)
    let end = min(name.count, start + width)
    let beginning = start <= head ? name[..<start] : name[..<head]
    return text(beginning) + (start > head ? "…" : "") + text(name[start..<end])
      + (end < name.count ? "…" : "")
  }

  private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
  }

  private static func commonPrefix(of names: [[Unicode.Scalar]]) -> Int {
    guard let first = names.first else { return 0 }
    return first.indices.first { position in
      names.contains { position >= $0.count || $0[position] != first[position] }
    } ?? first.count
  }
}
