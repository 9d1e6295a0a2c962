internal import ProfileModel

/// Counts items along the stacks of groups of threads: each once for a stack that it is in.
struct LineCounter: Sendable {
  struct Row: Sendable {
    /// Nil for the samples without a stack.
    let item: Int?
    var own = Weight()
    var cumulative = Weight()
    var ownError = SamplingError()
    var cumulativeError = SamplingError()
  }

  private let index: ProfileIndex
  private let paths: PathTable
  private let itemOfLine: [Int?]
  /// By item: its row among those being made, valid where `passOfItem` is that pass.
  private var rowOfItem: [Int]
  private var passOfItem: [Int]
  /// By item: the last stack that counted it.
  private var stackOfItem: [Int]
  private var pass = 0
  private var stack = 0

  /// Counts items, given by the numbers of their lines, all below `itemCount`; lines without one
  /// are skipped.
  init(_ index: ProfileIndex, itemOfLine: [Int?], itemCount: Int) {
    self.index = index
    self.itemOfLine = itemOfLine
    paths = index.stacks.linePaths
    rowOfItem = Array(repeating: 0, count: itemCount)
    passOfItem = Array(repeating: 0, count: itemCount)
    stackOfItem = Array(repeating: 0, count: itemCount)
  }

  /// The rows of one group of threads, in no order, and the sum of their runs.
  mutating func count(threads: [Int]) -> (rows: [Row], total: Weight) {
    pass += 1
    var weights: [Int: Weight] = [:]
    var total = Weight()
    for run in threads.lazy.flatMap({ [index] in index.runs(of: $0) }) {
      weights[paths.path(of: run.stack), default: Weight()] += run.weight
      total += run.weight
    }
    var rows: [Row] = []
    for (path, weight) in weights { add(weight, path, to: &rows) }
    addErrors(of: threads, to: &rows)
    return (rows, total)
  }

  /// Costs one step for each frame of each run.
  private mutating func addErrors(of threads: [Int], to rows: inout [Row]) {
    // A dump has one sample of each thread, and other tools' files do not say in which order theirs are.
    guard index.profile.capture.kind.hasTimes else { return }
    var errors = RowErrors(rowCount: rows.count)
    for thread in threads {
      var found = (path: -1, rows: [Int]())
      for run in index.runs(of: thread) {
        let path = paths.path(of: run.stack)
        if path != found.path { found = (path, rowsOf(path)) }
        errors.add(run, rows: found.rows)
      }
      errors.endThread()
    }
    for row in rows.indices where rows[row].item != nil {
      rows[row].ownError = errors.own[row]
      rows[row].cumulativeError = errors.cumulative[row]
    }
  }

  /// The rows of a path, innermost first; the first is -1 where the innermost line has none.
  private mutating func rowsOf(_ path: Int) -> [Int] {
    stack += 1
    var rows: [Int] = []
    var current = path
    while current != 0 {
      if let item = itemOfLine[paths.item(of: current)], stackOfItem[item] != stack {
        stackOfItem[item] = stack
        rows.append(rowOfItem[item])
      } else if current == path {
        rows.append(-1)
      }
      current = paths.caller(of: current)
    }
    return rows
  }

  private mutating func add(_ weight: Weight, _ path: Int, to rows: inout [Row]) {
    guard path != 0 else {
      rows.append(Row(item: nil, own: weight, cumulative: weight))
      return
    }
    stack += 1
    var current = path
    while current != 0 {
      if let item = itemOfLine[paths.item(of: current)], stackOfItem[item] != stack {
        stackOfItem[item] = stack
        let row = row(of: item, in: &rows)
        rows[row].cumulative += weight
        if current == path { rows[row].own += weight }
      }
      current = paths.caller(of: current)
    }
  }

  private mutating func row(of item: Int, in rows: inout [Row]) -> Int {
    if passOfItem[item] == pass { return rowOfItem[item] }
    passOfItem[item] = pass
    rowOfItem[item] = rows.count
    rows.append(Row(item: item))
    return rows.count - 1
  }
}
