internal import ProfileModel

/// Verdicts about goroutines, which no thread shows.
///
/// Nothing here is said of goroutines that wait for the network, for a time, or to receive from a channel:
/// that is what the goroutines of a healthy server do.
extension VerdictMaker {
  /// The goroutines of the capture's own process; nil for a program that is not in Go.
  private var ownGoroutines: (number: Int, list: Goroutines)? {
    let pid = index.profile.capture.pid
    return index.profile.goroutines.firstIndex { $0.pid == pid && $0.kind == .goroutine }.map {
      ($0, index.profile.goroutines[$0])
    }
  }

  var hasGoroutines: Bool { ownGoroutines != nil }

  /// All goroutines of the program wait for each other, and nothing else could wake one: no thread runs, no
  /// timer is set, and nothing is awaited from outside.
  var goroutineDeadlock: Verdict? {
    guard let (number, list) = ownGoroutines, list.isSteady, !list.isCut, isQuiet else {
      return nil
    }
    let own = list.groups.indices.filter { !list.groups[$0].isOfRuntime }
    guard !own.isEmpty, own.allSatisfy({ list.wait(of: list.groups[$0])?.isForOthers ?? false })
    else { return nil }
    return verdict(.deadlock, .allAsleep, own, of: number, list)
  }

  /// Goroutines have been waiting for a lock for a second or more.
  var goroutineHang: Verdict? {
    guard let (number, list) = ownGoroutines else { return nil }
    let waiting = waiters(list) { $0.isLock }.filter {
      list.groups[$0].longWaiters > 0 || quietTime >= Self.hangTime
    }
    guard !waiting.isEmpty else { return nil }
    return verdict(.hungOnLock, .lock, sameLock(waiting, list), of: number, list)
  }

  /// The program does nothing, and goroutines wait for a lock, or for somebody to receive what they send.
  var goroutinesWaiting: Verdict? {
    guard let (number, list) = ownGoroutines else { return nil }
    let isActive = list.groups.contains {
      !$0.isOfRuntime && ($0.state == .running || $0.state == .runnable)
    }
    guard !isActive else { return nil }
    let locks = waiters(list) { $0.isLock }.filter { list.groups[$0].longestWait > 0 }
    if !locks.isEmpty { return verdict(.waiting, .lock, sameLock(locks, list), of: number, list) }
    // One look shows no lengths: what it shows is the moment.
    let sends = waiters(list) { $0 == .send }.filter {
      list.groups[$0].longWaiters > 0 || quietTime >= Self.hangTime || isDump
    }
    guard !sends.isEmpty else { return nil }
    return verdict(.waiting, .send, sends, of: number, list)
  }

  /// The program does nothing, and virtual threads wait for a lock that somebody holds.
  var virtualThreadsWaiting: Verdict? {
    let pid = index.profile.capture.pid
    let lists = index.profile.goroutines
    guard let number = lists.firstIndex(where: { $0.pid == pid && $0.kind == .virtualThread })
    else { return nil }
    let list = lists[number]
    guard !list.groups.contains(where: { $0.state == .running || $0.state == .runnable }) else {
      return nil
    }
    let locks = waiters(list) { $0.isLock }.filter { !(list.groups[$0].wait?.owners ?? []).isEmpty }
    guard !locks.isEmpty else { return nil }
    return verdict(.waiting, .virtualLock, sameLock(locks, list), of: number, list)
  }

  private func waiters(_ list: Goroutines, _ isMeant: (GoroutineWait) -> Bool) -> [Int] {
    list.groups.indices.filter { place in
      !list.groups[place].isOfRuntime && (list.wait(of: list.groups[place]).map(isMeant) ?? false)
    }
  }

  /// The groups that wait for the same lock or channel as the largest.
  private func sameLock(_ groups: [Int], _ list: Goroutines) -> [Int] {
    guard let first = groups.first, let object = list.groups[first].object else {
      return Array(groups.prefix(1))
    }
    return groups.filter { list.groups[$0].object == object }
  }

  private func verdict(
    _ kind: Verdict.Kind, _ finding: GoroutineFinding.Kind, _ groups: [Int], of number: Int,
    _ list: Goroutines
  ) -> Verdict {
    let ordered = groups.sorted { (list.groups[$1].count, $0) < (list.groups[$0].count, $1) }
    let all = ordered.map { list.groups[$0] }
    let isLong = finding == .lock && kind == .hungOnLock && quietTime < Self.hangTime
    // Of those that wait for one lock some may have come just now.
    let waited = isLong ? all.map(\.longestWait).max() : all.map(\.waited).min()
    // The Java VM's own threads wake up now and then, and virtual threads do not say when they ran.
    let lasted = finding == .virtualLock ? 0 : max(waited ?? 0, quietTime)
    var verdict = Verdict(kind: kind)
    verdict.lasted = lasted > 0 ? lasted : nil
    verdict.isAtLeast = true
    verdict.goroutines = GoroutineFinding(
      kind: finding, list: number, groups: ordered, count: all.reduce(0) { $0 + $1.count },
      waited: verdict.lasted, place: ordered.first.flatMap { list.place(of: list.groups[$0]) })
    verdict.place = verdict.goroutines?.place
    return verdict
  }

  // MARK: - The threads

  /// Whether all threads sleep until something wakes them, with no timer set, and all are Go's.
  ///
  /// While a timer is set one thread waits in `epoll_wait` with a limit (`findRunnable` in runtime/proc.go).
  private var isQuiet: Bool {
    var facts = StackFacts(index)
    return situations.allSatisfy { situation in
      let names = facts.fact(of: situation.stack, index).names
      guard let wait = situation.wait, !situation.usesCPU,
        names.contains(where: { $0.hasPrefix("runtime.") })
      else { return false }
      if names.contains("runtime.sysmon") { return true }
      let isPoll = wait.systemCall?.hasPrefix("epoll") ?? true
      return isPoll ? situation.blocking != nil && !wait.isTimed : true
    }
  }

  /// For how long no thread has run, in nanoseconds; 0 where that is not known, or some thread runs.
  ///
  /// No goroutine has then either. The runtime's monitor looks after threads by itself.
  var quietTime: Int64 {
    var facts = StackFacts(index)
    let others = situations.filter {
      !facts.fact(of: $0.stack, index).names.contains("runtime.sysmon")
    }
    guard others.allSatisfy({ $0.isAsleep && !$0.usesCPU }) else { return 0 }
    return others.map(\.lengthOfWait).min() ?? 0
  }
}

extension Diagnosis {
  /// For how long no thread has run, so that no goroutine has either, in nanoseconds; 0 where that is not
  /// known, or some thread runs.
  package var quietTime: Int64 { VerdictMaker(self).quietTime }
}
