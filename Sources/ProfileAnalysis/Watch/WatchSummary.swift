/// All freezes of a watched program, by cause.
package struct WatchSummary: Sendable {
  /// The freezes of one cause.
  package struct Row: Sendable {
    /// The cause in words.
    package let words: String
    package fileprivate(set) var count = 0
    /// In nanoseconds.
    package fileprivate(set) var total: Int64 = 0
    package fileprivate(set) var longest: Int64 = 0
  }

  private var byCause: [String: Row] = [:]
  /// Causes beyond these are counted together.
  private static let limit = 1000
  private static let rest = "other causes"

  package init() {}

  /// Counts a freeze of some nanoseconds.
  package mutating func add(_ words: String, length: Int64) {
    let key = byCause[words] != nil || byCause.count < Self.limit ? words : Self.rest
    var row = byCause[key] ?? Row(words: key)
    row.count += 1
    row.total = row.total &+ length
    row.longest = max(row.longest, length)
    byCause[key] = row
  }

  /// The causes, the one that took most time first.
  package var rows: [Row] {
    byCause.values.sorted { ($0.total, $1.words) > ($1.total, $0.words) }
  }

  package var count: Int { byCause.values.reduce(0) { $0 + $1.count } }
  package var total: Int64 { byCause.values.reduce(0) { $0 &+ $1.total } }
  package var longest: Int64 { byCause.values.map(\.longest).max() ?? 0 }
}
