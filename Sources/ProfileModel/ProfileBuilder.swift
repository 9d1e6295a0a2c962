/// Puts looks at threads together to runs, as they come.
///
/// A look that finds the same stack and activity as the one before lengthens that thread's run, so
/// memory grows with what happened and not with time.
package struct ProfileBuilder: Sendable {
  package var stacks = StackTable()
  package private(set) var threads: [ThreadInfo] = []
  private var runs: [Run] = []
  private var openRuns: [Int: Run] = [:]

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

  /// Adds a look.
  ///
  /// - Parameters:
  ///   - thread: index of the thread.
  ///   - stack: what was found.
  ///   - end: how the stack ended.
  ///   - activity: what the thread did.
  ///   - time: nanoseconds from the start of the capture to the look.
  ///   - weight: what the look stands for: the time since the last one.
  package mutating func look(
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

  /// Lengthens the thread's last run, in which it has not run since; without one it does nothing.
  package mutating func extend(thread: Int, by weight: Weight) {
    openRuns[thread]?.weight += weight
  }

  /// Closes the thread's last run.
  package mutating func end(thread: Int) {
    if let run = openRuns.removeValue(forKey: thread) { runs.append(run) }
  }

  /// All that was added, with the threads' open runs closed.
  package consuming func finish(capture: CaptureInfo, modules: [Module]) -> Profile {
    runs.append(contentsOf: openRuns.values)
    runs.sort { ($0.start, $0.thread) < ($1.start, $1.thread) }
    return Profile(
      capture: capture, modules: modules, threads: threads, stacks: stacks, runs: runs)
  }
}
