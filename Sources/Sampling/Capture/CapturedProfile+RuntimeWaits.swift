internal import ProfileModel
internal import RuntimeReading

/// Since when a thread has been in its last stack and done next to nothing, in nanoseconds from the start of the
/// capture, and how often it was sampled there.
struct RuntimeWaitStretch {
  let start: Int64
  let samples: Int
  /// The same of its last sleep alone.
  let sleep: (start: Int64, samples: Int)
}

extension Profile {
  /// Says of threads that wait for a lock of their runtime's own which one it is, and who holds it.
  ///
  /// `known` are the waits at the end, found twice by `time` (nanoseconds from the start).
  mutating func addRuntimeWaits(
    _ known: [Int32: RuntimeWait], at time: Int64, stretches: [Int: RuntimeWaitStretch]
  ) {
    let pid = capture.pid
    for (index, thread) in threads.enumerated() where !thread.hasEnded {
      guard let wait = known[thread.tid], let whole = stretches[index] else { continue }
      // A VM that waits without a limit wakes up now and then to look whether it missed anything; any other
      // that has woken up begins anew.
      let stretch =
        wait.hasNoLimit ? (start: whole.start, samples: whole.samples) : whole.sleep
      let isOwn = { (blocking: Blocking) in
        blocking.waiter.tid == thread.tid && blocking.waiter.pid == pid
      }
      let last = blockings.last(where: isOwn)
      let current = last.flatMap { $0.lastSeen >= stretch.start ? $0 : nil }
      blockings.removeAll { isOwn($0) && $0.lastSeen >= stretch.start }
      var result = current?.wait ?? Wait(kind: wait.kind, systemCall: "futex")
      let isWoken = wait.hasNoLimit && result.isTimed
      result.take(wait)
      // The last sleep of one that was renewed begins later.
      let known = isWoken ? nil : current?.since
      let since = known.flatMap { $0 <= stretch.start ? $0 : nil }
      if let current, result.isTimed {
        // What was found twice may be two waits with the same limit.
        var known = current
        known.wait = result
        blockings.append(known)
        continue
      }
      blockings.append(
        Blocking(
          waiter: WaitingThread(
            pid: capture.pid, tid: thread.tid, name: thread.name,
            processName: capture.processName),
          wait: result, since: since ?? start(of: stretch.start, thread), firstSeen: stretch.start,
          lastSeen: max(thread.lastSeen, time), samples: max(2, stretch.samples)))
    }
  }

  /// Says what virtual threads wait for that no thread runs, found twice within `time` (from the start).
  mutating func addVirtualWaits(
    _ found: VirtualThreads, during time: ClosedRange<Nanoseconds>
  ) {
    for (number, runtimeWait) in found.waits.sorted(by: { $0.key > $1.key }) {
      var wait = Wait(runtimeWait)
      wait.isTimed = found.timed.contains(number)
      blockings.append(
        Blocking(
          waiter: WaitingThread(
            pid: capture.pid, tid: number, name: found.names[number] ?? "",
            processName: capture.processName),
          wait: wait, firstSeen: time.lowerBound.rawValue, lastSeen: time.upperBound.rawValue,
          samples: 2))
    }
  }

  /// When a wait began that the samples met first at `time`; nil where the thread may have waited before them.
  func start(of time: Int64, _ thread: ThreadInfo) -> Int64? {
    capture.kind == .dump || time <= thread.firstSeen ? nil : time
  }

  /// Joins the runs of waits that the thread's runtime renews now and then, though each is one wait.
  ///
  /// `isRenewed` is whether the waits in a stack are such.
  mutating func joinRenewedWaits(_ isRenewed: (StackID) -> Bool) {
    var joined = RunList()
    var last: [Int: Int] = [:]
    for var run in runs {
      if run.followsSleep, let place = last[run.thread], isRenewed(run.stack),
        joined[place].stack == run.stack, joined[place].activity == run.activity
      {
        joined[place].weight += run.weight
        continue
      }
      if run.hasManyWaits, isRenewed(run.stack) { run.unseenSleeps.remove(.renewed) }
      last[run.thread] = joined.count
      joined.append(run)
    }
    runs = joined
  }
}

extension Wait {
  /// Becomes what a runtime says that it is.
  mutating func take(_ wait: RuntimeWait) {
    let own = Wait(wait)
    (kind, object, owners) = (own.kind, own.object, own.owners)
    if wait.hasNoLimit { (isTimed, timeLeft) = (false, nil) }
  }
}
