internal import ProfileModel

/// The threads of a program by what a reader tells apart: those of alike processes whose names differ
/// in digits alone, at rest or not, told in the verdict or not.
package struct ThreadGroups: Sendable {
  package struct Group: Sendable {
    /// Indexes into `profile.threads`, by CPU time.
    package let threads: [Int]
    /// As in `ThreadTable`: after that of the process, with a `*` where the names differ.
    package let name: String
    package let isMain: Bool
    package let hasEnded: Bool
    /// CPU time during the capture, in nanoseconds, all threads together.
    package let cpu: Int64
    /// Nil for threads that were sampled only once.
    package let shares: TimeShares?
    /// What the first thread did most of the time; nil for one without runs.
    package let heaviest: HeaviestStack?
    /// Where threads at rest rest; nil for a group that is not at rest.
    package let idleness: Idleness?
  }

  /// In the order of the processes, in each the main thread first, then by CPU time.
  package let active: [Group]
  /// Those that do not matter to a reader: each thread is idle, and all together used next to no CPU time.
  package let resting: [Group]

  /// The groups of some threads, given by indexes into `profile.threads`.
  ///
  /// `index` has the stacks that are shown; of `busy` threads none is at rest.
  package init(
    _ diagnosis: Diagnosis, _ index: ProfileIndex, threads: [Int], busy: [Int] = []
  ) {
    let profile = index.profile
    let alike = Self.alike(threads, of: profile, diagnosis, busy: busy)
    let ranks = ProcessTable(profile).ranks
    let groups = alike.flatMap { (threads, idleness) in
      guard idleness == nil, let most = Self.standsOut(of: threads, profile) else {
        return [Group(index, threads: threads, idleness: idleness)]
      }
      return [[most], threads.filter { $0 != most }].map {
        Group(index, threads: $0, idleness: nil)
      }
    }
    let sorted = groups.sorted { left, right in
      left.key(in: ranks, profile) < right.key(in: ranks, profile)
    }
    // Many that each use next to nothing may use much together.
    let isResting = { (group: Group) in
      group.idleness != nil && group.cpu <= profile.capture.duration / 20
    }
    active = sorted.filter { !isResting($0) }
    resting = sorted.filter(isResting)
  }

  /// What alike threads have in common.
  private struct Likeness: Hashable {
    let process: String?
    let name: String
    let isMain: Bool
    let hasEnded: Bool
    let idleness: Idleness?
    /// Who holds a lock does not do what those do that wait for it.
    let isOfVerdict: Bool
  }

  /// The threads by what they have in common, in the order in which these first come, with where they rest.
  private static func alike(
    _ threads: [Int], of profile: Profile, _ diagnosis: Diagnosis, busy: [Int]
  ) -> [(threads: [Int], idleness: Idleness?)] {
    let ofVerdict = Set(diagnosis.verdictThreads)
    let named = ofVerdict.union(busy)
    var kinds: [Likeness] = []
    var members: [Likeness: [Int]] = [:]
    for thread in threads {
      let info = profile.threads[thread]
      let situation = diagnosis.situations[thread]
      let isResting =
        !named.contains(thread) && situation?.usesCPU == false && !info.hasEnded
      let likeness = Likeness(
        process: info.process?.name, name: info.namePattern, isMain: info.isMain,
        hasEnded: info.hasEnded, idleness: isResting ? situation?.idleness : nil,
        isOfVerdict: ofVerdict.contains(thread))
      if members[likeness] == nil { kinds.append(likeness) }
      members[likeness, default: []].append(thread)
    }
    return kinds.map { (members[$0] ?? [], $0.idleness) }
  }

  /// Of alike threads the one that used more CPU time than all the others together; nil for none.
  private static func standsOut(of threads: [Int], _ profile: Profile) -> Int? {
    guard threads.count > 2,
      let most = threads.max(by: { profile.threads[$0].cpu < profile.threads[$1].cpu })
    else { return nil }
    let cpu = threads.reduce(Int64(0)) { $0 &+ profile.threads[$1].cpu }
    return profile.threads[most].cpu > cpu / 2 && cpu > profile.capture.duration / 100 ? most : nil
  }
}

extension ThreadGroups.Group {
  fileprivate init(_ index: ProfileIndex, threads: [Int], idleness: Idleness?) {
    let profile = index.profile
    let sorted = threads.sorted { left, right in
      (0 &- profile.threads[left].cpu, left) < (0 &- profile.threads[right].cpu, right)
    }
    let infos = sorted.map { profile.threads[$0] }
    let isSame = infos.allSatisfy { $0.name == infos[0].name }
    let ownName = isSame ? infos[0].name : infos[0].namePattern
    self.threads = sorted
    self.idleness = idleness
    let process = infos[0].process
    let isOneProcess = infos.allSatisfy { $0.process == process }
    name = process.map { (isOneProcess ? $0.title : $0.name) + "/" + ownName } ?? ownName
    isMain = infos[0].isMain
    hasEnded = infos[0].hasEnded
    cpu = infos.reduce(0) { $0 &+ $1.cpu }
    var activities = Tally<Activity>()
    for thread in sorted {
      for run in index.runs(of: thread) { activities.add(run.weight, to: run.activity) }
    }
    shares = TimeShares(
      cpu: cpu, delay: infos.reduce(0) { $0 &+ $1.delay },
      span: infos.reduce(0) { $0 &+ ($1.lastSeen &- $1.firstSeen) },
      weights: activities.entries.lazy.map { ($0.key, $0.weight) })
    heaviest = HeaviestStack(index, thread: sorted[0])
  }

  /// Sorts the groups: process by process, main first, then by CPU time.
  fileprivate func key(
    in ranks: [OwningProcess: Int], _ profile: Profile
  ) -> (Int, Int, Int64, Int) {
    let rank = profile.threads[threads[0]].process.flatMap { ranks[$0] } ?? 0
    return (rank, isMain ? 0 : 1, 0 &- cpu, threads[0])
  }
}

extension Diagnosis {
  /// The threads that the verdict is about, as indexes into `profile.threads`: of a chain in its order, then
  /// those of a thread that hangs meanwhile.
  package var verdictThreads: [Int] {
    var threads = verdict.chain.compactMap { graph.nodes[$0].thread }
    if let thread = verdict.thread, !threads.contains(thread) { threads.insert(thread, at: 0) }
    return threads + hangingThreads.filter { !threads.contains($0) }
  }

  /// A thread that hangs while the verdict is about others, and those that hold it up, in their order.
  package var hangingThreads: [Int] {
    guard let hanging = verdict.hanging else { return [] }
    let chain = hanging.chain.compactMap { graph.nodes[$0].thread }
    return chain.first == hanging.thread ? chain : [hanging.thread] + chain
  }
}
