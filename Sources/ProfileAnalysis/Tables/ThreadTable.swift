package import ProfileModel

/// What each thread did with its time; idle threads that are alike share a row.
package struct ThreadTable: Sendable {
  package struct Row: Sendable {
    /// Indexes into `profile.threads`; several for idle threads that are alike.
    package let threads: [Int]
    /// The name, after that of the process where there are several; a `*` stands for digits in
    /// which the names of merged threads differ.
    package let name: String
    /// Whether it is the main thread of its process.
    package let isMain: Bool
    /// Whether its threads ended during the capture.
    package let hasEnded: Bool
    /// CPU time during the capture, in nanoseconds, all threads of the row together.
    package let cpu: Int64
    /// Nil for threads that were sampled only once.
    package let shares: TimeShares?
    /// What took most of the wall time; nil for a thread without runs.
    package let activity: Activity?
    /// Nil for a thread without runs.
    package let heaviest: HeaviestStack?
  }

  /// Process by process (`ProcessTable`), in each the main thread first, then by CPU time, then by
  /// tid; merged idle threads come last.
  package let rows: [Row]

  /// The table of some threads of a profile, given by indexes into `profile.threads`.
  package init(_ profile: Profile, threads: [Int]? = nil) {
    self.init(ProfileIndex(profile), threads: threads ?? Array(profile.threads.indices))
  }

  /// The table of some threads of an indexed profile, given by indexes into `profile.threads`.
  package init(_ index: ProfileIndex, threads: [Int]) {
    var groups: [[Candidate]] = []
    var groupOfIdle: [Likeness: Int] = [:]
    for candidate in threads.map({ Candidate(index, thread: $0) }) {
      guard let likeness = candidate.likeness else {
        groups.append([candidate])
        continue
      }
      if let group = groupOfIdle[likeness] {
        groups[group].append(candidate)
      } else {
        groupOfIdle[likeness] = groups.count
        groups.append([candidate])
      }
    }
    let ranks = ProcessTable(index.profile).ranks
    rows = groups.map { Row($0, index.profile) }.sorted { left, right in
      let ranks = (left.rank(in: ranks, index.profile), right.rank(in: ranks, index.profile))
      return ranks.0 != ranks.1
        ? ranks.0 < ranks.1 : left.key(index.profile) < right.key(index.profile)
    }
  }
}

/// What idle threads must have in common to share a row.
private struct Likeness: Hashable {
  let process: OwningProcess?
  let namePattern: String
  let stack: StackID
  let end: StackEnd
  let activity: Activity
  let hasEnded: Bool
}

private struct Candidate {
  let thread: Int
  let info: ThreadInfo
  let activities: Tally<Activity>
  let heaviest: HeaviestStack?
  let shares: TimeShares?

  init(_ index: ProfileIndex, thread: Int) {
    self.thread = thread
    info = index.profile.threads[thread]
    var activities = Tally<Activity>()
    for run in index.runs(of: thread) { activities.add(run.weight, to: run.activity) }
    self.activities = activities
    heaviest = HeaviestStack(index, thread: thread)
    shares = TimeShares(
      cpu: info.cpu, delay: info.delay, span: info.lastSeen &- info.firstSeen,
      weights: activities.entries.lazy.map { ($0.key, $0.weight) })
  }

  /// Nil for a thread that keeps a row of its own: the main one, and any whose CPU time shows as
  /// 0.1 % or more (as a millisecond, for one sample).
  var likeness: Likeness? {
    let isIdle = shares.map { $0.running < 0.05 } ?? (info.cpu < 500_000)
    guard !info.isMain, isIdle, let heaviest else { return nil }
    switch heaviest.activity {
    case .running, .waitingForCPU: return nil
    case .blocked, .uninterruptible, .stopped, .unknown: break
    }
    return Likeness(
      process: info.process, namePattern: info.namePattern, stack: heaviest.stack,
      end: heaviest.end,
      activity: heaviest.activity, hasEnded: info.hasEnded)
  }
}

extension ThreadTable.Row {
  fileprivate init(_ group: [Candidate], _ profile: Profile) {
    let first = group[0]
    threads = group.map(\.thread)
    let isSame = group.allSatisfy { $0.info.name == first.info.name }
    let ownName = isSame ? first.info.name : first.info.namePattern
    name = first.info.process.map { "\($0.title)/\(ownName)" } ?? ownName
    isMain = first.info.isMain
    hasEnded = first.info.hasEnded
    cpu = group.reduce(0) { $0 &+ $1.info.cpu }
    shares =
      group.count == 1
      ? first.shares
      : TimeShares(
        cpu: cpu, delay: group.reduce(0) { $0 &+ $1.info.delay },
        span: group.reduce(0) { $0 &+ ($1.info.lastSeen &- $1.info.firstSeen) },
        weights: group.lazy.flatMap { $0.activities.entries.lazy.map { ($0.key, $0.weight) } })
    activity = first.activities.mostly(by: first.shares)
    heaviest = first.heaviest
  }

  fileprivate func rank(in ranks: [OwningProcess: Int], _ profile: Profile) -> Int {
    profile.threads[threads[0]].process.flatMap { ranks[$0] } ?? 0
  }

  /// Sorts the rows: main first, merged ones last.
  fileprivate func key(_ profile: Profile) -> (Int, Int, Int64, Int32) {
    (isMain ? 0 : 1, threads.count > 1 ? 1 : 0, 0 &- cpu, profile.threads[threads[0]].tid)
  }
}
