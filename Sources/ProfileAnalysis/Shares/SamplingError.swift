internal import ProfileModel

/// How far a figure may be from the truth by chance, since only some moments were sampled.
///
/// Each tick falls at a random time within its period. So what is uncertain is where between two samples
/// that differ the thread went from one to the other: the variance of a figure is a sum over the times that
/// the thread entered or left what it is of (the successive difference estimate for stratified samples;
/// Wolter, "Introduction to Variance Estimation"). Where samples change all the time, each change counts
/// for half the square of a sample's weight. Where several samples on both sides agree, there was one
/// change, somewhere within one period: a sixth (`ShareErrors`).
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

  /// A change between so many samples that agree and so many others that do, in squares of a weight.
  static func change(_ left: Int64, _ right: Int64) -> Double {
    left >= 3 && right >= 3 ? 1.0 / 6 : 0.5
  }

  /// The end of a capture, where nothing shows when the thread came or went.
  static let end = 1.0 / 6
}

/// The errors of the rows of a table, from the runs of threads in their order.
struct RowErrors {
  /// By row.
  private(set) var own: [SamplingError]
  private(set) var cumulative: [SamplingError]
  private var wall: ShareErrors
  private var wallOwn: ShareErrors
  private var cpu: ShareErrors
  private var cpuOwn: ShareErrors
  /// Of the thread.
  private var wallTime = 0.0
  private var ticks = 0.0

  init(rowCount: Int) {
    own = Array(repeating: SamplingError(), count: rowCount)
    cumulative = own
    wall = ShareErrors(rowCount: rowCount)
    wallOwn = wall
    // There may be few samples on a CPU.
    cpu = ShareErrors(rowCount: rowCount, assumed: 2)
    cpuOwn = cpu
  }

  /// Notes the next run of a thread, with the rows of its stack, innermost first; -1 for none.
  mutating func add(_ run: Run, rows: [Int]) {
    // A capture may say anything: the numbers of samples are to stay in range.
    let samples = min(max(run.weight.samples, 1), 1 << 40)
    func each(_ weight: Int64) -> Double { Double(max(weight, 0)) / Double(samples) }
    wall.add(rows, samples, each(run.weight.wall))
    wallOwn.add(rows.prefix(1), samples, each(run.weight.wall))
    wallTime += Double(max(run.weight.wall, 0))
    ticks += Double(max(run.weight.ticks, 0))
    // CPU time is divided among these alone.
    guard run.activity == .running else { return }
    cpu.add(rows, samples, each(run.weight.cpu))
    cpuOwn.add(rows.prefix(1), samples, each(run.weight.cpu))
  }

  /// Ends a thread: what follows are the runs of another.
  mutating func endThread() {
    // Ticks are as long as each other.
    let inTicks = wallTime > 0 ? (ticks / wallTime) * (ticks / wallTime) : 0
    wall.end { row, variance in
      cumulative[row].wall += variance
      cumulative[row].ticks += variance * inTicks
    }
    wallOwn.end { row, variance in
      own[row].wall += variance
      own[row].ticks += variance * inTicks
    }
    cpu.end { cumulative[$0].cpu += $1 }
    cpuOwn.end { own[$0].cpu += $1 }
    (wallTime, ticks) = (0, 0)
  }
}
