/// Joins samples of threads into runs, as they come.
///
/// A sample with the same stack and activity as the one before lengthens the thread's run, so
/// memory grows with what happens, not with time.
package struct ProfileBuilder: Sendable {
  /// The stacks of the samples; add a stack before its sample.
  package var stacks = StackTable()
  package private(set) var threads: [ThreadInfo] = []
  private var runs = RunList()
  private var openRuns: [Int: Run] = [:]
  private var taken = Taken()

  package init() {}

  /// Adds a thread and returns its index in `Profile.threads`.
  package mutating func add(_ thread: ThreadInfo) -> Int {
    threads.append(thread)
    return threads.count - 1
  }

  /// Changes what is known of a thread.
  package mutating func update(_ thread: Int, _ change: (inout ThreadInfo) -> Void) {
    change(&threads[thread])
  }

  /// Adds a sample.
  ///
  /// - Parameters:
  ///   - thread: index of the thread.
  ///   - stack: the stack that was found.
  ///   - end: how the stack ended.
  ///   - activity: what the thread did.
  ///   - time: nanoseconds from the start of the capture to the sample.
  ///   - weight: what the sample stands for: the time since the last one.
  package mutating func sample(
    thread: Int, stack: StackID, end: StackEnd, activity: Activity, time: Int64, weight: Weight
  ) {
    if var run = openRuns[thread] {
      if run.stack == stack, run.activity == activity, run.end == end {
        run.weight += weight
        openRuns[thread] = run
        return
      }
      runs.append(run)
    }
    openRuns[thread] = Run(
      thread: thread, stack: stack, end: end, activity: activity,
      start: max(0, time - weight.wall), weight: weight)
  }

  /// Lengthens the thread's last run, if there is one: the thread has not run since.
  package mutating func extend(thread: Int, by weight: Weight) {
    openRuns[thread]?.weight += weight
  }

  /// Adds what the thread did between its last sample and its end.
  ///
  /// Time in which it ran lengthens the last run, or follows it as a run in the same stack where
  /// the last run is a sleep.
  package mutating func end(thread: Int, with weight: Weight, at time: Int64) {
    guard weight != Weight(), let last = openRuns[thread] else { return }
    let isAsleep =
      switch last.activity {
      case .blocked, .uninterruptible: true
      case .running, .waitingForCPU, .stopped, .unknown: false
      }
    guard isAsleep, weight.cpu &+ weight.delay > weight.wall / 2 else {
      return extend(thread: thread, by: weight)
    }
    sample(
      thread: thread, stack: last.stack, end: last.end,
      activity: weight.delay > weight.cpu ? .waitingForCPU : .running, time: time, weight: weight)
  }

  /// The stack of the thread's last run, while it is open; nil without one.
  package func openStack(of thread: Int) -> StackID? { openRuns[thread]?.stack }

  /// The distinct frames of the stacks that threads were last seen with.
  package var openFrames: [Frame] {
    var seenStacks: Set<StackID> = []
    var seen: Set<FrameID> = []
    for run in openRuns.values where seenStacks.insert(run.stack).inserted {
      seen.formUnion(stacks.frames(of: run.stack))
    }
    return seen.map { stacks[$0] }
  }

  /// Closes the thread's last run.
  package mutating func end(thread: Int) {
    if let run = openRuns.removeValue(forKey: thread) { runs.append(run) }
  }

  /// What was added since the last call, for a file that grows while the capture goes on.
  ///
  /// A run that goes on comes in pieces, each with the same start. `lasting` gives, by index of the
  /// thread and activity, for how long the thread's last run is known to have gone on since its
  /// last sample. Costs one step for each thread and each new run and stack.
  package mutating func takeGrowth(lasting: (Int, Activity) -> Weight) -> ProfileGrowth {
    var growth = ProfileGrowth()
    for run in runs[taken.runs...] {
      let known = taken.weights.removeValue(forKey: run.thread)
      growth.add(run, without: known ?? Weight(), stacks)
    }
    for (thread, run) in openRuns.sorted(by: { $0.key < $1.key }) {
      let known = taken.weights[thread] ?? Weight()
      var now = run
      now.weight += lasting(thread, run.activity)
      growth.add(now, without: known, stacks)
      taken.weights[thread] = known.maximum(now.weight)
    }
    for (index, frame) in stacks.frames.enumerated().dropFirst(taken.frames) {
      growth.frames.append((FrameID(UInt32(index)), frame))
    }
    for (index, thread) in threads.enumerated() where taken.isNew(thread, at: index) {
      growth.threads.append((index, thread))
    }
    taken.runs = runs.count
    taken.frames = stacks.frames.count
    taken.threads = threads.map { Taken.Thread(name: $0.name, hasEnded: $0.hasEnded) }
    return growth
  }

  /// All that was added, with the threads' open runs closed; stacks and frames are numbered anew,
  /// in the order in which the runs first use them.
  package consuming func finish(capture: CaptureInfo, modules: [Module]) -> Profile {
    runs.append(contentsOf: openRuns.values)
    openRuns = [:]
    runs.sortByStart()
    var profile = Profile(
      capture: capture, modules: modules, threads: threads, stacks: stacks)
    // Moved, not shared: the runs of an hour may take most of the memory.
    swap(&profile.runs, &runs)
    profile.renumberStacks()
    return profile
  }
}

/// What a builder has given away of its contents so far.
private struct Taken: Sendable {
  struct Thread: Equatable {
    let name: String
    let hasEnded: Bool
  }

  var runs = 0
  var frames = 0
  var threads: [Thread] = []
  /// By thread: how much of the weight of its open run.
  var weights: [Int: Weight] = [:]

  func isNew(_ thread: ThreadInfo, at index: Int) -> Bool {
    guard index < threads.count else { return true }
    return threads[index] != Thread(name: thread.name, hasEnded: thread.hasEnded)
  }
}
