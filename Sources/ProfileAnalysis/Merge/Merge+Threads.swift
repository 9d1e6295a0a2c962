internal import ProfileModel

extension Merge {
  struct ThreadKey: Hashable {
    let name: String
    let isMain: Bool
  }

  /// Sixteen bytes, because there is one for each run of the result.
  struct RunKey: Hashable, Comparable {
    let thread: UInt32
    let stack: StackID
    let end: UInt32
    let activity: UInt32

    func hash(into hasher: inout Hasher) {
      hasher.combine(UInt64(thread) << 32 | UInt64(stack.rawValue))
      hasher.combine(UInt64(end) << 32 | UInt64(activity))
    }

    func with(_ stack: StackID) -> RunKey {
      RunKey(thread: thread, stack: stack, end: end, activity: activity)
    }

    static func < (left: RunKey, right: RunKey) -> Bool {
      (left.thread, left.stack.rawValue, left.end, left.activity)
        < (right.thread, right.stack.rawValue, right.end, right.activity)
    }
  }

  mutating func addThread(_ info: ThreadInfo, label: String) -> Int {
    let name = label.isEmpty ? info.title : label + "/" + info.title
    let key = ThreadKey(name: name, isMain: info.isMain)
    let span = max(0, info.lastSeen.subtractingClamped(info.firstSeen))
    guard let known = threadIDs[key] else {
      var thread = info
      thread.name = name
      thread.process = nil
      thread.firstSeen = 0
      thread.lastSeen = span
      thread.systemCall = nil
      threadIDs[key] = threads.count
      threads.append(thread)
      return threads.count - 1
    }
    threads[known].lastSeen = threads[known].lastSeen.addingClamped(span)
    threads[known].cpu = threads[known].cpu.addingClamped(info.cpu)
    threads[known].delay = threads[known].delay.addingClamped(info.delay)
    threads[known].cpuSinceStart = threads[known].cpuSinceStart.addingClamped(info.cpuSinceStart)
    threads[known].hasEnded = threads[known].hasEnded && info.hasEnded
    if let more = info.lockUse {
      var use = threads[known].lockUse ?? InterpreterLockUse()
      use.held = use.held.addingClamped(more.held)
      use.awaited = use.awaited.addingClamped(more.awaited)
      use.ticks = use.ticks.addingClamped(more.ticks)
      threads[known].lockUse = use
    }
    return known
  }
}
