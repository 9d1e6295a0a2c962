package import ProfileModel

/// What each line of the source took: the line itself, and with all that it called.
package struct LineTable: Sendable {
  package struct Row: Sendable {
    /// Index into `SourceStacks.lines`; nil for the samples without a stack.
    package let line: Int?
    /// The weight with this line innermost.
    package let own: Weight
    /// The weight with this line anywhere in the stack; with recursion it counts once.
    package let cumulative: Weight
    /// How far both may be off, where that is known: 0 for a dump, and for other tools' files.
    package var ownError = SamplingError()
    package var cumulativeError = SamplingError()
  }

  /// Most expensive first: by own CPU time, then own ticks, then the same with what they called;
  /// or by the unit that was asked for.
  package let rows: [Row]

  /// The sum of the threads' runs, which is also the sum of the rows' own weights.
  package let total: Weight

  /// The table of some threads of a profile together, given by indexes into `profile.threads`.
  package init(_ profile: Profile, threads: [Int]) {
    var maker = Maker(ProfileIndex(profile))
    self = maker.table(of: threads)
  }

  /// One table for each group of threads.
  ///
  /// Costs one step for each frame of each stack that differs within a group.
  package static func tables(
    _ index: ProfileIndex, groups: [[Int]], sortedBy unit: WeightUnit? = nil
  ) -> [LineTable] {
    var maker = Maker(index, sortedBy: unit)
    return groups.map { maker.table(of: $0) }
  }

  /// Makes one table after the other, so that not all of them need be in memory.
  package struct Maker: Sendable {
    private var counter: LineCounter
    private let unit: WeightUnit?

    /// Costs one step for each line of the profile.
    package init(_ index: ProfileIndex, sortedBy unit: WeightUnit? = nil) {
      let stacks = index.stacks
      let items = stacks.lines.enumerated().map { number, line in
        stacks.functions[line.function].isElided ? nil : number
      }
      counter = LineCounter(index, itemOfLine: items, itemCount: items.count)
      self.unit = unit
    }

    /// The table of some threads together, given by indexes into `profile.threads`.
    package mutating func table(of threads: [Int]) -> LineTable {
      let counts = counter.count(threads: threads)
      return LineTable(rows: counts.rows, total: counts.total, sortedBy: unit)
    }
  }

  private init(rows: [LineCounter.Row], total: Weight, sortedBy unit: WeightUnit?) {
    let rows = rows.map {
      Row(
        line: $0.item, own: $0.own, cumulative: $0.cumulative, ownError: $0.ownError,
        cumulativeError: $0.cumulativeError)
    }
    // Callers have lower numbers; among equals the innermost comes first.
    self.rows = rows.reversed().sorted { $0.key(unit) > $1.key(unit) }
    self.total = total
  }
}

extension LineTable.Row {
  fileprivate func key(_ unit: WeightUnit?) -> (Int64, Int64, Int64, Int64, Int) {
    let last = -(line ?? .max)
    guard let unit else { return (own.cpu, own.ticks, cumulative.cpu, cumulative.ticks, last) }
    return (own[unit], cumulative[unit], own.cpu, own.ticks, last)
  }
}
