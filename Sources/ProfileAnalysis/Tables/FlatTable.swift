package import ProfileModel

/// What each function, line, file, module or thread took: itself, and with all that it called.
package struct FlatTable: Sendable {
  /// What a row of the table stands for.
  package enum Unit: String, CaseIterable, Sendable {
    case function, line, file, module, thread
  }

  package struct Row: Sendable {
    /// What the row stands for; nil for the samples without a stack.
    ///
    /// An index: of a function or line into `SourceStacks`, of a thread into `Profile`, of a file
    /// or module into the table's own `names`.
    package let item: Int?
    /// The weight with this innermost.
    package let own: Weight
    /// The weight with this anywhere in the stack; with recursion it counts once.
    package let cumulative: Weight
    /// How far both may be off, where that is known: 0 for a dump, and for other tools' files.
    package var ownError = SamplingError()
    package var cumulativeError = SamplingError()
  }

  /// Heaviest first: by what the item did itself, then with all that it called.
  package let rows: [Row]
  /// The sum of the threads' runs, which is also the sum of the rows' own weights.
  package let total: Weight
  /// Paths of the source files or modules, empty unless the rows are such; nil for code in none.
  ///
  /// A function with a source file and no module, as in Python, has the file for its module.
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
    rows = counts.rows.map {
      Row(
        item: $0.item, own: $0.own, cumulative: $0.cumulative, ownError: $0.ownError,
        cumulativeError: $0.cumulativeError)
    }.heaviestFirst(by: weight)
    total = counts.total
    names = items.names
  }
}

extension FlatTable {
  /// How many times as long a capture would have to be to tell which of the first two rows is the larger;
  /// nil where this one does, or where errors are not known.
  ///
  /// What is left to chance falls with the root of the length.
  package func lengtheningToRank(by unit: WeightUnit) -> Double? {
    guard rows.count > 1, let first = rows[0].ownError.variance(unit),
      let second = rows[1].ownError.variance(unit), first + second > 0
    else { return nil }
    let difference = Double(rows[0].own[unit] &- rows[1].own[unit])
    let least = 1.96 * (first + second).squareRoot()
    guard difference < least else { return nil }
    return difference > 0 ? (least / difference) * (least / difference) : .infinity
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
