package import ProfileModel

/// A thread that has nothing to do, and how that was told.
package struct Idleness: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case eventLoop = "event_loop"
    /// Waits for somebody to connect.
    case acceptLoop = "accept_loop"
    case workerPool = "worker_pool"
    /// Parked by the runtime of its language.
    case runtime
    /// Waits for a signal.
    case signals
    /// Sleeps by its own choice.
    case sleep
    /// Waits for somebody to type.
    case terminal
  }

  package let kind: Kind
  /// The loop or pool as a part of a sentence, such as `GLib's main loop`.
  package let name: String

  package init(kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }
}

/// Tells threads at rest from threads that wait for something they need.
///
/// A thread is at rest when the function that asked for the wait is one that rests: the event loop
/// itself, not a handler that it called; a pool's own loop, not a job. What is not recognised is not
/// idle.
package struct IdleRecognition: Sendable {
  private typealias Role = IdleNames.Role

  /// A stack of functions, innermost first, with what each means.
  package struct Stack: Sendable {
    let names: [String]
    fileprivate let modules: [ModuleID]
    fileprivate let roles: [IdleNames.Role]
    /// The place of the function that asked for the wait, past the C library's and interpreters'.
    fileprivate let asker: Int
    /// Whether the name of the function that asked is one of a loop, or of a pool's worker.
    fileprivate let isNamedLoop: Bool
    fileprivate let isNamedWorker: Bool
    fileprivate let isInterpreted: Bool
    /// Nil also where no function is Python's.
    fileprivate let fetch: PythonFetch?
    /// What a wait is for, by who asked for it; nil when that says nothing.
    fileprivate let purpose: WaitKind?

    /// The function that asked for the wait; nil when all are of libraries.
    package var askerName: String? { asker < names.count ? names[asker] : nil }

    /// A wait in this stack, with what is told by who asked for it.
    func told(_ wait: Wait) -> Wait {
      var wait = wait
      switch (purpose, wait.kind) {
      case (.databaseLock, .sleep), (.childProcess, .sleep):
        wait.goesOn(as: purpose)
      case (.childProcess, .select) where wait.descriptors.isEmpty:
        // As Python sleeps, before 3.11.
        wait.goesOn(as: purpose)
      case (.join, .semaphore), (.join, .conditionVariable), (.join, .futex):
        wait.kind = .join
        wait.object = nil
      default: break
      }
      return wait
    }

    /// Its frame among the frames that the stack was made of.
    package func asker(of frames: [SourceFrame]) -> SourceFrame? {
      asker < frames.count ? frames[asker] : nil
    }
  }

  private var roles: [String: IdleNames.Role] = [:]
  /// By index of the module.
  private let owners: [ModuleOwner]

  /// For stacks through these files.
  package init(_ modules: [Module]) { owners = modules.map(\.owner) }

  /// A stack with what its functions mean; each name is looked up once.
  package mutating func stack(_ frames: [SourceFrame]) -> Stack {
    var roles: [Role] = []
    let names = frames.map(\.line.function)
    for name in names {
      let role = self.roles[name] ?? IdleNames.role(of: name)
      self.roles[name] = role
      roles.append(role)
    }
    let modules = frames.map(\.module)
    let interpreted = frames.lastIndex(where: \.isInterpreted) ?? 0
    for (position, module) in modules.enumerated() {
      roles[position] =
        frames[position].isInterpreted
        ? frames[position].isEndOfProcess ? .glue : Self.interpretedRole(roles[position])
        : role(roles[position], in: module, isWithin: position < interpreted)
    }
    let asker = Self.caller(
      of: Self.asker(roles, modules), roles, areInterpreted: frames.map(\.isInterpreted))
    let name = asker < names.count ? FunctionName.plain(names[asker]).lowercased() : ""
    let isWorker =
      Self.workerWords.contains { name.contains(bytesOf: $0) }
      && !(asker < frames.count && frames[asker].isInterpreted)
    return Stack(
      names: names, modules: modules, roles: roles, asker: asker,
      isNamedLoop: Self.loopWords.contains { name.contains(bytesOf: $0) }, isNamedWorker: isWorker,
      isInterpreted: frames.contains(where: \.isInterpreted), fetch: PythonFetch(frames),
      purpose: purpose(of: frames, asker: asker))
  }

  /// What a function means that nothing is known of by its name, by the file that it is in: the C
  /// library, and an interpreter within the functions that it runs, work for whoever called them.
  private func role(_ role: Role, in module: ModuleID, isWithin: Bool) -> Role {
    guard role == .other || role == .address else { return role }
    switch owners.owner(of: module) {
    case .library: return role == .address ? .call : .glue
    case .database: return .glue
    case .interpreter: return isWithin ? .glue : role
    case .program: return role
    }
  }

  /// What a function that an interpreter runs means by its name: `worker` may be anything.
  private static func interpretedRole(_ role: Role) -> Role {
    if case .rest(let rest) = role, rest.kind != .eventLoop { return .other }
    return role
  }

  /// What the function that asked for a wait needs by way of the functions that it called.
  private func purpose(of frames: [SourceFrame], asker: Int) -> WaitKind? {
    let isOfDatabase = frames[..<asker].contains { owners.owner(of: $0.module) == .database }
    if isOfDatabase { return .databaseLock }
    if frames[..<asker].contains(where: \.isEndOfProcess) { return .childProcess }
    return asker < frames.count && frames[asker].isEndOfThread ? .join : nil
  }

  /// The interpreted function that called the function at `position`, where that and all between
  /// have no names: an interpreter's way to C in a library that was stripped.
  private static func caller(
    of position: Int, _ roles: [Role], areInterpreted: [Bool]
  ) -> Int {
    guard let next = areInterpreted[min(position, roles.count)...].firstIndex(of: true),
      roles[position..<next].allSatisfy({ $0 == .address || $0 == .glue || $0 == .call })
    else { return position }
    return next
  }

  private static func asker(_ roles: [Role], _ modules: [ModuleID]) -> Int {
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

  /// Why a thread with this stack is idle; nil when it may need what it waits for.
  package static func idleness(of stack: Stack, wait: Wait, isMain: Bool) -> Idleness? {
    if stack.fetch == .work, wait.kind.isFetch {
      return Idleness(kind: .workerPool, name: "a worker pool")
    }
    let isBelowLoop = stack.roles.dropFirst(stack.asker + 1).contains(where: \.isLoop)
    if stack.asker < stack.roles.count, case .rest(let rest) = stack.roles[stack.asker] {
      return rest.covers(wait, isMain: isMain)
        ? Idleness(kind: rest.kind, name: rest.name) : nil
    }
    guard !isBelowLoop else { return nil }
    switch wait.kind {
    case .accept: return Idleness(kind: .acceptLoop, name: "accept")
    case .signal: return Idleness(kind: .signals, name: "signals")
    case .sleep: return Idleness(kind: .sleep, name: "sleep")
    case .epoll, .poll, .select: return eventLoop(stack, wait)
    case .read:
      let isTyping = wait.descriptors.count == 1 && wait.descriptors[0].kind == .tty
      return isTyping ? Idleness(kind: .terminal, name: "terminal") : nil
    case .conditionVariable, .semaphore, .parking, .messageQueue:
      return isMain ? nil : worker(stack)
    default: return nil
    }
  }

  /// The loop whose handler the thread is in: it should return soon.
  package static func loopRunningHandler(_ stack: Stack) -> String? {
    for role in stack.roles.dropFirst(stack.asker + 1) where role.callsHandlers {
      switch role {
      case .loop(let name): return name
      case .rest(let rest): return rest.name
      case .call, .glue, .root, .address, .other: continue
      }
    }
    return nil
  }

  /// The function that the loop called, and that should return soon: past the loop's own library;
  /// nil when the thread is in no handler.
  package static func handler(of stack: Stack, frames: [SourceFrame]) -> SourceFrame? {
    let start = min(stack.asker + 1, stack.roles.count)
    guard let loop = stack.roles[start...].firstIndex(where: \.callsHandlers) else { return nil }
    let within = frames.indices.prefix(loop).reversed().filter { position in
      stack.roles[position] == .other && stack.modules[position] != stack.modules[loop]
        && !(frames[position].line.file?.hasSuffix("/tkinter/__init__.py") ?? false)
    }
    let own = within.first { frames[$0].line.file != nil } ?? within.first
    return own.map { frames[$0] }
  }

  /// Own frames between the thread's start and its wait, no more than which a pool's loop has.
  private static let poolDepth = 3

  /// Whether a stack is as flat as the loop of a pool's worker.
  private static func isFlat(_ stack: Stack) -> Bool {
    guard stack.asker < stack.roles.count else { return false }
    let own = stack.roles[stack.asker...].count { $0 == .other || $0 == .address }
    return own >= 1 && own <= poolDepth
  }

  /// Whether threads in this stack, should there be many, are a pool's workers.
  package static func isWorkers(_ stack: Stack) -> Bool {
    isFlat(stack) && (!stack.isInterpreted || stack.fetch != nil)
  }

  /// The outermost function that is not the system's, by which threads of one kind are known.
  package static func entry(of stack: Stack) -> String? {
    zip(stack.names, stack.roles).reversed().first { $0.1 == .other }?.0
  }

  // MARK: - What has no known name

  /// An event loop of the program's own: told by a listening socket, or by its function.
  private static func eventLoop(_ stack: Stack, _ wait: Wait) -> Idleness? {
    let descriptors = wait.descriptors
    if descriptors.contains(where: { $0.state == "listening" }) {
      return Idleness(kind: .acceptLoop, name: "its own event loop")
    }
    if !descriptors.isEmpty, descriptors.allSatisfy({ $0.kind == .tty }) {
      return Idleness(kind: .terminal, name: "terminal")
    }
    guard let name = stack.askerName else { return nil }
    let plain = FunctionName.plain(name)
    // Behind an interpreter's main function may lie anything.
    let isDirect = !stack.roles[..<stack.asker].contains(.glue)
    let isLoop =
      stack.isNamedLoop
      || plain == "main" && isDirect && (wait.kind == .epoll || descriptors.count > 1)
    return isLoop ? Idleness(kind: .eventLoop, name: "its own event loop") : nil
  }

  private static let loopWords = [
    "eventloop", "event_loop", "mainloop", "main_loop", "loop::run", "server_loop", "serverloop",
    "poll_loop", "pollloop", "run_loop", "runloop", "reactor",
  ]

  private static func worker(_ stack: Stack) -> Idleness? {
    guard isFlat(stack), stack.isNamedWorker else { return nil }
    return Idleness(kind: .workerPool, name: "a worker pool")
  }

  private static let workerWords = [
    "worker", "pool", "dequeue", "queue_pop", "queue::pop", "queue::take", "wait_for_work",
    "waitforwork", "wait_for_task", "wait_for_job", "next_job", "next_task", "get_task", "get_job",
    "consumer",
  ]
}

extension Wait {
  /// Makes of a sleep between two tries the wait for what is tried.
  fileprivate mutating func goesOn(as purpose: WaitKind?) {
    guard let purpose else { return }
    kind = purpose
    // What is known of the sleep says nothing of when the try succeeds.
    isTimed = false
    timeLeft = nil
  }
}

extension WaitKind {
  /// Whether a pool of Python's waits for its work so: at a queue, or at a pipe between processes.
  fileprivate var isFetch: Bool {
    switch self {
    case .semaphore, .conditionVariable, .futex, .parking, .read, .receive, .poll, .select, .epoll:
      true
    default: false
    }
  }
}

extension IdleNames.Rest {
  /// Whether the loop or pool rests in a wait of this kind.
  fileprivate func covers(_ wait: Wait, isMain: Bool) -> Bool {
    switch (kind, wait.kind) {
    case (.eventLoop, .poll), (.eventLoop, .select), (.eventLoop, .epoll),
      (.eventLoop, .asynchronousIO), (.eventLoop, .signal), (.eventLoop, .sleep),
      (.eventLoop, .accept):
      return true
    case (.eventLoop, .conditionVariable), (.eventLoop, .futex), (.eventLoop, .parking),
      (.eventLoop, .semaphore):
      // Threads that run one loop together wait for their turn so.
      return name == "Asio's loop" || name == "the run loop" || name == "mio's event loop"
    case (.eventLoop, .read): return name == "the reader of X events"
    case (.runtime, .futex), (.runtime, .parking), (.runtime, .conditionVariable),
      (.runtime, .semaphore), (.runtime, .epoll), (.runtime, .poll), (.runtime, .sleep):
      return true
    case (.workerPool, .mutex): return parksOnLock && !isMain
    case (.workerPool, .systemVSemaphore), (.workerPool, .fileLock): return parksOnLock
    // A futex whose user is not known may be a lock: a name that anybody may use is not enough.
    case (.workerPool, .futex): return !isMain && name != "a worker pool"
    case (.workerPool, .parking), (.workerPool, .conditionVariable),
      (.workerPool, .semaphore), (.workerPool, .barrier), (.workerPool, .sleep),
      (.workerPool, .epoll), (.workerPool, .poll):
      return !isMain
    default: return false
    }
  }
}
