package import ProfileModel

/// A profile with what all its tables need: the stacks by source, and the runs by thread.
///
/// Make it once for a report: it costs one pass over the stacks and one over the runs.
package struct ProfileIndex: Sendable {
  package let profile: Profile
  package let stacks: SourceStacks
  /// Indexes of the runs, thread after thread, in the order of time.
  private let runOrder: [UInt32]
  /// Where each thread's runs begin in `runOrder`, and at the end its count.
  private let runStarts: [Int]
  /// Time that is left out; nil where all of it counts.
  private var resting: RestingRuns?

  /// Indexes `profile`; runs of a thread that the profile does not have are left out.
  package init(_ profile: Profile) {
    self.profile = profile
    stacks = SourceStacks(profile)
    let threads = profile.threads.indices
    var starts = Array(repeating: 0, count: threads.count + 1)
    for run in profile.runs where threads.contains(run.thread) { starts[run.thread + 1] += 1 }
    for thread in threads { starts[thread + 1] += starts[thread] }
    var next = starts
    var order = Array(repeating: UInt32(0), count: starts[threads.count])
    for (index, run) in profile.runs.enumerated() where threads.contains(run.thread) {
      order[next[run.thread]] = UInt32(clamping: index)
      next[run.thread] += 1
    }
    runOrder = order
    runStarts = starts
  }

  /// The runs of a thread, given by its index in `profile.threads`.
  package func runs(of thread: Int) -> some Sequence<Run> {
    runOrder[runStarts[thread]..<runStarts[thread + 1]].lazy.map { run(at: Int($0)) }
  }

  private func run(at index: Int) -> Run {
    var run = profile.runs[index]
    if let resting, resting.contains(index) { run.weight = run.weight.withoutRest }
    return run
  }

  /// The same, in which a thread at rest counts for no more than what it used of a CPU, or waited for one.
  ///
  /// `resting` may be of the same profile with other stacks.
  package func leavingOut(_ resting: RestingRuns) -> ProfileIndex {
    var index = self
    index.resting = resting
    return index
  }

  /// How many runs a thread has.
  func runCount(of thread: Int) -> Int { runStarts[thread + 1] - runStarts[thread] }

  /// One of a thread's runs, by its place in the order of time.
  func run(_ position: Int, of thread: Int) -> Run {
    run(at: Int(runOrder[runStarts[thread] + position]))
  }

  /// The last run of a thread; nil for a thread without any.
  package func lastRun(of thread: Int) -> Run? {
    guard runStarts[thread] < runStarts[thread + 1] else { return nil }
    return run(at: Int(runOrder[Int(runStarts[thread + 1]) - 1]))
  }

  /// The sum of a thread's runs.
  package func weight(of thread: Int) -> Weight {
    runs(of: thread).reduce(into: Weight()) { $0 += $1.weight }
  }

  /// Indexes of the threads that `filter` chooses; of all without one.
  package func threads(matching filter: ThreadFilter?) -> [Int] {
    profile.threads.indices.filter { filter?.matches(profile.threads[$0]) ?? true }
  }

  /// The frames of a stack as the source knows them, innermost first.
  package func frames(of stack: StackID) -> [SourceFrame] {
    sourceFrames(of: stack).map { stacks.frames[$0] }
  }

  /// The same without the native frames, where it has interpreted ones and those are not to be shown.
  package func frames(of stack: StackID, withNative showsNative: Bool) -> [SourceFrame] {
    let frames = frames(of: stack)
    guard !showsNative, frames.contains(where: \.isInterpreted) else { return frames }
    return frames.filter { $0.address == nil }
  }

  /// Indexes into `SourceStacks.frames` of the frames of a stack, innermost first; none for a
  /// stack that the profile does not have.
  package func sourceFrames(of stack: StackID) -> [Int] {
    guard Int(stack.rawValue) < profile.stacks.stackCount else { return [] }
    return profile.stacks.frames(of: stack).flatMap { stacks.sourceFrames(of: $0) }
  }
}

extension Weight {
  /// Of a run at rest: what a thread does on a CPU is never rest.
  fileprivate var withoutRest: Weight {
    Weight(cpu: cpu, wall: min(wall, cpu &+ delay), delay: delay)
  }
}

extension Profile {
  /// The module's place in `modules`, nil for code in no file.
  package func position(of module: ModuleID) -> Int? {
    let position = Int(module.rawValue)
    return modules.indices.contains(position) ? position : nil
  }
}
