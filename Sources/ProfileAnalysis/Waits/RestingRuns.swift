internal import ProfileModel

/// The runs of a profile in which threads are at rest: in an event loop, a pool's queue, or asleep by their
/// own choice.
package struct RestingRuns: Sendable {
  /// By index of the run.
  private var isAtRest: [Bool]
  /// Threads that have such runs, by index.
  private var threads: Set<Int> = []

  /// Those of an indexed profile, which `waits` is of.
  ///
  /// Costs a step for each run, and some for each distinct stack of a wait.
  package init(_ index: ProfileIndex, _ waits: RunWaits) {
    var waits = waits
    let runs = index.profile.runs
    isAtRest = []
    isAtRest.reserveCapacity(runs.count)
    for run in runs {
      let rests = waits.finding(of: run)?.isAtRest ?? false
      isAtRest.append(rests)
      if rests { threads.insert(run.thread) }
    }
  }

  /// Those of the diagnosed profile.
  package init(_ diagnosis: Diagnosis) {
    self.init(diagnosis.index, RunWaits(diagnosis))
  }

  /// Whether it has that run, given by its index.
  func contains(_ run: Int) -> Bool { isAtRest.indices.contains(run) && isAtRest[run] }

  /// Whether any of these threads, given by their indexes, rested.
  package func isPart(of threads: [Int]) -> Bool { threads.contains(where: self.threads.contains) }
}
