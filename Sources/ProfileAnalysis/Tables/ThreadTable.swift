package import ProfileModel

/// What each thread did with its time; idle threads that are alike share a row.
package struct ThreadTable: Sendable {
  package struct Row: Sendable {
    /// Indexes into `profile.threads`; several for idle threads that are alike.
    package let threads: [Int]
    /// The name, behind that of the process where there are several; where the names of merged
    /// threads differ in digits, those are a `*`.
    package let name: String
    package let isMain: Bool
    package let hasEnded: Bool
    /// CPU time during the capture, in nanoseconds, all threads of the row together.
    package let cpu: Int64
    /// Nil for threads that were looked at only once.
    package let shares: TimeShares?
    /// What took most of the wall time; nil for a thread without runs.
    package let activity: Activity?
    /// Nil for a thread without runs.
    package let heaviest: HeaviestStack?
  }

  /// Process by process (`ProcessTable`), and in each the main thread first, then by CPU time, then by
  /// tid; idle threads that were merged come last.
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

/// The parts of a thread's time, in percent; together 100.
package struct TimeShares: Hashable, Sendable {
  package let running: Double
  /// Ready to run, without a CPU.
  package let waiting: Double
  package let blocked: Double
  package let stopped: Double
  /// Neither running nor waiting, and the kernel did not tell more.
  package let unknown: Double

  /// The shares of a span of time, from the kernel's counts; what these leave is divided as the
  /// looks at the thread (`weights`) saw it.
  ///
  /// Nil for an empty span. All in nanoseconds.
  package init?(cpu: Int64, delay: Int64, span: Int64, weights: some Sequence<(Activity, Weight)>) {
    guard span > 0 else { return nil }
    running = min(max(Double(cpu) / Double(span) * 100, 0), 100)
    waiting = min(max(Double(delay) / Double(span) * 100, 0), 100 - running)
    let rest = max(0, 100 - running - waiting)
    var (asleep, stopped, unknown) = (0.0, 0.0, 0.0)
    for (activity, weight) in weights {
      switch activity {
      case .running, .waitingForCPU: break
      case .blocked, .uninterruptible: asleep += Double(weight.wall)
      case .stopped: stopped += Double(weight.wall)
      case .unknown: unknown += Double(weight.wall)
      }
    }
    let seen = asleep + stopped + unknown
    self.stopped = seen > 0 ? rest * stopped / seen : 0
    self.unknown = seen > 0 ? rest * unknown / seen : 0
    // A thread that was only ever seen running slept between the samples.
    blocked = max(0, rest - self.stopped - self.unknown)
  }

  /// The shares of one thread, given by its index.
  package init?(_ index: ProfileIndex, thread: Int) {
    let info = index.profile.threads[thread]
    self.init(
      cpu: info.cpu, delay: info.delay, span: info.lastSeen &- info.firstSeen,
      weights: index.runs(of: thread).lazy.map { ($0.activity, $0.weight) })
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

  /// Nil for a thread that keeps a row of its own: the main one, and any that used CPU time that
  /// shows as 0.1 % or more (as a millisecond, where it was looked at only once).
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

extension ThreadInfo {
  /// The name with each number in it as a `*`: `worker-12` is `worker-*`.
  package var namePattern: String { name.numbersAsStars }
}

extension String {
  /// The text with each number in it as a `*`.
  package var numbersAsStars: String {
    var pattern = ""
    var inNumber = false
    for scalar in unicodeScalars {
      let isDigit = ("0"..."9").contains(scalar)
      if !isDigit { pattern.unicodeScalars.append(scalar) }
      if isDigit && !inNumber { pattern.append("*") }
      inNumber = isDigit
    }
    return pattern
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
    activity = first.activities.heaviest?.key
    heaviest = first.heaviest
  }

  fileprivate func rank(in ranks: [OwningProcess: Int], _ profile: Profile) -> Int {
    profile.threads[threads[0]].process.flatMap { ranks[$0] } ?? 0
  }

  /// Sorts the rows: false stands before true.
  fileprivate func key(_ profile: Profile) -> (Int, Int, Int64, Int32) {
    (isMain ? 0 : 1, threads.count > 1 ? 1 : 0, 0 &- cpu, profile.threads[threads[0]].tid)
  }
}
