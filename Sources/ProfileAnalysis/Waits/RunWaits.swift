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

  private let diagnosis: Diagnosis
  private var moments: LoopMoments
  private var known: [Key: Finding] = [:]
  /// By thread, the functions of the stack in which it rests as a whole; nil for one that does not.
  private let rests: [Int?]

  package init(_ diagnosis: Diagnosis) {
    self.diagnosis = diagnosis
    moments = LoopMoments(diagnosis.index)
    let paths = diagnosis.index.stacks.functionPaths
    rests = diagnosis.situations.map { situation in
      guard let situation, situation.idleness != nil else { return nil }
      return paths.path(of: situation.stack)
    }
  }

  /// What a run of the diagnosed profile waits for, with all its frames; nil for one that does not wait.
  package mutating func finding(of run: Run) -> Finding? {
    guard run.activity.isWait, rests.indices.contains(run.thread) else { return nil }
    let isMain = diagnosis.index.profile.threads[run.thread].isMain
    let key = Key(stack: run.stack, activity: run.activity, isMain: isMain)
    let finding = known[key] ?? find(run, isMain: isMain)
    known[key] = finding
    guard let finding, !finding.isAtRest, let rest = rests[run.thread] else { return finding }
    // One of several alike workers is known to rest by the others.
    let path = diagnosis.index.stacks.functionPaths.path(of: run.stack)
    return Finding(kind: finding.kind, isAtRest: path == rest)
  }

  private mutating func find(_ run: Run, isMain: Bool) -> Finding? {
    guard let wait = moments.wait(of: run) else { return nil }
    return Finding(
      kind: wait.kind, isAtRest: moments.idleness(of: run, isMain: isMain) != nil)
  }
}
