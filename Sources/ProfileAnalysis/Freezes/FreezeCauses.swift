internal import ProfileModel

/// Finds what took most of a freeze.
struct FreezeCauses {
  private struct Key: Hashable {
    let kind: FreezeCause.Kind
    let wait: WaitKind?
  }

  private let index: ProfileIndex
  private let owners: [ModuleOwner]
  /// By thread: its waits as they were looked up tick by tick, in the order of time.
  private let waitSpans: [Int: [WaitHistory.Span]]

  init(_ index: ProfileIndex) {
    self.index = index
    waitSpans = Dictionary(grouping: index.profile.waitHistory.spans, by: \.thread)
    owners = index.profile.modules.map(\.owner)
  }

  /// Sets the cause and its heaviest stack, of a freeze that consists of `runs`.
  func explain(_ freeze: inout Freeze, _ runs: [Run], _ moments: inout LoopMoments) {
    guard let (cause, stack, end) = heaviest(of: runs, &moments) else { return }
    freeze.cause = cause
    freeze.stack = stack
    freeze.stackEnd = end
    guard let wait = cause.wait else { return }
    freeze.cause.wait = known(wait, in: freeze)
    freeze.cause.owner = owner(of: freeze, &moments)
  }

  /// A wait in the time of a freeze as it was looked up meanwhile, with its lock and owner where these are
  /// known.
  func known(_ wait: Wait, in freeze: Freeze) -> Wait {
    let looked = blocking(of: freeze, like: wait) ?? wait
    // A look-up may come when the lock has just changed hands.
    guard looked.owners.isEmpty, let short = shortWait(in: freeze, like: wait),
      looked.object == nil || short.object?.address == looked.object?.address
    else { return looked }
    return short
  }

  /// What took most of the time of some runs of one thread.
  private func heaviest(
    of runs: [Run], _ moments: inout LoopMoments
  ) -> (FreezeCause, StackID, StackEnd)? {
    let awake = AwakeTime(runs)
    let isWaiting = awake.waited > awake.ran
    var causes = Tally<Key>()
    var keys: [Key] = []
    for run in runs {
      let wait = moments.wait(of: run)
      let kind: FreezeCause.Kind =
        run.activity.isRunnable
        ? isWaiting ? .cpu : .computed : FreezeCause.Kind(run.activity, wait?.kind)
      let key = Key(kind: kind, wait: wait?.kind)
      keys.append(key)
      causes.add(run.weight, to: key)
    }
    guard let (key, weight) = causes.heaviest else { return nil }
    var stacks = Tally<StackID>()
    // One that ran while nothing was stopped has no stack.
    let isSeen = zip(runs, keys).contains { $0.1 == key && $0.0.stack != .empty }
    for (run, own) in zip(runs, keys) where own == key && (run.stack != .empty || !isSeen) {
      stacks.add(run.weight, to: run.stack)
    }
    guard let stack = stacks.heaviest?.key,
      let shown = zip(runs, keys).first(where: { $0.0.stack == stack && $0.1 == key })?.0
    else { return nil }
    var cause = FreezeCause(kind: key.kind)
    cause.time = weight.wall
    if shown.activity.isRunnable { cause.time = isWaiting ? awake.waited : awake.ran }
    cause.wait = moments.wait(of: shown)
    cause.place = cause.wait == nil ? place(of: stack) : moments.asker(of: stack)
    return (cause, stack, shown.end)
  }

  private func place(of stack: StackID) -> SourceFrame? {
    let frames = index.frames(of: stack)
    return owners.place(of: frames).map { frames[$0] }
  }

  /// The wait as it was looked up meanwhile, with its lock and owner.
  private func blocking(of freeze: Freeze, like wait: Wait) -> Wait? {
    let info = index.profile.threads[freeze.thread]
    let pid = info.pid(in: index.profile.capture.pid)
    let found = index.profile.blockings.last { blocking in
      blocking.waiter.tid == info.tid && blocking.waiter.pid == pid
        && blocking.firstSeen < freeze.stop && blocking.lastSeen >= freeze.start
        && (blocking.wait.kind == wait.kind || blocking.wait.systemCall == wait.systemCall)
    }
    return found.map { found in
      var known = found.wait
      // What the stack says of its purpose is more than the call.
      if wait.kind != known.kind, wait.kind != .futex { known.kind = wait.kind }
      if wait.object?.flavor?.has(.python) ?? false { known.object?.flavor = wait.object?.flavor }
      return known
    }
  }

  /// The wait that took most of the freeze, of those that were too short to be looked up as a sleep.
  private func shortWait(in freeze: Freeze, like wait: Wait) -> Wait? {
    guard let spans = waitSpans[freeze.thread] else { return nil }
    let waits = index.profile.waitHistory.waits
    var lengths: [Int: Int64] = [:]
    let first = max(0, spans.partitioningIndex { $0.start > freeze.start } - 1)
    for span in spans[first...] {
      guard span.start < freeze.stop else { break }
      guard waits.indices.contains(span.wait), wait.mayBe(waits[span.wait]) else { continue }
      let length = min(span.end, freeze.stop) &- max(span.start, freeze.start)
      guard length > 0 else { continue }
      lengths[span.wait] = (lengths[span.wait] ?? 0).addingClamped(length)
    }
    // One whose owner is known tells more. Equal ones are in a fixed order.
    let owned = lengths.filter { !waits[$0.key].owners.isEmpty }
    let longest = (owned.isEmpty ? lengths : owned).max {
      ($0.value, $1.key) < ($1.value, $0.key)
    }
    return longest.map { waits[$0.key] }
  }

  /// What the thread did that holds the lock.
  private func owner(
    of freeze: Freeze, _ moments: inout LoopMoments
  ) -> FreezeCause.Owner? {
    guard let owner = freeze.cause.wait?.owners.first, case .thread(let tid) = owner else {
      return nil
    }
    let profile = index.profile
    let pid = profile.threads[freeze.thread].pid(in: profile.capture.pid)
    let thread = profile.threads.lastIndex { thread in
      thread.tid == tid && thread.pid(in: profile.capture.pid) == pid
    }
    guard let thread else { return nil }
    let runs = index.runs(of: thread).compactMap { $0.part(from: freeze.start, to: freeze.stop) }
    guard let (cause, _, _) = heaviest(of: runs, &moments) else { return nil }
    return FreezeCause.Owner(
      thread: thread, kind: cause.kind, wait: cause.wait, place: cause.place)
  }
}
