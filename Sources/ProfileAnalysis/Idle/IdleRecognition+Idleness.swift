package import ProfileModel

extension IdleRecognition {
  /// Why a thread with this stack is idle; nil when it may need what it waits for.
  package static func idleness(of stack: Stack, wait: Wait, isMain: Bool) -> Idleness? {
    if wait.kind == .kernelWork {
      let isRing = wait.kernelFunction?.hasPrefix("io_") ?? false
      return .workerPool(isRing ? .ioUring : .kernel)
    }
    if stack.fetch == .work, wait.kind.isFetch { return .workerPool(.unnamed) }
    if let rest = stack.place.rest {
      return rests(stack, in: rest, wait: wait, isMain: isMain) ? .eventLoop(rest.loop) : nil
    }
    if case .rest(let rest) = stack.askerRole {
      return rest.covers(wait.kind, isMain: isMain) ? rest.idleness : nil
    }
    let isBelowLoop = stack.roles.dropFirst(stack.asker + 1).contains { $0.loop != nil }
    guard !isBelowLoop else { return nil }
    switch wait.kind {
    case .accept: return .acceptLoop(.call)
    case .signal: return .signals
    case .sleep: return .sleep
    case .epoll, .poll, .select: return eventLoop(stack, wait)
    case .read:
      let isTyping = wait.descriptors.count == 1 && wait.descriptors[0].kind == .tty
      return isTyping ? .terminal : nil
    case .conditionVariable, .semaphore, .parking, .messageQueue:
      return isMain ? nil : worker(stack)
    default: return nil
    }
  }

  /// Whether a thread in a loop's own wait takes the events that it should take.
  private static func rests(
    _ stack: Stack, in rest: LoopPlace.Rest, wait: Wait, isMain: Bool
  ) -> Bool {
    guard FunctionRole.Rest.loop(rest.loop).covers(wait.kind, isMain: isMain) else { return false }
    if rest.isByPollFunction, !wait.isPoll { return false }
    guard let caller = stack.place.handlerOf else { return true }
    if wait.takesUserEvents { return true }
    let loops = rest.frames.compactMap { stack.roles[$0].loop }
    guard !loops.contains(where: { $0.nesting == .shared }) else { return true }
    guard !loops.contains(where: { $0.nesting == .own }) else { return false }
    // Another loop than the one that called the handler has events of its own.
    if wait.descriptors.isEmpty {
      return !stack.roles[..<caller].contains(.reply) && !stack.isPrivateLoop
    }
    return false
  }

  /// The loop whose handler the thread is in: it should return soon, unless it runs a loop that takes
  /// the user's events.
  package static func loopRunningHandler(_ stack: Stack) -> EventLoop? {
    stack.place.handlerOf.flatMap { stack.roles[$0].loopOfHandlers }
  }

  /// The handler that the loop called: the outermost function below it that is the program's own; nil
  /// when the thread is in no handler, or all functions are of libraries.
  package static func handler(of stack: Stack, frames: [SourceFrame]) -> SourceFrame? {
    let own = stack.place.handlers.filter { $0 < frames.count }
    // A function of Python stands for what the interpreter did to call it.
    let position =
      own.first { frames[$0].isInterpreted || frames[$0].line.file != nil } ?? own.first
    return position.map { frames[$0] }
  }

  /// The most frames of a program's own between the thread's start and its wait that the loop of a
  /// pool has.
  private static let poolDepth = 3

  /// Whether a stack is as flat as the loop of a pool's worker.
  private static func isFlat(_ stack: Stack) -> Bool {
    guard stack.asker < stack.roles.count else { return false }
    let own = stack.roles[stack.asker...].count { $0 == .other || $0 == .address }
    return own >= 1 && own <= poolDepth
  }

  /// Whether threads in this stack, if there are several, are a pool's workers.
  package static func isWorkers(_ stack: Stack) -> Bool {
    isFlat(stack) && (!stack.isInterpreted || stack.fetch != nil)
  }

  // MARK: - Functions without a known name

  /// An event loop of the program's own, known by a listening socket or by its function.
  private static func eventLoop(_ stack: Stack, _ wait: Wait) -> Idleness? {
    let descriptors = wait.descriptors
    if descriptors.contains(where: { $0.state == .listening }) { return .acceptLoop(.own) }
    if !descriptors.isEmpty, descriptors.allSatisfy({ $0.kind == .tty }) { return .terminal }
    // One that waits for an answer of the display server takes no events meanwhile.
    if descriptors.contains(where: \.isDisplay), !stack.roles.contains(.reply) {
      return .eventLoop(.own)
    }
    guard let name = stack.askerName else { return nil }
    let plain = FunctionName.plain(name)
    // An interpreter's main function may have called anything.
    let isDirect = !stack.roles[..<stack.asker].contains(.glue)
    let isLoop =
      stack.isNamedLoop
      || plain == "main" && isDirect && (wait.kind == .epoll || descriptors.count > 1)
    return isLoop ? .eventLoop(.own) : nil
  }

  private static func worker(_ stack: Stack) -> Idleness? {
    isFlat(stack) && stack.isNamedWorker ? .workerPool(.unnamed) : nil
  }
}

extension Wait {
  /// Whether it is for any of several descriptors.
  fileprivate var isPoll: Bool {
    switch kind {
    case .poll, .select, .epoll: true
    default: false
    }
  }

  /// Whether it ends when the user does something: it is also for the connection to a display, for
  /// connections of clients, or for a terminal.
  var takesUserEvents: Bool {
    descriptors.contains(where: \.bringsUserEvents)
  }
}

extension WaitKind {
  /// Whether one of Python's pools waits for work in this way: at a queue, or at a pipe between
  /// processes.
  fileprivate var isFetch: Bool {
    switch self {
    case .semaphore, .conditionVariable, .futex, .parking, .read, .receive, .poll, .select, .epoll:
      true
    default: false
    }
  }
}
