extension ProfileBuilder {
  /// Divides the CPU time and delay that are in no run among the runs of their thread, by their ticks.
  mutating func placeUnplaced() {
    guard !unplaced.isEmpty else { return }
    let cpu = place(unplaced.mapValues(\.cpu), in: .running, \.cpu)
    // Of one that was never met waiting for a CPU, the functions that it ran had to wait.
    let delay = place(
      place(unplaced.mapValues(\.delay), in: .waitingForCPU, \.delay), in: .running, \.delay)
    var left: [Int: Weight] = [:]
    for thread in unplaced.keys {
      let weight = Weight(cpu: cpu[thread] ?? 0, delay: delay[thread] ?? 0)
      if weight != Weight() { left[thread] = weight }
    }
    addUnseen(left)
    unplaced = [:]
  }

  /// What a thread that sleeps uses to wake up for moments, as for a stop, is no work of its own.
  private static let leastWork: Int64 = 1_000_000

  /// Adds what threads used that were never met on a CPU: as runs of their own, or to their first run where
  /// it is next to nothing.
  private mutating func addUnseen(_ weights: [Int: Weight]) {
    var small = weights.filter { $0.value.cpu &+ $0.value.delay < Self.leastWork }
    for index in runs.indices where !small.isEmpty {
      if let weight = small.removeValue(forKey: runs[index].thread) { runs[index].weight += weight }
    }
    for (thread, weight) in weights.sorted(by: { $0.key < $1.key })
    where weight.cpu &+ weight.delay >= Self.leastWork {
      runs.append(
        Run(
          thread: thread, stack: unseenStack(), end: .complete, activity: .running,
          start: threads[thread].firstSeen, weight: weight))
    }
  }

  /// Returns what of `amounts`, by thread, found no run with that activity.
  private mutating func place(
    _ amounts: [Int: Int64], in activity: Activity, _ unit: WritableKeyPath<Weight, Int64>
  ) -> [Int: Int64] {
    let amounts = amounts.filter { $0.value != 0 }
    guard !amounts.isEmpty else { return [:] }
    var wholes: [Int: Int64] = [:]
    for run in runs where run.activity == activity && amounts[run.thread] != nil {
      wholes[run.thread, default: 0] &+= max(run.weight.ticks, 0)
    }
    var placed: [Int: Int64] = [:]
    for index in runs.indices {
      let run = runs[index]
      guard run.activity == activity, let amount = amounts[run.thread],
        let whole = wholes[run.thread], whole > 0
      else { continue }
      let before = placed[run.thread] ?? 0
      let after = before &+ max(run.weight.ticks, 0)
      placed[run.thread] = after
      runs[index].weight[keyPath: unit] &+=
        amount.share(after, of: whole) &- amount.share(before, of: whole)
    }
    return amounts.filter { wholes[$0.key] ?? 0 == 0 }
  }
}

extension Int64 {
  /// The amount times part by whole, rounded: the shares of parts that add up to the whole add up.
  fileprivate func share(_ part: Int64, of whole: Int64) -> Int64 {
    Int64((Double(self) * Double(part) / Double(whole)).rounded())
  }
}
