internal import ProfileAnalysis
internal import ProfileModel

/// Threads that a dump shows together: one, idle ones that are alike, or more than four others that
/// sleep in the same stack.
struct DumpGroup {
  /// The fewest threads that are shown together when they are not known to be idle.
  private static let mergeLimit = 5

  let threads: [Int]
  let likeness: Likeness

  /// What a thread was found doing; equal for threads that may be shown together.
  struct Likeness: Hashable {
    /// In a brief dump nil: alike processes are shown together.
    let process: OwningProcess?
    let processName: String?
    let stack: StackID
    let end: StackEnd
    let activity: Activity
    let idleness: Idleness?
    let namePattern: String
    let hasEnded: Bool
    /// The kernel's letter, where the sample itself does not say what the thread does.
    let letter: Character?

    /// What the thread does, in words.
    var state: String {
      if hasEnded { return "ended while sampled" }
      guard end == .truncated(.kernelWorker) else { return activity.state(letter: letter) }
      return "kernel worker, " + (activity == .running ? "running" : "blocked")
    }
  }

  /// The groups of some threads, the most interesting first; threads with tasks stay alone.
  ///
  /// `index` has the stacks as they are shown. In a brief report any threads in the same stack are
  /// together, also those of processes of one name.
  static func groups(
    _ diagnosis: Diagnosis, _ index: ProfileIndex, threads: [Int], tasks: DumpTasks, isBrief: Bool
  ) -> [DumpGroup] {
    let profile = diagnosis.index.profile
    var place: [Int: Int] = [:]
    for (position, thread) in diagnosis.verdictThreads.enumerated() { place[thread] = position }
    var kinds: [Likeness] = []
    var members: [Likeness: [Int]] = [:]
    for thread in threads {
      let likeness = Likeness(diagnosis, index, thread: thread, isBrief: isBrief)
      if members[likeness] == nil { kinds.append(likeness) }
      members[likeness, default: []].append(thread)
    }
    let groups = kinds.flatMap { likeness in
      let alike = members[likeness] ?? []
      let quiet = alike.filter { thread in
        (isBrief || likeness.isQuiet) && place[thread] == nil
          && !(isBrief ? profile.isMainThread(thread) : profile.threads[thread].isMain)
          && !tasks.hasTasks(thread: thread)
      }
      let isMerged = quiet.count >= (likeness.idleness == nil && !isBrief ? mergeLimit : 2)
      let apart = isMerged ? alike.filter { !quiet.contains($0) } : alike
      return apart.map { DumpGroup(threads: [$0], likeness: likeness) }
        + (isMerged ? [DumpGroup(threads: quiet, likeness: likeness)] : [])
    }
    let ranks = ProcessTable(profile).ranks
    let machine = JavaMachine(diagnosis.index)
    return groups.sorted { left, right in
      let rank = [left, right].map { group in
        group.isNamed(place)
          ? -1 : profile.threads[group.threads[0]].process.flatMap { ranks[$0] } ?? 0
      }
      guard rank[0] == rank[1] else { return rank[0] < rank[1] }
      return left.key(diagnosis, place, machine, isBrief)
        < right.key(diagnosis, place, machine, isBrief)
    }
  }

  /// Whether it is a thread that the verdict is about.
  private func isNamed(_ place: [Int: Int]) -> Bool {
    threads.count == 1 && place[threads[0]] != nil
  }

  /// The order of groups: the verdict's threads, main, then running, waiting and idle ones; merged
  /// ones after others.
  ///
  /// In a brief report a main thread that only waits for others to end is one of these. Threads of a runtime's
  /// own come after those that run the program's functions.
  private func key(
    _ diagnosis: Diagnosis, _ place: [Int: Int], _ machine: JavaMachine, _ isBrief: Bool
  ) -> (Int, Int, Int, Int64, Int32) {
    let info = diagnosis.index.profile.threads[threads[0]]
    let interest =
      switch likeness.activity {
      case .running: 0
      case .waitingForCPU: 1
      case .uninterruptible: 2
      case .blocked: likeness.idleness != nil ? 7 : machine.owns(threads[0]) ? 4 : 3
      case .stopped: 5
      case .unknown: 6
      }
    let rank: (Int, Int)
    if let position = place[threads[0]], threads.count == 1 {
      rank = (0, position)
    } else {
      let isJoining = isBrief && diagnosis.situations[threads[0]]?.wait?.kind == .join
      rank = (info.isMain && !isJoining ? 1 : 2, interest)
    }
    return (rank.0, rank.1, threads.count > 1 ? 1 : 0, 0 &- info.cpuSinceStart, info.tid)
  }
}

/// Which threads of a program in Java run none of its functions: the Java machine's own, and the one that has
/// started it.
private struct JavaMachine {
  private let index: ProfileIndex
  /// The threads that run Java, and their processes.
  private var threads: Set<Int> = []
  private var processes: Set<OwningProcess?> = []

  init(_ index: ProfileIndex) {
    self.index = index
    guard index.stacks.frames.contains(where: { $0.line.language == .java }) else { return }
    for (thread, info) in index.profile.threads.enumerated() {
      guard let run = index.lastRun(of: thread),
        index.frames(of: run.stack).contains(where: { $0.line.language == .java })
      else { continue }
      threads.insert(thread)
      processes.insert(info.process)
    }
  }

  func owns(_ thread: Int) -> Bool {
    !threads.contains(thread) && processes.contains(index.profile.threads[thread].process)
  }
}

extension DumpGroup.Likeness {
  init(_ diagnosis: Diagnosis, _ index: ProfileIndex, thread: Int, isBrief: Bool) {
    let info = index.profile.threads[thread]
    process = isBrief ? nil : info.process
    processName = info.process?.name
    let heaviest = HeaviestStack(index, thread: thread)
    stack = heaviest?.stack ?? .empty
    end = heaviest?.end ?? .truncated(.noStack)
    activity = heaviest?.activity ?? .unknown
    idleness = diagnosis.situations[thread]?.idleness
    namePattern = info.namePattern
    hasEnded = info.hasEnded
    letter = activity.needsLetter ? info.state : nil
  }

  /// Whether several of these may be shown together: none of them runs.
  var isQuiet: Bool {
    switch activity {
    case .blocked, .uninterruptible, .stopped, .unknown: true
    case .running, .waitingForCPU: false
    }
  }
}

extension Activity {
  /// Whether the kernel's state letter says more than the sample.
  fileprivate var needsLetter: Bool {
    switch self {
    case .stopped, .unknown: true
    case .running, .waitingForCPU, .blocked, .uninterruptible: false
    }
  }
}
