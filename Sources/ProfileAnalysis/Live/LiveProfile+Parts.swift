package import ProfileModel

extension LiveProfile {
  /// The last `length` nanoseconds as a capture of its own, whose times count from its beginning.
  ///
  /// `filter` leaves out other threads. Costs one step for each run in it and for each of their frames.
  package func last(_ length: Int64, _ filter: ThreadFilter? = nil) -> Profile {
    let from = max(0, programStart, duration &- max(0, length))
    var part = Profile(capture: capture, modules: modules, threads: threads, stacks: stacks)
    part.symbols = symbols
    part.capture.duration = duration &- from
    part.capture.startTime += Double(from) / 1e9
    part.capture.cost.wholeDuration = duration
    let chosen = threads.map { filter?.matches($0) ?? true }
    var kept = Array(repeating: false, count: threads.count)
    for place in runs.indices.dropFirst(firstRun) {
      let run = runs[place]
      guard chosen[run.thread], let moved = run.moved(from: from) else { continue }
      note(moved, of: run.thread, in: &part, isFirst: !kept[run.thread])
      kept[run.thread] = true
      part.runs.append(moved)
    }
    part.runs.sortByStart()
    add(to: &part, from: from)
    part.keepThreads(kept)
    part.renumberStacks()
    return part
  }

  /// All since the beginning, or since the sums were reset, without its times.
  package func whole(_ filter: ThreadFilter? = nil) -> Profile {
    var part = Profile(capture: capture, modules: modules, threads: threads, stacks: stacks)
    part.symbols = symbols
    part.capture.duration = duration &- sumStart
    part.capture.knowsUnseenSleeps = false
    let chosen = threads.map { filter?.matches($0) ?? true }
    // In an order that is the same each time.
    let ordered = sums.filter { chosen[$0.key.thread] }.sorted {
      ($0.key.thread, $0.key.stack.rawValue, $0.value.wall, $0.value.cpu)
        < ($1.key.thread, $1.key.stack.rawValue, $1.value.wall, $1.value.cpu)
    }
    for (key, weight) in ordered {
      part.runs.append(
        Run(
          thread: key.thread, stack: key.stack, end: key.end, activity: key.activity, start: 0,
          weight: weight))
    }
    part.renumberStacks()
    return part
  }

  /// Notes what a run says of its thread.
  private func note(_ run: Run, of thread: Int, in part: inout Profile, isFirst: Bool) {
    if isFirst {
      part.threads[thread].firstSeen = run.start
      part.threads[thread].lastSeen = run.start
      part.threads[thread].cpu = 0
      part.threads[thread].delay = 0
    }
    part.threads[thread].cpu &+= run.weight.cpu
    part.threads[thread].delay &+= run.weight.delay
    let end = run.start &+ max(0, run.weight.wall)
    part.threads[thread].lastSeen = max(part.threads[thread].lastSeen, end)
  }

  /// Adds what threads waited for.
  private func add(to part: inout Profile, from: Int64) {
    var byNumber: [Int32: [Int]] = [:]
    for (index, thread) in threads.enumerated() { byNumber[thread.tid, default: []].append(index) }
    part.waitHistory = waits.history(from: from) { index, tid in index ?? byNumber[tid]?.last }
    let limit = part.capture.duration
    part.blockings = blockings.compactMap { blocking in
      guard blocking.lastSeen >= from else { return nil }
      var moved = blocking
      // A wait may have begun before.
      moved.since = blocking.since.map { $0 &- from }
      moved.firstSeen = max(0, blocking.firstSeen &- from)
      moved.lastSeen = max(0, min(limit, blocking.lastSeen &- from))
      return moved
    }
    addInterpreterLock(to: &part, from: from)
  }

  /// What is looked at as of the moment: stretches of waits come in twice a second.
  private static let moment = Int64(700_000_000)
  /// A thread that waits for less than this part of the time has its turns.
  private static let longWait = Int64(150_000_000)

  /// Adds the waits of the moment for an interpreter's lock: such a thread wakes up every few milliseconds
  /// to ask for it again, and so never sleeps long.
  private func addInterpreterLock(to part: inout Profile, from: Int64) {
    for (index, thread) in threads.enumerated() where !thread.hasEnded {
      guard let end = askedForLock(index), let last = waits.last(of: thread.tid),
        last.wait.kind == .gil,
        let waited = waits.lockWait(of: thread.tid), last.end >= duration &- Self.moment,
        waited.waited >= max(Self.longWait, (waited.end &- waited.start) / 2)
      else { continue }
      var wait = last.wait
      // Each was seen to hold it at some tick: who asks for it at the last does not.
      wait.owners.removeAll { owner in
        guard case .thread(let tid) = owner, let own = waits.last(of: tid) else { return false }
        return own.wait.kind == .gil && own.end >= last.end
      }
      let hasTurns = cpu(of: index, from: waited.start) > (waited.end &- waited.start) / 20
      let start = (hasTurns ? last.start : waited.start) &- from
      let pid = capture.pid
      part.blockings.removeAll {
        $0.waiter.tid == thread.tid && $0.waiter.pid == pid && $0.lastSeen >= start
      }
      let waiter = WaitingThread(
        pid: pid, tid: thread.tid, name: thread.name, processName: capture.processName)
      part.blockings.append(
        Blocking(
          waiter: waiter, wait: wait, since: start, firstSeen: max(0, start),
          lastSeen: max(0, max(last.end, end) &- from),
          samples: max(2, Int(Double(waited.waited) / 1e9 * capture.rate))))
    }
  }

  /// CPU time of a thread since then.
  private func cpu(of thread: Int, from start: Int64) -> Int64 {
    var sum: Int64 = 0
    for run in runs[firstRun...].reversed() {
      if run.thread == thread { sum &+= run.weight.cpu }
      // Those of a thread are in the order of time, and those of all nearly so.
      if run.thread == thread, run.start <= start { break }
    }
    return sum
  }

  /// Until when a thread asked for that lock at its last samples, which are newer than the stretches of its
  /// waits; nil where it did not.
  private func askedForLock(_ thread: Int) -> Int64? {
    guard let place = lastRuns[thread], place >= firstRun,
      runs[place].activity.awaitsInterpreterLock
    else { return nil }
    return runs[place].start &+ max(0, runs[place].weight.wall)
  }
}

extension Run {
  /// The part from a time on, counted from there; nil where nothing is left.
  fileprivate func moved(from time: Int64) -> Run? {
    let isWhole = start >= time
    guard let part = isWhole ? self : part(from: time, to: .max) else { return nil }
    return Run(
      thread: thread, stack: stack, end: end, activity: activity,
      start: max(0, part.start &- time), weight: part.weight,
      unseenSleeps: isWhole ? unseenSleeps : [])
  }
}
