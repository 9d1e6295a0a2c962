package import ProfileModel

/// What each function, line, file, module or thread cost: itself, and with all that it called.
package struct FlatTable: Sendable {
  /// What a row of the table stands for.
  package enum Unit: String, CaseIterable, Sendable {
    case function, line, file, module, thread
  }

  package struct Row: Sendable {
    /// What the row stands for; nil for the samples that gave no stack.
    ///
    /// An index: of a function or line into `SourceStacks`, of a thread into `Profile`, of a file or
    /// module into the table's own `names`.
    package let item: Int?
    /// What was seen with this innermost.
    package let own: Weight
    /// What was seen with this anywhere in the stack; under recursion it counts once.
    package let cumulative: Weight
  }

  /// Heaviest first: by what the item did itself, then with all that it called.
  package let rows: [Row]
  /// The sum of the threads' runs, which is also the sum of the rows' own weights.
  package let total: Weight
  /// Paths of the source files or modules, empty unless the rows are such; nil for code in none.
  ///
  /// What has a source file and no module, such as Python, has the file for its module.
  package let names: [String?]

  /// The table of some threads together, given by indexes into `profile.threads`.
  ///
  /// Costs one step for each frame of each stack that differs.
  package init(
    _ index: ProfileIndex, by unit: Unit, threads: [Int], sortedBy weight: WeightUnit = .wall
  ) {
    guard unit != .thread else {
      let weights = threads.map { index.weight(of: $0) }
      rows = zip(threads, weights).map { Row(item: $0, own: $1, cumulative: $1) }
        .heaviestFirst(by: weight)
      total = weights.reduce(into: Weight()) { $0 += $1 }
      names = []
      return
    }
    let items = Items(unit, index)
    var counter = LineCounter(index, itemOfLine: items.ofLine, itemCount: items.count)
    let counts = counter.count(threads: threads)
    rows = counts.rows.map { Row(item: $0.item, own: $0.own, cumulative: $0.cumulative) }
      .heaviestFirst(by: weight)
    total = counts.total
    names = items.names
  }
}

extension [FlatTable.Row] {
  fileprivate func heaviestFirst(by unit: WeightUnit) -> [FlatTable.Row] {
    sorted { left, right in
      (left.own[unit], left.cumulative[unit], left.own.samples, -(left.item ?? .max))
        > (right.own[unit], right.cumulative[unit], right.own.samples, -(right.item ?? .max))
    }
  }
}

/// The items that lines are counted for, numbered from 0.
private struct Items {
  /// By line; nil for the place of frames that were left out.
  private(set) var ofLine: [Int?] = []
  private(set) var count = 0
  private(set) var names: [String?] = []
  private var fileNumbers: [String?: Int] = [:]

  init(_ unit: FlatTable.Unit, _ index: ProfileIndex) {
    let functions = index.stacks.functions
    // Modules of one path may be different files.
    if unit == .module { names = index.profile.modules.map(\.path) }
    for (number, line) in index.stacks.lines.enumerated() {
      let function = functions[line.function]
      guard !function.isElided else {
        ofLine.append(nil)
        continue
      }
      switch unit {
      case .line: ofLine.append(number)
      case .function: ofLine.append(line.function)
      case .module:
        ofLine.append(index.profile.position(of: function.module) ?? item(ofFile: function.file))
      case .file, .thread: ofLine.append(item(ofFile: function.file))
      }
    }
    count = (ofLine.lazy.compactMap { $0 }.max() ?? -1) + 1
  }

  private mutating func item(ofFile file: String?) -> Int {
    if let known = fileNumbers[file] { return known }
    fileNumbers[file] = names.count
    names.append(file)
    return names.count - 1
  }
}

/// Counts items along the stacks of groups of threads: each once for a stack that it is in.
struct LineCounter: Sendable {
  struct Row: Sendable {
    /// Nil for the samples that gave no stack.
    let item: Int?
    var own = Weight()
    var cumulative = Weight()
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

  /// Counts the items that stand in `itemOfLine` by the numbers of the lines, all below
  /// `itemCount`; lines without one are passed over.
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
    return (rows, total)
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
