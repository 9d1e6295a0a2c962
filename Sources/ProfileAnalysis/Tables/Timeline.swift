package import ProfileModel

/// What threads did over time, in slots of equal length.
package struct Timeline: Sendable {
  /// What a thread did in a slot.
  package struct Slot: Sendable {
    /// What took most of the wall time; nil where the thread was not sampled.
    package fileprivate(set) var activity: Activity?
    /// The part of that time in which it ran, 0 to 1.
    package fileprivate(set) var running = 0.0
  }

  /// Nanoseconds from the start of the capture to the beginning and to the end of the slots.
  package let start: Int64
  package let end: Int64
  private let index: ProfileIndex
  private let count: Int

  /// A time line with `slots` slots over all the time that the runs of the threads cover.
  package init(_ index: ProfileIndex, threads: [Int], slots: Int) {
    var (first, last) = (Int64.max, Int64.min)
    for run in threads.lazy.flatMap({ index.runs(of: $0) }) {
      first = min(first, max(0, run.start))
      last = max(last, run.stop)
    }
    start = first <= last ? first : 0
    end = first <= last ? max(last, start) : 0
    self.index = index
    count = max(slots, 1)
  }

  /// Whether there is any time to show; a dump has none.
  package var isEmpty: Bool { end <= start }

  /// The slots of some threads taken together, given by indexes into `profile.threads`.
  ///
  /// Costs one step for each run, and for each slot that the runs cover.
  package func slots(of threads: [Int]) -> [Slot] {
    guard !isEmpty else { return [] }
    var times = Array(repeating: [(activity: Activity, time: Double)](), count: count)
    let width = Double(end - start) / Double(count)
    for run in threads.lazy.flatMap({ index.runs(of: $0) }) where run.weight.wall > 0 {
      let from = (Double(max(run.start, start)) - Double(start)) / width
      let to = (Double(min(run.stop, end)) - Double(start)) / width
      guard from < to, from < Double(count), to > 0 else { continue }
      let activity = run.activity.kind
      for slot in Int(max(from, 0))...min(Int(to), count - 1) {
        let time = min(to, Double(slot + 1)) - max(from, Double(slot))
        guard time > 0 else { continue }
        if let known = times[slot].firstIndex(where: { $0.activity == activity }) {
          times[slot][known].time += time
        } else {
          times[slot].append((activity, time))
        }
      }
    }
    return times.map { Slot($0) }
  }
}

extension Timeline.Slot {
  fileprivate init(_ times: [(activity: Activity, time: Double)]) {
    let total = times.reduce(0) { $0 + $1.time }
    activity = times.max { $0.time < $1.time }?.activity
    let ran = times.first { $0.activity == .running }?.time ?? 0
    running = total > 0 ? ran / total : 0
  }
}

extension Run {
  /// When it ended, in nanoseconds from the start of the capture.
  fileprivate var stop: Int64 {
    let (sum, overflow) = max(0, start).addingReportingOverflow(max(0, weight.wall))
    return overflow ? .max : sum
  }
}

extension Activity {
  /// The same without the reason of a wait.
  fileprivate var kind: Activity {
    switch self {
    case .blocked: .blocked(WaitReason(systemCall: nil))
    case .uninterruptible: .uninterruptible(WaitReason(systemCall: nil))
    case .running, .waitingForCPU, .stopped, .unknown: self
    }
  }
}
