package import ProfileModel

extension IdleRecognition {
  /// Why a thread with this stack is idle; nil when it may need what it waits for.
  package static func idleness(of stack: Stack, wait: Wait, isMain: Bool) -> Idleness? {
    if wait.kind == .kernelWork {
      let isRing = wait.kernelFunction?.hasPrefix("io_") ?? false
      return .workerPool(isRing ? .ioUring : .kernel)
    }
    if stack.fetch == .work, wait.kind.isFetch { return .workerPool(.unnamed) }
    if case .rest(let rest) = stack.askerRole {
      return rest.covers(wait.kind, isMain: isMain) ? rest.idleness : nil
    }
    let isBelowLoop = stack.callerRoles.contains { $0.loop != nil }
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

  /// The loop whose handler the thread is in: it should return soon.
  package static func loopRunningHandler(_ stack: Stack) -> EventLoop? {
    stack.callerRoles.lazy.compactMap(\.loopOfHandlers).first
  }

  /// The function that the loop called, past the loop's own library; nil when the thread is in no
  /// handler.
  package static func handler(of stack: Stack, frames: [SourceFrame]) -> SourceFrame? {
    let start = min(stack.asker + 1, stack.roles.count)
    let loop = stack.roles[start...].firstIndex { $0.loopOfHandlers != nil }
    guard let loop else { return nil }
    let within = frames.indices.prefix(loop).reversed().filter { position in
      stack.roles[position] == .other && stack.modules[position] != stack.modules[loop]
        && !(frames[position].line.file?.hasSuffix("/tkinter/__init__.py") ?? false)
    }
    let own = within.first { frames[$0].line.file != nil } ?? within.first
    return own.map { frames[$0] }
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

  /// The outermost function that is not the system's; threads of one kind have the same.
  package static func entry(of stack: Stack) -> String? {
    zip(stack.names, stack.roles).reversed().first { $0.1 == .other }?.0
  }

  // MARK: - Functions without a known name

  /// An event loop of the program's own, known by a listening socket or by its function.
  private static func eventLoop(_ stack: Stack, _ wait: Wait) -> Idleness? {
    let descriptors = wait.descriptors
    if descriptors.contains(where: { $0.state == .listening }) { return .acceptLoop(.own) }
    if !descriptors.isEmpty, descriptors.allSatisfy({ $0.kind == .tty }) { return .terminal }
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
