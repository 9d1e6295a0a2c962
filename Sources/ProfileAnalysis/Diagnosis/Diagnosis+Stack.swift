internal import ProfileModel

extension Diagnosis {
  /// The stack that shows what the verdict says of its thread's CPU time: the heaviest through the functions
  /// that the verdict names, or as many of them as there is a stack through.
  ///
  /// Of an index of the same profile, which may be without native frames; nil for a thread that had none.
  package func cpuStack(
    of thread: Int, in index: ProfileIndex, sortedBy unit: WeightUnit
  ) -> DistinctStacks.Entry? {
    let entries = DistinctStacks(index, threads: [thread], sortedBy: unit).entries.filter {
      $0.activity.isRunnable
    }
    guard thread == verdict.thread else { return entries.first }
    let named = [verdict.place, verdict.within, verdict.overdue].compactMap { $0?.withoutLine }
    // Both the busiest function and what calls it; else the busiest one.
    return entries.first { index.has(named, in: $0.stack) }
      ?? entries.first { index.has(Array(named.prefix(1)), in: $0.stack) } ?? entries.first
  }

  /// The stack that shows the wait which took most of the verdict's thread's time: the heaviest of those that
  /// the verdict's function asked for.
  package func waitStack(of thread: Int, in index: ProfileIndex) -> DistinctStacks.Entry? {
    let entries = DistinctStacks(index, threads: [thread], sortedBy: .wall).entries.filter {
      $0.activity.isWait
    }
    guard thread == verdict.thread else { return entries.first }
    let named = [verdict.waitPlace].compactMap { $0?.withoutLine }
    return entries.first { index.has(named, in: $0.stack) } ?? entries.first
  }
}

extension ProfileIndex {
  /// Whether a stack goes through all of these functions.
  fileprivate func has(_ functions: [SourceFrame], in stack: StackID) -> Bool {
    let frames = Set(frames(of: stack).map(\.withoutLine))
    return functions.allSatisfy(frames.contains)
  }
}
