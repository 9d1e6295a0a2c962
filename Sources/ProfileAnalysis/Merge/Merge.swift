package import ProfileModel

/// Merges profiles into one, each under the name of its source.
///
/// Threads have the label of their source in front of their names: `web1/worker-3`; those of the
/// same label and name become one. What a thread did in the same stack becomes one run. The order
/// of time is lost: the runs of a thread follow each other in the order in which their stacks first
/// occur.
///
/// Memory grows with the distinct stacks and threads, and with the runs that were not taken: after
/// each label, take its runs.
package struct Merge {
  /// The stacks of all that was added.
  package internal(set) var stacks = StackTable()
  var symbols: [ResolvedFrame] = []
  var modules: [Module] = []
  var moduleIDs: [ModuleKey: ModuleID] = [:]
  /// The threads of all that was added.
  package internal(set) var threads: [ThreadInfo] = []
  var threadIDs: [ThreadKey: Int] = [:]
  /// What was added since runs were last taken.
  var table: [RunKey: Weight] = [:]
  /// By thread: the start of its next run.
  var clocks: [Int64] = []
  var ends = Numbering<StackEnd>(comparingFirst: 4)
  var activities = Numbering<Activity>(comparingFirst: 4)
  var capture: CaptureInfo?
  var hosts: Set<String> = []
  var processes: Set<String> = []
  var kernels: Set<String> = []
  var notes: [CaptureNote: Int] = [:]
  var median = 0.0
  var count = 0

  package init() {}

  /// Adds a profile; its threads' names get `label` and a slash in front, unless it is empty.
  ///
  /// Costs one step for each frame, stack and run of the profile.
  package mutating func add(_ profile: Profile, label: String) {
    let frames = addFrames(of: profile)
    let stackIDs = addStacks(of: profile.stacks, frames)
    let threadIDs = profile.threads.map { addThread($0, label: label) }
    // First by itself: that table is small, and joins most runs.
    var own: [RunKey: Weight] = [:]
    for run in profile.runs where threadIDs.indices.contains(run.thread) {
      let key = RunKey(
        thread: UInt32(threadIDs[run.thread]), stack: run.stack,
        end: UInt32(ends.number(of: run.end)),
        activity: UInt32(activities.number(of: run.activity)))
      own[key, default: Weight()] += run.weight
    }
    for (key, weight) in own {
      let stack = Int(key.stack.rawValue)
      let known = stackIDs.indices.contains(stack) ? stackIDs[stack] : .empty
      table[key.with(known), default: Weight()] += weight
    }
    add(profile.capture)
  }

  /// The runs of what was added since the last call.
  ///
  /// What the same thread does in the same stack afterwards becomes another run.
  package mutating func takeRuns() -> RunList {
    // Sorted, so that the order does not depend on the hashing.
    let entries = table.sorted { $0.key < $1.key }
    table.removeAll(keepingCapacity: true)
    clocks += Array(repeating: 0, count: threads.count - clocks.count)
    var runs = RunList()
    for (key, weight) in entries {
      let thread = Int(key.thread)
      runs.append(
        Run(
          thread: thread, stack: key.stack, end: ends.elements[Int(key.end)],
          activity: activities.elements[Int(key.activity)], start: clocks[thread], weight: weight))
      clocks[thread] = clocks[thread].addingClamped(weight.wall)
    }
    return runs
  }

  /// What was added, as one profile, without the runs that were taken.
  package consuming func finish() -> Profile {
    let runs = takeRuns()
    return Profile(
      capture: mergedCapture, modules: modules, threads: threads, stacks: stacks, runs: runs,
      symbols: symbols)
  }
}
