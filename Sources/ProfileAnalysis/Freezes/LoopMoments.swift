internal import ProfileModel

/// What a stack says about a thread and its event loop, found once for each stack.
struct LoopMoments {
  enum Moment: Hashable {
    /// At rest, in its loop or elsewhere.
    case rest
    /// In the loop's own code: it has returned to it.
    case loop
    /// In a handler; nil where it is not known in which.
    case handler(Handler?)
    /// In no loop at all.
    case outside
  }

  /// A function that a loop called.
  struct Handler: Hashable {
    let loop: EventLoop
    /// Index into `SourceStacks.functions`.
    let function: Int
  }

  private struct Key: Hashable {
    let stack: StackID
    let activity: Activity
    let isTruncated: Bool
    let isMain: Bool
  }

  private let index: ProfileIndex
  /// By index of the function: whether it is a part of a loop that calls handlers.
  private let isOfLoop: [Bool]
  private var facts: StackFacts
  private var known: [Key: Moment] = [:]
  private var search: HandlerSearch
  /// By thread; of those whose loop has no names.
  private var habits: [Int: RestHabit] = [:]
  /// By thread; of those whose loop is one of the program's own.
  private var ownLoops: [Int: OwnLoop] = [:]

  init(_ index: ProfileIndex) {
    self.index = index
    facts = StackFacts(index)
    search = HandlerSearch(index)
    isOfLoop = index.stacks.functions.map { FunctionRole(of: $0.name).loop != nil }
  }

  /// Whether any stack of the thread goes through an event loop.
  mutating func hasLoop(_ thread: Int) -> Bool {
    var seen: Set<StackID> = []
    let isKnown = index.runs(of: thread).contains { run in
      seen.insert(run.stack).inserted && isInLoop(run.stack)
    }
    if isKnown { return true }
    habits[thread] = RestHabit(index, thread: thread)
    if habits[thread] != nil { return true }
    ownLoops[thread] = OwnLoop(index, thread: thread, &facts)
    return ownLoops[thread] != nil
  }

  private func isInLoop(_ stack: StackID) -> Bool {
    index.sourceFrames(of: stack).contains { isOfLoop[index.stacks.function(ofFrame: $0)] }
  }

  /// What a thread does in `run`.
  mutating func moment(of run: Run, isMain: Bool) -> Moment {
    if let habit = habits[run.thread], run.activity != .unknown {
      if habit.isRest(run) { return .rest }
      return habit.contains(run.stack) || run.end.isTruncated ? .handler(nil) : .outside
    }
    if let loop = ownLoops[run.thread] { return loop.moment(of: run) }
    let key = Key(
      stack: run.stack, activity: run.activity, isTruncated: run.end.isTruncated, isMain: isMain)
    if let moment = known[key] { return moment }
    let moment = find(run, isMain: isMain)
    known[key] = moment
    return moment
  }

  private mutating func find(_ run: Run, isMain: Bool) -> Moment {
    if run.activity == .unknown { return .outside }
    if idleness(of: run, isMain: isMain) != nil { return .rest }
    guard isInLoop(run.stack) else {
      // A stack that breaks off may be in any handler.
      return run.end.isTruncated ? .handler(nil) : .outside
    }
    let parts = facts.fact(of: run.stack, index).parts
    switch search.handler(of: run.stack, parts) {
    case .function(let frame):
      guard let loop = loop(of: run.stack) else { return .outside }
      return .handler(Handler(loop: loop, function: index.stacks.function(ofFrame: frame)))
    case .unnamed: return .handler(nil)
    case .none:
      // One that waits within its loop for something else is not at rest there.
      switch run.activity {
      case .running, .waitingForCPU: return .loop
      case .blocked, .uninterruptible, .stopped, .unknown: return .handler(nil)
      }
    }
  }

  /// Why a thread is idle in `run`; nil when it is not.
  mutating func idleness(of run: Run, isMain: Bool) -> Idleness? {
    wait(of: run).flatMap { wait in
      IdleRecognition.idleness(
        of: facts.fact(of: run.stack, index).parts, wait: wait, isMain: isMain)
    }
  }

  /// What a thread waits for in `run`, by its stack.
  mutating func wait(of run: Run) -> Wait? {
    let parts = facts.fact(of: run.stack, index).parts
    return run.activity.wait(parts.names).map(parts.interpreted)
  }

  /// The function to name that asked for the wait in that stack.
  mutating func asker(of stack: StackID) -> SourceFrame? { facts.fact(of: stack, index).place }

  /// The frame of what the loop called in a stack; nil where that does not show it.
  mutating func entry(of stack: StackID) -> SourceFrame? {
    let parts = facts.fact(of: stack, index).parts
    return search.entry(of: stack, parts)
  }

  /// The loop that a stack is in.
  mutating func loop(of stack: StackID) -> EventLoop? {
    if let habit = habits.values.first(where: { $0.contains(stack) }) { return habit.loop }
    if ownLoops.values.contains(where: { $0.contains(stack) }) { return .own }
    let parts = facts.fact(of: stack, index).parts
    // One kind of loop often runs below another: GLib's below Qt's, libuv's below Python's.
    return parts.roles.lazy.compactMap(\.loopOfHandlers).last
  }

  /// The frame of a handler in one of its stacks.
  func frame(of handler: Handler, in stack: StackID) -> SourceFrame? {
    let frames = index.sourceFrames(of: stack)
    // The outermost, as its line says where the handler is.
    let frame = frames.last { index.stacks.function(ofFrame: $0) == handler.function }
    return frame.map { index.stacks.frames[$0] }
  }
}
