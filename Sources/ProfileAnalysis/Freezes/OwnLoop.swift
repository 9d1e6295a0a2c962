internal import ProfileModel

/// The event loop of a program's own in which its main thread rests, such as `epoll_wait` in `main`: no function
/// of it has a known name, and what it calls is a handler.
struct OwnLoop {
  /// Fewer show no loop.
  private static let leastReturns = 3

  /// Where in the loop a stack is.
  private enum Place {
    /// In its own function, or what that calls of the C library.
    case loop
    /// Below it, in this function (index into `SourceStacks.functions`).
    case handler(Int)
  }

  private let rests: Set<StackID>
  private let places: [StackID: Place]
  /// From the first rest to the last; before and after it a function such as `main` does other things.
  private let span: ClosedRange<Int64>

  /// Nil for a thread that has no such loop, or was not found to return to it.
  init?(_ index: ProfileIndex, thread: Int, _ facts: inout StackFacts) {
    guard index.profile.isMainThread(thread) else { return nil }
    let rests = Self.rests(index, thread: thread, &facts)
    let resting = index.runs(of: thread).filter { $0.activity.isWait && rests.contains($0.stack) }
    guard resting.count >= Self.leastReturns, let first = resting.first?.start,
      let last = resting.last?.start
    else { return nil }
    var loops: Set<SourceFrame> = []
    for stack in rests {
      let fact = facts.fact(of: stack, index)
      if let loop = fact.asker { loops.insert(loop.withoutLine) }
    }
    var places: [StackID: Place] = [:]
    var seen: Set<StackID> = []
    for run in index.runs(of: thread) where seen.insert(run.stack).inserted {
      places[run.stack] = Self.place(
        of: run.stack, in: loops, index, facts.fact(of: run.stack, index))
    }
    self.rests = rests
    self.places = places
    // What is older than the capture was in its loop before; what goes on will be again.
    let isNew = index.profile.capture.kind == .run
    let hasEnded = index.profile.threads[thread].hasEnded
    span = (isNew ? first : .min)...(hasEnded ? max(first, last) : .max)
  }

  /// The stacks in which the thread rests, by their functions or by what it waits for.
  private static func rests(
    _ index: ProfileIndex, thread: Int, _ facts: inout StackFacts
  ) -> Set<StackID> {
    let isMain = index.profile.threads[thread].isMain
    var known: [StackID: Bool] = [:]
    for run in index.runs(of: thread) where run.activity.isWait && known[run.stack] == nil {
      let parts = facts.fact(of: run.stack, index).parts
      let wait = run.activity.wait(parts.names).map(parts.interpreted)
      known[run.stack] = isOwn(parts, wait, isMain: isMain)
    }
    for blocking in index.profile.blockings(of: thread) {
      guard let run = index.run(of: thread, before: blocking.lastSeen), run.activity.isWait,
        known[run.stack] == false
      else { continue }
      let parts = facts.fact(of: run.stack, index).parts
      known[run.stack] = isOwn(parts, parts.interpreted(blocking.wait), isMain: isMain)
    }
    return Set(known.lazy.filter(\.value).map(\.key))
  }

  private static func isOwn(
    _ parts: IdleRecognition.Stack, _ wait: Wait?, isMain: Bool
  ) -> Bool {
    guard let wait else { return false }
    switch IdleRecognition.idleness(of: parts, wait: wait, isMain: isMain) {
    case .eventLoop(.own), .acceptLoop(.own): return true
    default: return false
    }
  }

  private static func place(
    of stack: StackID, in loops: Set<SourceFrame>, _ index: ProfileIndex, _ fact: StackFacts.Fact
  ) -> Place? {
    let frames = fact.frames
    guard frames.count == fact.parts.roles.count,
      let loop = frames.lastIndex(where: { loops.contains($0.withoutLine) })
    else { return nil }
    let called = (0..<loop).reversed().filter { position in
      let role = fact.parts.roles[position]
      return (role == .other || role == .address) && !loops.contains(frames[position].withoutLine)
    }
    let handler = called.first { !frames[$0].isOfStandardLibrary } ?? called.first
    guard let handler,
      let number = index.sourceFrames(of: stack).last(where: {
        index.stacks.frames[$0] == frames[handler]
      })
    else { return .loop }
    return .handler(index.stacks.function(ofFrame: number))
  }

  /// Whether a stack goes through the loop.
  func contains(_ stack: StackID) -> Bool { places[stack] != nil }

  /// What the thread does in `run`.
  func moment(of run: Run) -> LoopMoments.Moment {
    guard run.activity != .unknown, span.contains(run.start) else { return .outside }
    if run.activity.isWait, rests.contains(run.stack) { return .rest }
    switch places[run.stack] {
    case .handler(let function):
      return .handler(LoopMoments.Handler(loop: .own, function: function))
    // One that waits within its loop for something else is not at rest there.
    case .loop: return run.activity.isRunnable ? .loop : .handler(nil)
    case nil: return run.end.isTruncated ? .handler(nil) : .outside
    }
  }
}

extension Profile {
  /// The waits of a thread that were looked up.
  fileprivate func blockings(of thread: Int) -> some Sequence<Blocking> {
    let info = threads[thread]
    let pid = info.pid(in: capture.pid)
    return blockings.lazy.filter { $0.waiter.tid == info.tid && $0.waiter.pid == pid }
  }
}

extension ProfileIndex {
  /// What a thread did at a time; nil before its first run.
  fileprivate func run(of thread: Int, before time: Int64) -> Run? {
    let places = 0..<runCount(of: thread)
    let next = places.partitioningIndex { run($0, of: thread).start > time }
    return next > 0 ? run(next - 1, of: thread) : nil
  }
}
