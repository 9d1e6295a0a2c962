package import ProfileModel

/// Keeps of a profile what the user asked for; every view and export works on the profile that is
/// left.
package struct ProfileFilter {
  /// What a thread did, as one word for the user.
  package enum State: String, CaseIterable, Sendable {
    case running, waiting, blocked, uninterruptible, stopped, unknown

    /// Whether `activity` is meant; an uninterruptible sleep is a blocked one, too.
    func matches(_ activity: Activity) -> Bool {
      switch activity {
      case .running: self == .running
      case .waitingForCPU: self == .waiting
      case .blocked: self == .blocked
      case .uninterruptible: self == .blocked || self == .uninterruptible
      case .stopped: self == .stopped
      case .unknown: self == .unknown
      }
    }
  }

  /// Nil for all threads.
  package var thread: ThreadFilter?
  /// Empty for all.
  package var states: Set<State> = []
  /// Nanoseconds from the start of the capture; nil for its beginning and its end.
  package var from: Int64?
  package var to: Int64?
  /// Keeps the stacks with a function that matches `focus`, without those that have one to ignore.
  package var focus: FunctionPattern?
  package var ignore: FunctionPattern?
  /// Keeps the stacks through a module of that name or path; nil for all.
  ///
  /// A function with a source file and no module, as in Python, has the file for its module.
  package var module: Glob?

  package init() {}

  /// Whether the filter leaves everything as it is.
  package var isEmpty: Bool { thread == nil && !choosesRuns }

  private var choosesStacks: Bool { focus != nil || ignore != nil || module != nil }
  private var choosesTime: Bool { from != nil || to != nil }
  private var choosesRuns: Bool { !states.isEmpty || choosesTime || choosesStacks }

  /// What is left of `profile`: without the threads and runs that were not chosen, with all stacks.
  ///
  /// Runs are cut in proportion at the ends of the time window. The CPU time and the states of a
  /// thread are then those of the runs that are left, and a thread without any is left out. Costs
  /// one match for each distinct function, and one step for each stack and run.
  package func apply(to profile: Profile) -> Profile {
    guard !isEmpty else { return profile }
    var filtered = profile
    let isShown = choosesStacks ? StackChoice(self, profile).isChosen : nil
    var kept = profile.threads.map { thread?.matches($0) ?? true }
    var totals = Array(repeating: Weight(), count: profile.threads.count)
    var hasRuns = Array(repeating: !choosesRuns, count: profile.threads.count)
    var all = Weight()
    filtered.runs = []
    for run in profile.runs {
      guard kept.indices.contains(run.thread) else { continue }
      all += run.weight
      guard kept[run.thread],
        states.isEmpty || states.contains(where: { $0.matches(run.activity) }),
        isShown.map({ run.stack.rawValue < $0.count && $0[Int(run.stack.rawValue)] }) ?? true,
        let part = run.part(from: from ?? .min, to: to ?? .max)
      else { continue }
      totals[run.thread] += part.weight
      hasRuns[run.thread] = true
      filtered.runs.append(part)
    }
    for thread in kept.indices where !hasRuns[thread] { kept[thread] = false }
    if choosesRuns { restrict(&filtered, to: totals) }
    let left = totals.reduce(into: Weight()) { $0 += $1 }
    filtered.keepThreads(kept)
    if choosesTime {
      let all = Array(filtered.threads.indices)
      filtered.waitHistory = filtered.waitHistory.moved(
        to: all, from: from ?? .min, until: to ?? .max)
      filtered.capture.freezes = filtered.capture.freezes.compactMap {
        $0.part(from: from ?? .min, to: to ?? .max)
      }
    }
    filtered.keepBlockings(from: from ?? .min, to: to ?? .max)
    if choosesRuns { filtered.capture.notes.append(.plain(note(left: left, of: all))) }
    return filtered
  }

  /// Sets the threads' own counts to those of the runs that are left.
  private func restrict(_ profile: inout Profile, to totals: [Weight]) {
    let choosesOnlyTime = states.isEmpty && !choosesStacks
    for (thread, total) in totals.enumerated() {
      profile.threads[thread].cpu = total.cpu
      profile.threads[thread].delay = total.delay
      let info = profile.threads[thread]
      let first = max(info.firstSeen, from ?? .min)
      profile.threads[thread].firstSeen = first
      profile.threads[thread].lastSeen =
        choosesOnlyTime
        ? max(first, min(info.lastSeen, to ?? .max)) : first &+ max(0, total.wall)
    }
    guard choosesTime else { return }
    // When it was used is not known.
    profile.capture.unsampled.cpu = 0
    let whole = profile.capture.cost.wholeDuration ?? profile.capture.duration
    profile.capture.cost.wholeDuration = whole
    let end = min(to ?? .max, max(profile.capture.duration, 0))
    profile.capture.duration = max(0, end - max(0, from ?? 0))
  }

  private func note(left: Weight, of all: Weight) -> String {
    var parts: [String] = []
    if let thread { parts.append("thread \(thread.glob)") }
    if !states.isEmpty {
      let words = State.allCases.filter { states.contains($0) }.map(\.rawValue)
      parts.append("state \(words.joined(separator: ", "))")
    }
    if let from { parts.append("from \(Self.seconds(from))") }
    if let to { parts.append("to \(Self.seconds(to))") }
    if let focus { parts.append("focus \(focus.text)") }
    if let ignore { parts.append("ignore \(ignore.text)") }
    if let module { parts.append("module \(module.text)") }
    let share = all.wall > 0 ? Double(left.wall) / Double(all.wall) : 0
    let tenths = Int64((min(max(share, 0), 1) * 1000).rounded())
    return "filtered (\(parts.joined(separator: "; "))): \(tenths / 10).\(tenths % 10) % of the "
      + "threads' wall time; ticks, stops and cost are those of the whole capture."
  }

  private static func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = String(abs(nanoseconds / 1_000_000) % 1000)
    let padding = String(repeating: "0", count: 3 - milliseconds.count)
    return "\(nanoseconds / 1_000_000_000).\(padding)\(milliseconds) s"
  }
}

extension Profile {
  /// Removes the threads that are not kept, and their runs.
  mutating func keepThreads(_ kept: [Bool]) {
    var position = 0
    let places = kept.map { isKept in
      defer { if isKept { position += 1 } }
      return isKept ? position : -1
    }
    threads = zip(threads, kept).filter(\.1).map(\.0)
    waitHistory = waitHistory.moved(to: places)
    var moved = RunList()
    for run in runs where places.indices.contains(run.thread) && places[run.thread] >= 0 {
      moved.append(run.moved(to: places[run.thread]))
    }
    runs = moved
  }
}

extension RecordedFreeze {
  /// What of it is in a window of time; nil for nothing.
  fileprivate func part(from: Int64, to: Int64) -> RecordedFreeze? {
    guard start < to, end > from else { return nil }
    return RecordedFreeze(
      tid: tid, start: max(start, from), end: min(end, to), isOver: isOver && end <= to,
      beganBefore: beganBefore || start < from, threshold: threshold)
  }
}

extension Profile {
  /// Keeps the waits of the threads that are left, and of other processes, within a window of time.
  fileprivate mutating func keepBlockings(from: Int64, to: Int64) {
    let tids = Set(threads.map(\.tid))
    let own = Set(threads.map { $0.pid(in: capture.pid) }).union([capture.pid])
    blockings = blockings.filter { blocking in
      (!own.contains(blocking.waiter.pid) || tids.contains(blocking.waiter.tid))
        && blocking.firstSeen < to && blocking.lastSeen >= from
    }
  }
}
