package import ProfileModel

/// What each line of the source cost a thread: the line itself, and with all that it called.
package struct LineTable: Sendable {
  package struct Row: Sendable {
    /// Index into `SourceStacks.lines`; nil for the looks that gave no stack.
    package let line: Int?
    /// What was seen with this line innermost.
    package fileprivate(set) var own = Weight()
    /// What was seen with this line anywhere in the stack; under recursion it counts once.
    package fileprivate(set) var cumulative = Weight()
  }

  /// Most expensive first: by own CPU time, then own ticks, then the same with what they called.
  package let rows: [Row]

  /// The sum of the threads' runs, which is also the sum of the rows' own weights.
  package let total: Weight

  /// The table of some threads of a profile together, given by indexes into `profile.threads`.
  package init(_ profile: Profile, threads: [Int]) {
    var builder = Builder(index: ProfileIndex(profile))
    self = builder.table(of: threads)
  }

  /// One table for each group of threads.
  ///
  /// Costs one step for each frame of each stack that differs within a group.
  package static func tables(_ index: ProfileIndex, groups: [[Int]]) -> [LineTable] {
    var builder = Builder(index: index)
    return groups.map { builder.table(of: $0) }
  }

  private init(rows: [Row], total: Weight) {
    self.rows = rows.sorted { $0.key > $1.key }
    self.total = total
  }
}

extension LineTable.Row {
  fileprivate var key: (Int64, Int64, Int64, Int64, Int) {
    (own.cpu, own.ticks, cumulative.cpu, cumulative.ticks, -(line ?? .max))
  }
}

extension LineTable {
  private struct Builder {
    private let index: ProfileIndex
    private let paths: PathTable
    /// By line: its row in the table being made, valid where `tableOfLine` is that table.
    private var rowOfLine: [Int]
    private var tableOfLine: [Int]
    /// By line: the last stack that counted it.
    private var stackOfLine: [Int]
    private var table = 0
    private var stack = 0

    init(index: ProfileIndex) {
      self.index = index
      paths = index.stacks.linePaths
      let count = index.stacks.lines.count
      rowOfLine = Array(repeating: 0, count: count)
      tableOfLine = Array(repeating: 0, count: count)
      stackOfLine = Array(repeating: 0, count: count)
    }

    mutating func table(of threads: [Int]) -> LineTable {
      table += 1
      var weights: [Int: Weight] = [:]
      var total = Weight()
      for run in threads.lazy.flatMap({ [index] in index.runs(of: $0) }) {
        weights[paths.path(of: run.stack), default: Weight()] += run.weight
        total += run.weight
      }
      var rows: [Row] = []
      for (path, weight) in weights { add(weight, path, to: &rows) }
      return LineTable(rows: rows, total: total)
    }

    private mutating func add(_ weight: Weight, _ path: Int, to rows: inout [Row]) {
      guard path != 0 else {
        rows.append(Row(line: nil, own: weight, cumulative: weight))
        return
      }
      stack += 1
      var current = path
      while current != 0 {
        let line = paths.item(of: current)
        if stackOfLine[line] != stack && !isElided(line) {
          stackOfLine[line] = stack
          let row = row(of: line, in: &rows)
          rows[row].cumulative += weight
          if current == path { rows[row].own += weight }
        }
        current = paths.caller(of: current)
      }
    }

    private func isElided(_ line: Int) -> Bool {
      index.stacks.functions[index.stacks.lines[line].function].isElided
    }

    private mutating func row(of line: Int, in rows: inout [Row]) -> Int {
      if tableOfLine[line] == table { return rowOfLine[line] }
      tableOfLine[line] = table
      rowOfLine[line] = rows.count
      rows.append(Row(line: line))
      return rows.count - 1
    }
  }
}
