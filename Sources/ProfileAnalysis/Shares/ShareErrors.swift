/// The errors of what is divided among the samples of threads: their wall time, or their CPU time among the
/// samples on a CPU.
///
/// The whole of a thread is known, and samples have uneven parts of it: what is uncertain is each row's share.
/// So the differences of successive samples are those of `(x - share) × weight`, x being 1 for a sample that
/// is in the row and 0 for another.
struct ShareErrors {
  /// Consecutive samples in a row.
  fileprivate struct Stay {
    /// The numbers of its first sample and of the sample after its last.
    let start: Int64
    var end: Int64
    /// The same of runs.
    let firstRun: Int
    var endRun: Int
    /// How many samples before it were elsewhere.
    let gap: Int64
  }

  /// What is known of a row in one thread; sums of squares and products of weights.
  fileprivate struct Row {
    var stay: Stay
    /// The row's part of the whole.
    var amount = 0.0
    /// At changes: of the weight inside, of that and the difference to the one outside, of the difference.
    var inside = 0.0
    var mixed = 0.0
    var differences = 0.0
    /// The same differences as parts of `steps`.
    var stepsAtChanges = 0.0
    /// Of successive weights inside.
    var stepsInside = 0.0
    /// How many samples inside followed another of their run.
    var repeats: Int64 = 0
    /// Of weights at an end of the thread's samples.
    var ends = 0.0
  }

  private var places: [Int]
  private var rows: [(number: Int, row: Row)] = []
  private var weights: [Double] = []
  private var position: Int64 = 0
  private var total = 0.0
  private var squares = 0.0
  /// Half the squares of the differences of successive weights.
  private var steps = 0.0
  /// The same as one sample would have them, where runs have the means of several.
  private var spread = 0.0
  private var lastSamples: Int64 = 0

  /// So many samples more in each row, and so many more beside it, are assumed.
  ///
  /// Where samples are few, they say less than they seem to (Agresti and Coull, "Approximate is better than
  /// exact").
  private let assumed: Double

  init(rowCount: Int, assumed: Double = 0) {
    places = Array(repeating: -1, count: rowCount)
    self.assumed = assumed
  }

  /// Adds the samples of a run, each with that weight, with the rows that they are in; -1 for none.
  mutating func add(_ found: some Sequence<Int>, _ samples: Int64, _ weight: Double) {
    let run = weights.count
    let step = weights.last.map { ($0 - weight) * ($0 - weight) / 2 } ?? 0
    for number in found where number >= 0 {
      let place = places[number]
      if place < 0 {
        places[number] = rows.count
        rows.append((number, Row(stay: stay(run, samples, gap: position))))
      } else if rows[place].row.stay.end == position {
        rows[place].row.stay.end = position &+ samples
        rows[place].row.stay.endRun = run + 1
        rows[place].row.stepsInside += step
      } else {
        close(&rows[place].row, until: position)
        rows[place].row.stay = stay(run, samples, gap: position &- rows[place].row.stay.end)
      }
      rows[places[number]].row.amount += weight * Double(samples)
    }
    if !weights.isEmpty { spread += step * 2 / (1 / Double(lastSamples) + 1 / Double(samples)) }
    lastSamples = samples
    weights.append(weight)
    steps += step
    total += weight * Double(samples)
    squares += weight * weight * Double(samples)
    position &+= samples
  }

  private func stay(_ run: Int, _ samples: Int64, gap: Int64) -> Stay {
    Stay(
      start: position, end: position &+ samples, firstRun: run, endRun: run + 1, gap: gap)
  }

  /// Counts both ends of a row's stay; elsewhere the thread was until `next`.
  private func close(_ row: inout Row, until next: Int64) {
    let stay = row.stay
    let length = stay.end &- stay.start
    row.repeats &+= length &- Int64(stay.endRun - stay.firstRun)
    if stay.firstRun == 0 {
      row.ends += SamplingError.end * weights[0] * weights[0]
    } else {
      row.addChange(
        weights[stay.firstRun], weights[stay.firstRun - 1],
        SamplingError.change(stay.gap, length))
    }
    if stay.endRun == weights.count {
      row.ends += SamplingError.end * weights[stay.endRun - 1] * weights[stay.endRun - 1]
    } else {
      row.addChange(
        weights[stay.endRun - 1], weights[stay.endRun],
        SamplingError.change(length, next &- stay.end))
    }
  }

  /// Ends a thread, and gives the variance of each of its rows.
  mutating func end(_ body: (_ row: Int, _ variance: Double) -> Void) {
    let first = weights.first ?? 0
    let last = weights.last ?? 0
    let ends = SamplingError.end * (first * first + last * last)
    // What the samples of a run differ by, is not known: as much as those of different runs.
    let repeatStep = weights.count > 1 ? spread / Double(weights.count - 1) : 0
    let allSteps = steps + repeatStep * Double(position &- Int64(weights.count))
    for index in rows.indices {
      close(&rows[index].row, until: position)
      let (number, row) = rows[index]
      places[number] = -1
      guard total > 0 else { continue }
      let share = row.amount / total
      let other = 1 - share
      let changes = row.inside - 2 * share * row.mixed + share * share * row.differences
      let stepsInside = row.stepsInside + repeatStep * Double(row.repeats)
      let inside = other * other * (stepsInside + row.ends)
      let outside =
        share * share * (allSteps - stepsInside - row.stepsAtChanges + ends - row.ends)
      let mean = squares / Double(max(position, 1))
      body(number, max(changes + inside + outside, 0) + assumed * mean)
    }
    rows.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    (position, total, squares, steps, spread) = (0, 0, 0, 0, 0)
  }
}

extension ShareErrors.Row {
  /// A change between a sample in the row and one that is not, for that part of a square.
  fileprivate mutating func addChange(_ weight: Double, _ other: Double, _ part: Double) {
    let difference = weight - other
    inside += part * weight * weight
    mixed += part * weight * difference
    differences += part * difference * difference
    stepsAtChanges += difference * difference / 2
  }
}
