package import ProfileModel

/// What the waits of a profile's runs are for, and in which of them threads rest.
package struct RunWaits {
  package struct Finding: Hashable, Sendable {
    /// As the stack shows it.
    package let kind: WaitKind
    /// Whether the thread has nothing to do, as in an event loop or a pool of workers.
    package let isAtRest: Bool
  }

  private struct Key: Hashable {
    let stack: StackID
    let activity: Activity
    let isMain: Bool
  }

  private let index: ProfileIndex
  private var moments: LoopMoments
  private var known: [Key: Finding] = [:]
  /// By thread, the functions of the stack in which it rests as a whole; nil for one that does not.
  private let rests: [Int?]
  private let ownersSleeps: OwnersSleeps

  /// Of the diagnosed profile.
  package init(_ diagnosis: Diagnosis) {
    let paths = diagnosis.index.stacks.functionPaths
    self.init(
      diagnosis.index, OwnersSleeps(diagnosis.index),
      rests: diagnosis.situations.map { situation in
        guard let situation, situation.idleness != nil else { return nil }
        return paths.path(of: situation.stack)
      })
  }

  private init(_ index: ProfileIndex, _ ownersSleeps: OwnersSleeps, rests: [Int?]) {
    (self.index, self.ownersSleeps, self.rests) = (index, ownersSleeps, rests)
    moments = LoopMoments(index)
  }

  /// Of another profile of the same program, whose threads rest in the same functions.
  package init(_ index: ProfileIndex, like diagnosis: Diagnosis) {
    let known = diagnosis.index
    var restingPlaces: [Int32: [String]] = [:]
    for case let situation? in diagnosis.situations where situation.idleness != nil {
      restingPlaces[known.profile.threads[situation.thread].tid] =
        known.functionNames(of: situation.stack)
    }
    var paths: [[String]: Int] = [:]
    self.init(
      index, OwnersSleeps(index, like: OwnersSleeps(known), of: known),
      rests: index.profile.threads.enumerated().map { thread, info in
        guard let place = restingPlaces[info.tid] else { return nil }
        if let path = paths[place] { return path }
        let stack = index.runs(of: thread).lazy.map(\.stack)
          .first { index.functionNames(of: $0) == place }
        let path = stack.map { index.stacks.functionPaths.path(of: $0) }
        paths[place] = path
        return path
      })
  }

  /// What a run of the profile waits for, with all its frames; nil for one that does not wait.
  package mutating func finding(of run: Run) -> Finding? {
    guard run.activity.isWait, rests.indices.contains(run.thread) else { return nil }
    let isMain = index.profile.threads[run.thread].isMain
    let key = Key(stack: run.stack, activity: run.activity, isMain: isMain)
    let finding = known[key] ?? find(run, isMain: isMain)
    known[key] = finding
    guard let finding, !finding.isAtRest, let rest = rests[run.thread] else { return finding }
    // One of several alike workers is known to rest by the others.
    let path = index.stacks.functionPaths.path(of: run.stack)
    return Finding(kind: finding.kind, isAtRest: path == rest && !ownersSleeps.contains(path))
  }

  private mutating func find(_ run: Run, isMain: Bool) -> Finding? {
    guard let wait = moments.wait(of: run) else { return nil }
    let idleness = moments.idleness(of: run, isMain: isMain)
    let isOwners = ownersSleeps.contains(index.stacks.functionPaths.path(of: run.stack))
    return Finding(
      kind: wait.kind, isAtRest: idleness.map { $0.isForWork || !isOwners } ?? false)
  }
}

extension ProfileIndex {
  /// Innermost first.
  func functionNames(of stack: StackID) -> [String] {
    sourceFrames(of: stack).map { stacks.functions[stacks.function(ofFrame: $0)].name }
  }
}
