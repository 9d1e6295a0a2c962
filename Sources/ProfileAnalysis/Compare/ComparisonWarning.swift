internal import ProfileModel

/// Why figures of two sides should be compared with care.
package enum ComparisonWarning: Hashable, Sendable {
  /// The program's own file is another one: functions were matched by their names.
  case otherBuild(before: String, after: String)
  case otherProgram(before: String, after: String)
  case otherHost(before: String, after: String)
  case otherRate(before: Double, after: Double)
  /// The most frames of a stack that each side kept; nil for all.
  case otherDepth(before: Int?, after: Int?)
  /// Parts of the ticks of a side that came late, 0 to 1.
  case lateTicks(isAfter: Bool, share: Double)
  case fewSamples(isAfter: Bool, count: Int64)
  /// Too short, or without times: nothing can be said about chance.
  case fewWindows(isAfter: Bool, count: Int)
  case samplesDropped(isAfter: Bool, count: Int64)
  /// Names of threads that only one side has.
  case otherThreads(isAfter: Bool, names: [String])
  /// Seconds a second that the threads waited for a CPU.
  case otherLoad(before: Double, after: Double)
  /// No thread was chosen, or none was seen.
  case noThreads(isAfter: Bool)
}

extension ComparisonBuilder {
  func warnings(_ comparison: Comparison) -> [ComparisonWarning] {
    captureWarnings() + (0..<2).flatMap { sideWarnings($0) } + threadWarnings(comparison)
  }

  private func captureWarnings() -> [ComparisonWarning] {
    guard let before = sides[0].first?.profile, let after = sides[1].first?.profile else {
      return []
    }
    var result: [ComparisonWarning] = []
    if before.capture.processName != after.capture.processName {
      result.append(
        .otherProgram(before: before.capture.processName, after: after.capture.processName))
    } else if let one = before.programBuildID, let two = after.programBuildID, one != two {
      result.append(.otherBuild(before: one, after: two))
    }
    if before.capture.hostName != after.capture.hostName {
      result.append(.otherHost(before: before.capture.hostName, after: after.capture.hostName))
    }
    if before.capture.rate != after.capture.rate {
      result.append(.otherRate(before: before.capture.rate, after: after.capture.rate))
    }
    if before.capture.maxDepth != after.capture.maxDepth {
      result.append(
        .otherDepth(before: before.capture.maxDepth, after: after.capture.maxDepth))
    }
    return result
  }

  private func sideWarnings(_ side: Int) -> [ComparisonWarning] {
    let isAfter = side == 1
    var result: [ComparisonWarning] = []
    let costs = sides[side].map(\.profile.capture.cost)
    let late = Self.lateShare(sides[side])
    if late > 0.05 { result.append(.lateTicks(isAfter: isAfter, share: late)) }
    let dropped = costs.reduce(0) { $0 &+ $1.samplesDropped }
    if dropped > 0 { result.append(.samplesDropped(isAfter: isAfter, count: dropped)) }
    let samples = sides[side].reduce(Int64(0)) { sum, capture in
      capture.profile.runs.reduce(sum) { $0 &+ $1.weight.samples }
    }
    if samples < 500 { result.append(.fewSamples(isAfter: isAfter, count: samples)) }
    if layouts[side].windows < 20 {
      result.append(.fewWindows(isAfter: isAfter, count: layouts[side].windows))
    }
    return result
  }

  private func threadWarnings(_ comparison: Comparison) -> [ComparisonWarning] {
    var result: [ComparisonWarning] = []
    for side in 0..<2 {
      let alone = grouping.groups.filter { $0.counts[side] > 0 && $0.counts[1 - side] == 0 }
      if grouping.groups.allSatisfy({ $0.counts[side] == 0 }) {
        result.append(.noThreads(isAfter: side == 1))
      } else if !alone.isEmpty && grouping.groups.contains(where: { $0.counts[1 - side] > 0 }) {
        result.append(
          .otherThreads(isAfter: side == 1, names: Set(alone.map(\.name)).sorted()))
      }
    }
    let delay = comparison.delay
    let running = max(comparison.cpu.before, comparison.cpu.after)
    if let p = delay.p, p < 0.05, delay.change.magnitude > max(0.02 * running, 0.005) {
      result.append(.otherLoad(before: delay.before, after: delay.after))
    }
    return result
  }
}

extension Profile {
  /// Of the program's own file; nil where that is not known.
  fileprivate var programBuildID: String? {
    modules.first { $0.path == capture.executable }?.buildID
  }
}
