package import ProfileModel

/// Tells threads at rest from threads that wait for something they need.
///
/// A thread is at rest when the function that asked for the wait is one that rests: the event loop
/// itself, not a handler that it called; a pool's own loop, not a job. What is not recognised is
/// not idle.
package struct IdleRecognition: Sendable {
  /// A stack of functions, innermost first, with what each means.
  package struct Stack: Sendable {
    let names: [String]
    let modules: [ModuleID]
    let roles: [FunctionRole]
    /// The position of the function that asked for the wait: past those of the C library and of
    /// interpreters.
    let asker: Int
    /// Whether the function that asked is named like a loop, or like a pool's worker.
    let isNamedLoop: Bool
    let isNamedWorker: Bool
    let isInterpreted: Bool
    /// Nil also where no function is Python's.
    let fetch: PythonFetch?
    /// What the wait is for, by the function that asked for it; nil when that says nothing.
    let purpose: WaitKind?
    /// Whether a function of Python's waits for a lock of Python's own.
    let isPythonLock: Bool
    /// The lock of Java's that it is for; nil for any other wait.
    let javaLock: JavaLock?
    /// The outermost function that is not the system's; threads of one kind have the same.
    let entry: String?
    /// Where it is in the event loops that it passes through.
    let place: LoopPlace

    /// The function that asked for the wait; nil when all are of libraries.
    package var askerName: String? { asker < names.count ? names[asker] : nil }

    /// The role of the function that asked for the wait.
    var askerRole: FunctionRole? { asker < roles.count ? roles[asker] : nil }

    /// Whether a function around the loop waits for one answer: nothing else would end that loop.
    var isPrivateLoop: Bool {
      guard let rest = place.rest, let caller = place.handlerOf else { return false }
      return names[rest.frames.lowerBound..<caller].contains { name in
        let plain = FunctionName.plain(name).lowercased()
        return plain.hasSuffix("_sync") || plain.contains(bytesOf: "call_sync")
          || plain.contains(bytesOf: "subprocess_wait")
      }
    }

    /// A wait in this stack, corrected by what the function that asked for it needs.
    func interpreted(_ wait: Wait) -> Wait {
      var wait = wait
      switch (purpose, wait.kind) {
      case (.databaseLock, .sleep), (.childProcess, .sleep):
        wait.becomeRetry(of: purpose)
      case (.childProcess, .select) where wait.descriptors.isEmpty:
        // As Python sleeps, before 3.11.
        wait.becomeRetry(of: purpose)
      case (.databaseLock, .epoll), (.databaseLock, .poll), (.databaseLock, .semaphore):
        wait.becomeDatabaseLock()
      case (.join, .semaphore), (.join, .conditionVariable), (.join, .futex):
        wait.kind = .join
        wait.object = nil
      case (.sleep, .conditionVariable), (.sleep, .parking), (.sleep, .futex):
        wait.kind = .sleep
        wait.object = nil
      default: break
      }
      if isPythonLock, wait.kind == .semaphore || wait.kind == .futex {
        wait.kind = .semaphore
        wait.object = WaitObject(
          address: wait.object?.address ?? RemoteAddress(0), flavor: LockFlavor([.python]))
      }
      if let javaLock { wait.become(javaLock) }
      return wait
    }

    /// The asker among the frames that the stack was made of.
    package func asker(of frames: [SourceFrame]) -> SourceFrame? {
      asker < frames.count ? frames[asker] : nil
    }
  }

  private var roles: [String: FunctionRole] = [:]
  /// By index of the module.
  private let owners: [ModuleOwner]

  /// For stacks through these files.
  package init(_ modules: [Module]) { owners = modules.map(\.owner) }

  /// The frame to name for a wait: the asker or, where that is of a language's standard library, the
  /// program's function that called it.
  func place(of stack: Stack, _ frames: [SourceFrame]) -> SourceFrame? {
    guard stack.asker < frames.count else { return nil }
    return frames[owners.caller(of: stack.asker, in: frames)]
  }

  /// The function to name that runs a loop of its own within a handler; nil where there is none.
  func callerOfPrivateLoop(_ stack: Stack, _ frames: [SourceFrame]) -> SourceFrame? {
    guard let rest = stack.place.rest, stack.place.handlerOf != nil else { return nil }
    let caller = rest.frames.upperBound + 1
    return caller < frames.count ? frames[owners.caller(of: caller, in: frames)] : nil
  }

  /// A stack with what its functions mean; each name is looked up once.
  package mutating func stack(_ frames: [SourceFrame]) -> Stack {
    let roles = roles(of: frames)
    let names = frames.map(\.line.function)
    let modules = frames.map(\.module)
    let asker = Self.interpretedCaller(of: Self.asker(roles, modules), roles, frames)
    let name = asker < names.count ? FunctionName.plain(names[asker]).lowercased() : ""
    let isAskerInterpreted = asker < frames.count && frames[asker].isInterpreted
    return Stack(
      names: names, modules: modules, roles: roles, asker: asker,
      isNamedLoop: Self.loopWords.contains { name.contains(bytesOf: $0) },
      isNamedWorker: !isAskerInterpreted
        && Self.workerWords.contains { name.contains(bytesOf: $0) },
      isInterpreted: frames.contains(where: \.isInterpreted), fetch: PythonFetch(frames),
      purpose: purpose(of: frames, asker: asker),
      isPythonLock: isAskerInterpreted && frames[..<asker].takePythonLock,
      javaLock: JavaLock(frames[..<min(asker, frames.count)]),
      entry: frames.indices.last { roles[$0] == .other && !frames[$0].isStartOfThread }
        .map { names[$0] },
      place: LoopPlace(roles, isToolkit: isToolkit(frames), modules: modules, asker: asker))
  }

  /// By position: whether a function is of a library of loops and windows.
  private func isToolkit(_ frames: [SourceFrame]) -> [Bool] {
    frames.map { frame in
      if frame.isPython { return PythonFunctions.isOfToolkit(frame) }
      if frame.isInterpreted { return JavaFunctions.isOfLibrary(frame) }
      switch owners.owner(of: frame.module) {
      case .toolkit, .tcl, .library, .languageLibrary, .interpreter: return true
      case .allocator, .database, .program: return false
      }
    }
  }

  private mutating func roles(of frames: [SourceFrame]) -> [FunctionRole] {
    let interpreted = frames.lastIndex(where: \.isInterpreted) ?? 0
    var result: [FunctionRole] = []
    for (position, frame) in frames.enumerated() {
      let name = frame.line.function
      let role = roles[name] ?? FunctionRole(of: name)
      roles[name] = role
      result.append(self.role(role, of: frame, isWithin: position < interpreted))
    }
    guard let rest = restOfLibrary(frames, result) else { return result }
    return result.map { $0 == .other || $0 == .address ? .rest(rest) : $0 }
  }

  /// Where a thread rests that runs for an allocator alone, or for Tcl's notifier, and for nobody who called
  /// it; nil for any other.
  private func restOfLibrary(
    _ frames: [SourceFrame], _ roles: [FunctionRole]
  ) -> FunctionRole.Rest? {
    var found: ModuleOwner?
    for (frame, role) in zip(frames, roles) {
      guard !frame.isInterpreted else { return nil }
      let owner = owners.owner(of: frame.module)
      switch owner {
      case .library: continue
      case .allocator: break
      // Its other threads pass through functions that it exports, and so have names.
      case .tcl: guard role == .address else { return nil }
      case .database, .interpreter, .languageLibrary, .program, .toolkit: return nil
      }
      guard found == nil || found == owner else { return nil }
      found = owner
    }
    switch found {
    case .allocator: return .pool(.jemalloc)
    case .tcl: return .loop(.tcl)
    default: return nil
    }
  }

  /// What a function means, by what its name means; `isWithin` one that a runtime runs.
  private func role(
    _ role: FunctionRole, of frame: SourceFrame, isWithin: Bool
  ) -> FunctionRole {
    if frame.isPython { return frame.isEndOfProcess ? .glue : Self.interpretedRole(role) }
    if frame.isInterpreted { return JavaFunctions.isHidden(frame) ? .glue : role }
    return self.role(role, in: frame.module, isWithin: isWithin)
  }

  /// What a function means whose name says nothing, by its file: the C library, and an interpreter
  /// within the functions that it runs, work for their callers.
  private func role(
    _ role: FunctionRole, in module: ModuleID, isWithin: Bool
  ) -> FunctionRole {
    guard role == .other || role == .address else { return role }
    switch owners.owner(of: module) {
    case .library: return role == .address ? .call : .glue
    case .database: return .glue
    case .interpreter: return isWithin ? .glue : role
    case .allocator, .languageLibrary, .program, .tcl, .toolkit: return role
    }
  }

  /// What a function that an interpreter runs means by its name: `worker` may be anything.
  private static func interpretedRole(_ role: FunctionRole) -> FunctionRole {
    switch role {
    case .rest(.pool), .rest(.runtime): .other
    case .rest(.loop), .call, .glue, .dispatch, .emission, .reply, .root, .address, .other: role
    }
  }

  /// What the function that asked for a wait needs, by the functions that it called.
  private func purpose(of frames: [SourceFrame], asker: Int) -> WaitKind? {
    let isOfDatabase = frames[..<asker].contains { owners.owner(of: $0.module) == .database }
    if isOfDatabase { return .databaseLock }
    let isOfSession = frames.prefix(asker + 1).contains { frame in
      !frame.isInterpreted && frame.line.function == Self.sessionLock
    }
    if isOfSession { return .databaseLock }
    if frames[..<asker].contains(where: \.isEndOfProcess) { return .childProcess }
    if frames[..<asker].contains(where: JavaFunctions.isSleep) { return .sleep }
    return asker < frames.count && frames[asker].isEndOfThread ? .join : nil
  }

  /// The interpreted function that called the function at `position`, where that and all between
  /// have no names: an interpreter's way to C in a library that was stripped.
  private static func interpretedCaller(
    of position: Int, _ roles: [FunctionRole], _ frames: [SourceFrame]
  ) -> Int {
    guard
      let next = frames[min(position, frames.count)...].firstIndex(where: \.isInterpreted),
      roles[position..<next].allSatisfy({ $0 == .address || $0 == .glue || $0 == .call })
    else { return position }
    return next
  }

  private static func asker(_ roles: [FunctionRole], _ modules: [ModuleID]) -> Int {
    var position = 0
    while position < roles.count, roles[position] == .call || roles[position] == .glue {
      position += 1
    }
    // Functions that a stripped library keeps to itself have no names: up to two of them belong to
    // the loop in the same file that follows.
    var next = position
    while next < roles.count, next < position + 3, roles[next] == .address,
      modules[next] == modules[position]
    {
      next += 1
    }
    guard next > position, next < position + 3, next < roles.count,
      modules[next] == modules[position],
      case .rest = roles[next]
    else { return position }
    return next
  }

  /// Where a session of PostgreSQL waits for a lock that another session has.
  private static let sessionLock = "ProcSleep"

  private static let loopWords = [
    "eventloop", "event_loop", "mainloop", "main_loop", "loop::run", "server_loop", "serverloop",
    "poll_loop", "pollloop", "run_loop", "runloop", "reactor",
  ]

  private static let workerWords = [
    "worker", "pool", "dequeue", "queue_pop", "queue::pop", "queue::take", "wait_for_work",
    "waitforwork", "wait_for_task", "wait_for_job", "next_job", "next_task", "get_task", "get_job",
    "consumer",
  ]
}

extension Wait {
  /// Turns a sleep between two tries into the wait for what is tried.
  fileprivate mutating func becomeRetry(of purpose: WaitKind?) {
    guard let purpose else { return }
    kind = purpose
    // The time left of the sleep says nothing about when the try succeeds.
    isTimed = false
    timeLeft = nil
  }
}
