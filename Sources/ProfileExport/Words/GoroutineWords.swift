internal import ProfileAnalysis
internal import ProfileModel

/// Goroutines in words.
struct GoroutineWords {
  let diagnosis: Diagnosis
  let words: VerdictWords

  private var profile: Profile { diagnosis.index.profile }

  /// The verdict about goroutines.
  func sentence(of finding: GoroutineFinding, _ kind: Verdict.Kind) -> String {
    let list = profile.goroutines[finding.list]
    let place = finding.place.map { " in " + words.name($0) } ?? ""
    switch finding.kind {
    case .allAsleep:
      let all = finding.count == 1 ? "its only goroutine is" : "all \(finding.count) goroutines are"
      return "Deadlock: \(all) asleep\(lasted(finding.waited)), and nothing is left to wake "
        + (finding.count == 1 ? "it." : "them.")
    case .virtualLock:
      let wait = finding.groups.first.flatMap { list.groups[$0].wait }
      return wait.map { sentence(of: finding, list, $0) } ?? ""
    case .lock, .send:
      let title = kind == .hungOnLock ? "Hung" : "Waiting"
      let groups = finding.groups.map { list.groups[$0] }
      let waits = Set(groups.compactMap(list.wait))
      let wait = waits.count > 1 ? "for a read-write lock" : waits.first?.words ?? ""
      let objects = Set(groups.map(\.object))
      let other = finding.groups.count - 1
      let elsewhere = other > 0 ? " and \(Figures.count(Int64(other), "other place"))" : ""
      let which = objects.count == 1 ? objects.first?.map { " (\($0))" } ?? "" : ""
      let have = finding.count == 1 ? "has" : "have"
      let verb = finding.waited == nil ? (finding.count == 1 ? "is" : "are") : "\(have) been"
      let time = finding.waited.map { " at least " + Figures.duration($0) } ?? ""
      return "\(title): \(Figures.count(Int64(finding.count), "goroutine")) \(verb) waiting\(time) "
        + "\(wait)\(which)\(place)\(elsewhere)." + ownerWords(list, finding)
    }
  }

  /// Of virtual threads that wait for one lock, with who holds it.
  private func sentence(
    of finding: GoroutineFinding, _ list: Goroutines, _ wait: Wait
  ) -> String {
    let place = finding.place.map { " in " + words.name($0) } ?? ""
    let other = finding.groups.count - 1
    let elsewhere = other > 0 ? " and \(Figures.count(Int64(other), "other place"))" : ""
    let verb = finding.count == 1 ? "is" : "are"
    let waits = words.waits
    return "Waiting: \(Figures.count(Int64(finding.count), list.noun)) \(verb) waiting "
      + waits.subject(wait, in: list.pid) + place + elsewhere
      + waits.ownerWords(wait, in: list.pid) + holderWords(wait, list) + "."
  }

  /// What the thread does that holds a lock of virtual threads.
  private func holderWords(_ wait: Wait, _ list: Goroutines) -> String {
    guard case .thread(let tid)? = wait.owners.first,
      let node = diagnosis.graph.nodes.firstIndex(where: { $0.pid == list.pid && $0.tid == tid })
    else { return "" }
    return ", which " + words.doing(node)
  }

  private func lasted(_ time: Int64?) -> String {
    time.map { ", for \(Figures.duration($0)) or more" } ?? ""
  }

  /// Go does not note who holds a lock; it is one of the others.
  private func ownerWords(_ list: Goroutines, _ finding: GoroutineFinding) -> String {
    guard finding.kind == .lock else { return "" }
    let waiting = waitersElsewhere(list, finding).reduce(0) { $0 + list.groups[$1].count }
    guard waiting == 0 else {
      return " \(Figures.count(Int64(waiting), "more goroutine")) "
        + (waiting == 1 ? "is waiting for another lock." : "are waiting for other locks.")
    }
    let others = list.groups.indices.filter { place in
      !finding.groups.contains(place) && !list.groups[place].isOfRuntime
    }
    let count = others.reduce(0) { $0 + list.groups[$1].count }
    guard count > 0 else { return " No other goroutine is left to unlock it." }
    guard count == 1, let only = others.first else {
      return " Go does not note who holds it: one of \(count) other goroutines, or nobody."
    }
    let place = list.place(of: list.groups[only]).map { " in " + words.name($0) } ?? ""
    return " Only one other goroutine could hold it: \(list.groups[only].phrase)\(place)."
  }

  /// The groups that wait for other locks than the verdict is about: they may hold that one.
  private func waitersElsewhere(_ list: Goroutines, _ finding: GoroutineFinding) -> [Int] {
    guard finding.kind == .lock else { return [] }
    return list.groups.indices.filter { place in
      !finding.groups.contains(place) && list.wait(of: list.groups[place])?.isLock ?? false
    }
  }

  /// The groups of a verdict, and those that wait for other locks, one on each line.
  func lines(of finding: GoroutineFinding) -> [String] {
    let list = profile.goroutines[finding.list]
    let groups = finding.groups + waitersElsewhere(list, finding)
    guard finding.kind == .allAsleep || groups.count > 1 else { return [] }
    let isOneLock = Set(groups.map { list.groups[$0].object }).count == 1
    let shown = groups.prefix(Self.lineLimit).map { place -> String in
      let group = list.groups[place]
      let where_ = list.place(of: group).map { ", in " + words.name($0) } ?? ""
      // Of one lock the sentence says which it is.
      let isNamed = finding.kind != .allAsleep && isOneLock
      let which = isNamed || group.wait != nil ? "" : group.object.map { " (\($0))" } ?? ""
      return list.title(of: group) + ": " + list.phrase(of: group, words.waits) + which + where_
    }
    let left = groups.dropFirst(Self.lineLimit)
    guard !left.isEmpty else { return shown }
    let count = left.reduce(0) { $0 + list.groups[$1].count }
    return shown + ["… \(Figures.count(Int64(count), "more " + list.noun))"]
  }

  private static let lineLimit = 8

  /// What the goroutines do, where the verdict is about threads.
  var summary: String {
    guard let list = profile.goroutines.first(where: { $0.pid == profile.capture.pid }) else {
      return ""
    }
    let own = list.groups.filter { !$0.isOfRuntime }
    let total = own.reduce(0) { $0 + $1.count }
    guard total > 0 else { return "" }
    var counts: [(words: String, count: Int)] = []
    for group in own {
      let words = list.phrase(of: group, self.words.waits, withOwner: false)
      if let place = counts.firstIndex(where: { $0.words == words }) {
        counts[place].count += group.count
      } else {
        counts.append((words, group.count))
      }
    }
    counts.sort { $0.count > $1.count }
    let parts = counts.prefix(4).map { "\($0.count) \($0.words)" }
    let rest = counts.dropFirst(4).reduce(0) { $0 + $1.count }
    let others = rest > 0 ? ", \(rest) other" : ""
    return
      " \(Figures.count(Int64(total), list.noun)): \(parts.joined(separator: ", "))\(others)."
  }
}

extension Goroutines {
  /// What one of them is called.
  var noun: String {
    switch kind {
    case .goroutine: "goroutine"
    case .virtualThread: "virtual thread"
    }
  }

  /// `Goroutine 18`, `Goroutines ×1000`, `Virtual thread 35 "transfer"`.
  func title(of group: GoroutineGroup) -> String {
    guard kind == .virtualThread else { return group.title }
    guard group.count == 1, let id = group.ids.first else {
      return "Virtual threads ×\(group.count)"
    }
    let name = group.names.first.flatMap { $0.isEmpty ? nil : " " + $0.quoted } ?? ""
    return "Virtual thread \(id)" + name
  }

  /// What the threads of a group do.
  func phrase(of group: GoroutineGroup, _ words: WaitWords, withOwner: Bool = true) -> String {
    if group.state == .waiting, let wait = group.wait {
      return words.phrase(wait, in: pid, withOwner: withOwner)
    }
    return wait(of: group)?.phrase ?? group.phrase
  }

  /// The stack of a group without the runtime's functions, where there are others.
  func shownStack(of group: GoroutineGroup) -> [SourceLine] {
    let stack = stack(of: group)
    let own = stack.filter { !$0.isOfGoRuntime }
    return own.isEmpty ? stack : own
  }
}

extension GoroutineGroup {
  /// `Goroutine 18`, `Goroutines ×1000`.
  var title: String {
    if count == 1, let id = ids.first { return "Goroutine \(id)" + (hasMain ? " (main)" : "") }
    return "Goroutines ×\(count)"
  }

  /// What they do, where they do not wait.
  var phrase: String {
    switch state {
    case .running: "running"
    case .runnable: "runnable"
    case .systemCall: "in a system call or in C"
    case .waiting: reason.map { "waiting (\($0))" } ?? "waiting"
    case .other: "changing state"
    }
  }
}

extension GoroutineWait {
  /// What follows `waiting`.
  var words: String {
    switch self {
    case .mutex: "for a mutex"
    case .readLock: "for a read lock"
    case .writeLock: "for a write lock"
    case .waitGroup: "for a wait group"
    case .conditionVariable: "for a condition variable"
    case .semaphore: "for a semaphore"
    case .receive: "to receive from a channel"
    case .send: "to send to a channel"
    case .select: "in a select"
    case .forEver: "for ever"
    case .network: "for the network or a file"
    case .sleep: "for a time"
    case .parked: "to be unparked"
    case .other: "for the runtime"
    }
  }

  var phrase: String {
    switch self {
    case .sleep: "sleeping"
    case .parked: "parked"
    case .mutex, .readLock, .writeLock, .waitGroup, .conditionVariable, .semaphore, .receive,
      .send, .select, .forEver, .network, .other:
      "waiting " + words
    }
  }
}
