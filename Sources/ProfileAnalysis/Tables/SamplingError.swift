internal import ProfileModel

/// How far a figure may be from the truth by chance, since only some moments were sampled.
///
/// Each tick falls at a random time within its period. So what is uncertain is where between two samples
/// that differ the thread went from one to the other: the variance of a figure is a sum over the times that
/// the thread entered or left what it is of (the successive difference estimate for stratified samples;
/// Wolter, "Introduction to Variance Estimation"). Where samples change all the time, each change counts
/// for half the square of a sample's weight. Where several samples on both sides agree, there was one
/// change, somewhere within one period: a sixth.
package struct SamplingError: Hashable, Sendable {
  /// Variances, in the squares of the units of `Weight`.
  fileprivate(set) var wall = 0.0
  fileprivate(set) var cpu = 0.0
  fileprivate(set) var ticks = 0.0

  package init() {}

  /// The most by which a figure is off in 19 of 20 captures; nil for a unit that is counted and not
  /// estimated.
  package subscript(unit: WeightUnit) -> Double? {
    variance(unit).map { 1.96 * $0.squareRoot() }
  }

  func variance(_ unit: WeightUnit) -> Double? {
    switch unit {
    case .wall: wall
    case .cpu: cpu
    case .ticks: ticks
    case .samples, .delay: nil
    }
  }

  fileprivate mutating func add(_ stay: Stay, _ parts: Double) {
    wall += stay.wall * stay.wall * parts
    cpu += stay.cpu * stay.cpu * parts
    ticks += stay.ticks * stay.ticks * parts
  }
}

/// Consecutive samples of a thread that found it in the same place, and what one of them stands for.
private struct Stay {
  /// The numbers of its first sample and of the sample after its last.
  var start: Int64
  var end: Int64
  /// How many samples before it found the thread elsewhere.
  var gap: Int64
  var wall = 0.0
  var cpu = 0.0
  var ticks = 0.0

  /// A change between so many samples that agree and so many others that do, in squares of a weight.
  private static func change(_ left: Int64, _ right: Int64) -> Double {
    left >= 3 && right >= 3 ? 1.0 / 6 : 0.5
  }

  /// Both its ends; the samples after it up to `next` found the thread elsewhere.
  func variance(until next: Int64, isFirst: Bool, isLast: Bool) -> Double {
    (isFirst ? 1.0 / 6 : Self.change(gap, end &- start))
      + (isLast ? 1.0 / 6 : Self.change(end &- start, next &- end))
  }
}

/// The errors of the rows of a table, from the runs of threads in their order.
struct RowErrors {
  /// By row.
  private(set) var own: [SamplingError]
  private(set) var cumulative: [SamplingError]
  private var all: Series
  private var allOwn: Series
  private var running: Series
  private var runningOwn: Series

  init(rowCount: Int) {
    own = Array(repeating: SamplingError(), count: rowCount)
    cumulative = own
    all = Series(rowCount: rowCount)
    (allOwn, running, runningOwn) = (all, all, all)
  }

  /// Notes the next run of a thread, with the rows of its stack, innermost first; -1 for none.
  mutating func add(_ run: Run, rows: [Int]) {
    // A capture may say anything: the numbers of samples are to stay in range.
    let samples = min(max(run.weight.samples, 1), 1 << 40)
    func each(_ weight: Int64) -> Double { Double(max(weight, 0)) / Double(samples) }
    let (wall, ticks, cpu) = (
      each(run.weight.wall), each(run.weight.ticks), each(run.weight.cpu)
    )
    all.add(rows, samples, wall: wall, ticks: ticks, to: &cumulative)
    allOwn.add(rows.prefix(1), samples, wall: wall, ticks: ticks, to: &own)
    // CPU time is divided among these alone.
    guard run.activity == .running else { return }
    running.add(rows, samples, cpu: cpu, to: &cumulative)
    runningOwn.add(rows.prefix(1), samples, cpu: cpu, to: &own)
  }

  /// Ends a thread: what follows are the runs of another.
  mutating func endThread() {
    all.end(adding: &cumulative)
    allOwn.end(adding: &own)
    running.end(adding: &cumulative)
    runningOwn.end(adding: &own)
  }

  /// The samples of one thread that count for some units.
  private struct Series {
    private var stays: [Stay?]
    private var rows: [Int] = []
    private var position: Int64 = 0

    init(rowCount: Int) { stays = Array(repeating: nil, count: rowCount) }

    mutating func add(
      _ found: some Sequence<Int>, _ samples: Int64, wall: Double = 0, ticks: Double = 0,
      cpu: Double = 0, to errors: inout [SamplingError]
    ) {
      for row in found where row >= 0 {
        if let stay = stays[row], stay.end == position {
          stays[row]?.end = position &+ samples
          continue
        }
        let last = stays[row]
        if let last {
          errors[row].add(
            last, last.variance(until: position, isFirst: last.start == 0, isLast: false))
        } else {
          rows.append(row)
        }
        stays[row] = Stay(
          start: position, end: position &+ samples, gap: position &- (last?.end ?? 0), wall: wall,
          cpu: cpu, ticks: ticks)
      }
      position &+= samples
    }

    mutating func end(adding errors: inout [SamplingError]) {
      for row in rows {
        guard let stay = stays[row].take() else { continue }
        errors[row].add(
          stay,
          stay.variance(
            until: position, isFirst: stay.start == 0, isLast: stay.end == position))
      }
      rows = []
      position = 0
    }
  }
}
