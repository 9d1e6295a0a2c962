internal import ProfileModel

/// What the threads of a profile waited for over time, as far as it was looked up.
struct OwnedWaits {
  /// A part of a wait with what is known of it; nil where nothing was looked up.
  struct Part {
    let start: Int64
    let end: Int64
    let wait: Wait?
  }

  private struct Stretch {
    let start: Int64
    let end: Int64
    let wait: Int
  }

  private var waits: [Wait]
  /// By thread: what was found tick by tick, and in look-ups of long sleeps, by their start.
  private var ticks: [[Stretch]]
  private var sleeps: [[Stretch]]

  init(_ profile: Profile) {
    waits = profile.waitHistory.waits
    ticks = Array(repeating: [], count: profile.threads.count)
    sleeps = ticks
    for span in profile.waitHistory.spans where ticks.indices.contains(span.thread) {
      ticks[span.thread].append(Stretch(start: span.start, end: span.end, wait: span.wait))
    }
    let threads = ThreadsByNumber(profile)
    for blocking in profile.blockings {
      let waiter = blocking.waiter
      guard let thread = threads.thread(waiter.pid, waiter.tid, at: blocking.lastSeen) else {
        continue
      }
      let start = min(blocking.since ?? blocking.firstSeen, blocking.firstSeen)
      sleeps[thread].append(
        Stretch(start: start, end: max(start, blocking.lastSeen), wait: waits.count))
      waits.append(blocking.wait)
    }
    for thread in ticks.indices {
      ticks[thread].sort { $0.start < $1.start }
      sleeps[thread].sort { $0.start < $1.start }
    }
  }

  /// Divides a part of a run into parts of which each has one wait; `wait` is what the run's stack shows.
  ///
  /// Costs one step for each part, and for each long sleep that the run covers.
  func parts(
    of run: ClosedTime, thread: Int, from: Int64, until: Int64, like wait: Wait
  ) -> [Part] {
    var parts: [Part] = []
    var time = from
    let list = ticks[thread]
    var position = max(0, list.partitioningIndex { $0.start > from } - 1)
    while time < until, position < list.count, list[position].start < until {
      let stretch = list[position]
      position += 1
      guard stretch.end > time, wait.mayBe(waits[stretch.wait]) else { continue }
      let start = max(time, stretch.start)
      addSleep(&parts, thread, run, from: time, until: start, wait)
      let end = min(stretch.end, until)
      parts.append(Part(start: start, end: end, wait: waits[stretch.wait]))
      time = end
    }
    addSleep(&parts, thread, run, from: time, until: until, wait)
    return parts
  }

  /// The locks of its runtime's that a thread waited for in a run, by the ticks that know them.
  func locks(of run: ClosedTime, thread: Int, like wait: Wait) -> Set<WaitObject> {
    let list = ticks[thread]
    var result: Set<WaitObject> = []
    var position = max(0, list.partitioningIndex { $0.start > run.start } - 1)
    while position < list.count, list[position].start < run.end {
      let stretch = list[position]
      position += 1
      guard stretch.end > run.start, let object = waits[stretch.wait].object,
        let flavor = object.flavor, flavor == wait.object?.flavor, flavor.isOfRuntime
      else { continue }
      result.insert(object)
    }
    return result
  }

  /// What a thread waited for in a run by ticks and by look-ups of long sleeps, where its stack shows such a
  /// wait.
  func objects(of run: ClosedTime, thread: Int, like wait: Wait) -> Set<WaitObject> {
    var result: Set<WaitObject> = []
    for list in [ticks[thread], sleeps[thread]] {
      var position = max(0, list.partitioningIndex { $0.start > run.start } - 1)
      while position < list.count, list[position].start < run.end {
        let known = waits[list[position].wait]
        let isOfRun = list[position].end > run.start
        position += 1
        guard isOfRun, known.kind == wait.kind, let object = known.object else { continue }
        result.insert(object)
      }
    }
    return result
  }

  /// Adds a part of which no tick knows more than the stack: a look-up of the sleep that it belongs to
  /// may.
  private func addSleep(
    _ parts: inout [Part], _ thread: Int, _ run: ClosedTime, from: Int64, until: Int64, _ wait: Wait
  ) {
    guard from < until else { return }
    let list = sleeps[thread]
    var best: (overlap: Int64, wait: Int)?
    var position = list.partitioningIndex { $0.start >= run.end }
    var steps = 0
    while position > 0, steps < 64 {
      position -= 1
      steps += 1
      let sleep = list[position]
      guard sleep.end >= run.start, wait.mayBe(waits[sleep.wait]) else { continue }
      let overlap = min(sleep.end, until) &- max(sleep.start, from)
      if overlap > best?.overlap ?? .min { best = (overlap, sleep.wait) }
    }
    parts.append(Part(start: from, end: until, wait: best.map { waits[$0.wait] }))
  }
}

/// From when until when a run lasted.
struct ClosedTime {
  let start: Int64
  let end: Int64
}

/// The threads of a profile by their numbers, which may be used again.
struct ThreadsByNumber {
  private struct Key: Hashable {
    let pid: Int32
    let tid: Int32
  }

  private var threads: [Key: [Int]] = [:]
  private let infos: [ThreadInfo]

  init(_ profile: Profile) {
    infos = profile.threads
    for (index, info) in infos.enumerated() {
      threads[Key(pid: info.pid(in: profile.capture.pid), tid: info.tid), default: []].append(index)
    }
  }

  /// The thread that had the number at that time, or else the last that had it.
  func thread(_ pid: Int32, _ tid: Int32, at time: Int64) -> Int? {
    guard let list = threads[Key(pid: pid, tid: tid)] else { return nil }
    guard list.count > 1 else { return list[0] }
    return list.first { infos[$0].firstSeen <= time && time <= infos[$0].lastSeen } ?? list.last
  }
}

extension Wait {
  /// Whether what was looked up may be this wait, of which the stack and the system call are known.
  func mayBe(_ known: Wait) -> Bool {
    switch known.kind {
    case .gil:
      return kind == .gil || systemCall == WaitNames.restartedCall
        || systemCall.map { WaitNames.systemCalls[$0] == .futex } ?? false
    case .readLock, .writeLock: return kind == .readLock || kind == .writeLock
    case .mutex:
      // The kernel's own rule names the owner of such a lock, whatever the function is called.
      let isProven = known.object?.flavor?.isKernels ?? false
      // A runtime's own lock is taken with what the stack shows: a semaphore, a condition variable.
      let isRuntimes = known.object?.flavor?.isOfRuntime ?? false
      return kind == .mutex || isProven && kind == .futex || isRuntimes && isMadeOfFutex
    case .futex where known.object != nil:
      // The lock is known, but not who held it at that tick.
      return kind == .mutex || kind == .readLock || kind == .writeLock
    case .join: return kind == .join
    default: return kind == known.kind || systemCall != nil && systemCall == known.systemCall
    }
  }
}

extension Wait {
  /// Whether it is for a lock of a runtime's, of which the stack does not say which one.
  var isForUnknownLock: Bool {
    object.map { $0.address.isNull && $0.flavor?.isOfRuntime ?? false } ?? false
  }

  /// Whether it is for a lock of a runtime's.
  var isForRuntimeLock: Bool { object?.flavor?.isOfRuntime ?? false }

  /// Whether a stack shows something that runtimes make locks of.
  fileprivate var isMadeOfFutex: Bool {
    [.futex, .semaphore, .conditionVariable, .parking].contains(kind)
  }
}

extension LockFlavor {
  /// Whether the kernel itself knows the owner.
  fileprivate var isKernels: Bool { has(.priorityInheriting) || has(.robust) }
}
