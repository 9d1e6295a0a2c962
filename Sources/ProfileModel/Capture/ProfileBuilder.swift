/// Joins samples of threads into runs, as they come.
///
/// A sample with the same stack and activity as the one before lengthens the thread's run, so
/// memory grows with what happens, not with time.
package struct ProfileBuilder: Sendable {
  /// The stacks of the samples; add a stack before its sample.
  package var stacks = StackTable()
  package private(set) var threads: [ThreadInfo] = []
  var runs = RunList()
  private var openRuns: [Int: Run] = [:]
  /// The last of a thread's closed runs with that activity.
  private var lastRuns: [RunKey: Int] = [:]
  /// By thread: CPU time and delay that belong to all of its runs.
  var unplaced: [Int: Weight] = [:]
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
  ///   - time: nanoseconds from the start of the capture to the end of what the sample stands for.
  ///   - weight: what the sample stands for.
  ///   - hasRun: whether the thread is known to have run since the sample before: a new run begins.
  ///   - hasSlept: whether it slept since the sample before, in a sleep that neither of them saw.
  ///   - isNewSleep: whether it sleeps in another sleep than that of the sample before.
  package mutating func sample(
    thread: Int, stack: StackID, end: StackEnd, activity: Activity, time: Int64, weight: Weight,
    hasRun: Bool = false, hasSlept: Bool = false, isNewSleep: Bool = false
  ) {
    var unseen: UnseenSleeps = hasSlept ? .before : []
    if var run = openRuns[thread] {
      if run.stack == stack, run.activity == activity, run.end == end {
        if !hasRun, run.goesOn(inNewSleep: isNewSleep) {
          run.weight += weight
          if hasSlept { run.unseenSleeps.insert(.within) }
          if isNewSleep { run.unseenSleeps.insert(.renewed) }
          openRuns[thread] = run
          return
        }
        if isNewSleep {
          unseen.insert(.another)
        } else if run.hasManyWaits, !hasRun {
          unseen.insert(.goesOn)
        }
      }
      close(run)
    }
    openRuns[thread] = Run(
      thread: thread, stack: stack, end: end, activity: activity,
      start: max(0, time - weight.wall), weight: weight, unseenSleeps: unseen)
  }

  /// Lengthens the thread's last run, if there is one: the thread has not run since.
  package mutating func extend(thread: Int, by weight: Weight) {
    if weight.wall > 0 { leaveManyWaits(thread) }
    openRuns[thread]?.weight += weight
  }

  /// Begins a new run where the last sleep of many short ones goes on.
  private mutating func leaveManyWaits(_ thread: Int) {
    guard let run = openRuns[thread], run.hasManyWaits else { return }
    close(run)
    openRuns[thread] = Run(
      thread: thread, stack: run.stack, end: run.end, activity: run.activity,
      start: run.start &+ max(0, run.weight.wall), weight: Weight(), unseenSleeps: .goesOn)
  }

  /// Adds CPU time to the thread's last run on a CPU, and delay to its last one waiting for a CPU.
  package mutating func credit(thread: Int, _ weight: Weight) {
    credit(RunKey(thread: thread, activity: .running), Weight(cpu: weight.cpu))
    credit(RunKey(thread: thread, activity: .waitingForCPU), Weight(delay: weight.delay))
  }

  private mutating func credit(_ key: RunKey, _ weight: Weight) {
    guard weight != Weight() else { return }
    if openRuns[key.thread]?.activity == key.activity {
      openRuns[key.thread]?.weight += weight
    } else if let index = lastRuns[key] {
      runs[index].weight += weight
      if index < taken.runs { taken.credits[index, default: Weight()] += weight }
    } else {
      spread(thread: key.thread, weight)
    }
  }

  /// Adds CPU time to all of the thread's runs on a CPU, in proportion, and delay to those that wait
  /// for one; where there are none, to a run of its own.
  package mutating func spread(thread: Int, _ weight: Weight) {
    guard weight != Weight() else { return }
    unplaced[thread, default: Weight()] += weight
  }

  /// Adds the time and ticks between the thread's last sample and its end; the CPU time and delay of
  /// `weight`, which are to be credited, show what it did.
  ///
  /// Time in which it ran lengthens the last run, or follows it as a run of its own where the last run
  /// is a sleep.
  package mutating func end(thread: Int, with weight: Weight, at end: Int64) {
    let time = Weight(ticks: weight.ticks, wall: weight.wall)
    guard time != Weight(), let last = openRuns[thread] else { return }
    let isAsleep =
      switch last.activity {
      case .blocked, .uninterruptible: true
      case .running, .waitingForCPU, .stopped, .unknown: false
      }
    guard isAsleep, weight.cpu &+ weight.delay > weight.wall / 2 else {
      return extend(thread: thread, by: time)
    }
    let running = lastRunningStack(of: thread)
    sample(
      thread: thread, stack: running?.stack ?? unseenStack(), end: running?.end ?? .complete,
      activity: weight.delay > weight.cpu ? .waitingForCPU : .running, time: end, weight: time)
  }

  /// The stack of a thread that ran when no sample saw it.
  mutating func unseenStack() -> StackID {
    stacks.stack(
      of: stacks.id(of: .interpreted(SourceLine(function: Self.unseenName))), calledBy: .empty)
  }

  /// Stands in a stack for what a thread ran that was never found running.
  package static let unseenName = "<ran between samples>"

  /// The stack that the thread was last found running in, and how it ended; nil where it never was.
  package func lastRunningStack(of thread: Int) -> (stack: StackID, end: StackEnd)? {
    lastRun(of: thread, in: .running)
  }

  /// The stack in which the thread was last found to do that, and how it ended; nil where it never was.
  package func lastRun(
    of thread: Int, in activity: Activity
  ) -> (stack: StackID, end: StackEnd)? {
    if let run = openRuns[thread], run.activity == activity { return (run.stack, run.end) }
    return lastRuns[RunKey(thread: thread, activity: activity)].map {
      (runs[$0].stack, runs[$0].end)
    }
  }

  /// The stack of the thread's last run, while it is open; nil without one.
  package func openStack(of thread: Int) -> StackID? { openRuns[thread]?.stack }

  /// What the thread does in its last run, while it is open; nil without one.
  package func openActivity(of thread: Int) -> Activity? { openRuns[thread]?.activity }

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
    if let run = openRuns.removeValue(forKey: thread) { close(run) }
  }

  private mutating func close(_ run: Run) {
    lastRuns[RunKey(thread: run.thread, activity: run.activity)] = runs.count
    runs.append(run)
  }

  /// What was added since the last call, for a file that grows while the capture goes on.
  ///
  /// A run that goes on comes in pieces, each with the same start. `lasting` gives, by index of the
  /// thread and activity, for how long the thread's last run is known to have gone on since its
  /// last sample. Costs one step for each thread and each new run and stack.
  package mutating func takeGrowth(lasting: (Int, Activity) -> Weight) -> ProfileGrowth {
    var growth = ProfileGrowth()
    for (index, weight) in taken.credits.sorted(by: { $0.key < $1.key }) {
      var run = runs[index]
      run.weight = weight
      growth.add(run, without: Weight(), stacks)
    }
    taken.credits = [:]
    for thread in openRuns.keys.sorted() {
      guard let run = openRuns[thread], lasting(thread, run.activity).wall > 0 else { continue }
      leaveManyWaits(thread)
    }
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
    placeUnplaced()
    runs.sortByStart()
    var profile = Profile(
      capture: capture, modules: modules, threads: threads, stacks: stacks)
    // Moved, not shared: the runs of an hour may take most of the memory.
    swap(&profile.runs, &runs)
    profile.renumberStacks()
    return profile
  }
}

extension Run {
  /// Whether a sample in the same stack, of a new sleep or not, is of the same run.
  fileprivate func goesOn(inNewSleep isNew: Bool) -> Bool {
    guard activity.isWaitPerSleep else { return true }
    return isNew ? weight.samples < 2 || hasManyWaits : !hasManyWaits
  }
}

/// The runs of a thread with one activity.
private struct RunKey: Hashable {
  let thread: Int
  let activity: Activity
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
  /// By number of the run: what was added to it since.
  var credits: [Int: Weight] = [:]

  func isNew(_ thread: ThreadInfo, at index: Int) -> Bool {
    guard index < threads.count else { return true }
    return threads[index] != Thread(name: thread.name, hasEnded: thread.hasEnded)
  }
}
