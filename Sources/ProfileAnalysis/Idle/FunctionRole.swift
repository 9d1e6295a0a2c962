internal import ProfileModel

/// What a function in the stack of a wait says about whether the thread rests.
enum FunctionRole: Hashable {
  /// A function of the C library, or of a lock, that waits on behalf of its caller.
  case call
  /// A function between a wait and its asker that says nothing: of an interpreter.
  case glue
  /// A thread rests in it.
  case rest(Rest)
  /// Calls the handlers of this loop, and does not itself wait.
  case dispatch(EventLoop)
  /// Calls handlers for whoever calls it: within a handler, too.
  case emission(EventLoop)
  /// Waits for a server's answer, and takes no events meanwhile.
  case reply
  /// Starts a thread or a program.
  case root
  /// Code without a name.
  case address
  case other

  /// A place where threads without work wait.
  enum Rest: Hashable {
    case loop(EventLoop)
    case pool(WorkerPool)
    case runtime(ParkingRuntime)
  }

  /// The loop that the function is a part of.
  var loop: EventLoop? {
    switch self {
    case .dispatch(let loop), .emission(let loop), .rest(.loop(let loop)): loop
    case .call, .glue, .reply, .rest(.pool), .rest(.runtime), .root, .address, .other: nil
    }
  }

  /// The loop whose handlers it calls, which should return soon.
  var loopOfHandlers: EventLoop? {
    if case .rest(.loop(let loop)) = self, loop.forks { return nil }
    return loop
  }

  /// The role of a function.
  init(of name: String) {
    let plain = FunctionName.plain(name)
    if SourceLine.isAddress(name) {
      self = .address
    } else if let role = IdleNames.roles[plain] {
      self = role
    } else if let kind = WaitNames.lock(plain), kind != .gil {
      self = .call
    } else if let match = IdleNames.beginnings.first(where: { plain.hasPrefix($0.text) }) {
      self = match.role
    } else if let match = JavaFunctions.beginnings.first(where: { plain.hasPrefix($0.text) }) {
      self = match.role
    } else if let match = IdleNames.endings.first(where: { plain.hasSuffix($0.text) }) {
      self = match.role
    } else if let match = IdleNames.parts.first(where: { plain.contains(bytesOf: $0.text) }) {
      self = match.role
    } else {
      self = .other
    }
  }
}

extension FunctionRole.Rest {
  /// Why a thread is idle that rests there.
  var idleness: Idleness {
    switch self {
    case .loop(let loop): .eventLoop(loop)
    case .pool(let pool): .workerPool(pool)
    case .runtime(let runtime): .runtime(runtime)
    }
  }

  /// Whether threads rest there in a wait of this kind.
  func covers(_ wait: WaitKind, isMain: Bool) -> Bool {
    switch self {
    case .loop(let loop): loop.rests(in: wait)
    case .pool(let pool): pool.rests(in: wait, isMain: isMain)
    // The first thread of a Java program waits for the one that runs `main`.
    case .runtime(let runtime): Self.isParking(wait) || runtime == .java && wait == .join
    }
  }

  private static func isParking(_ wait: WaitKind) -> Bool {
    switch wait {
    case .futex, .parking, .conditionVariable, .semaphore, .epoll, .poll, .sleep: true
    default: false
    }
  }
}

extension EventLoop {
  fileprivate func rests(in wait: WaitKind) -> Bool {
    switch wait {
    case .poll, .select, .epoll, .asynchronousIO, .signal, .sleep, .accept: true
    case .conditionVariable, .futex, .parking, .semaphore: isShared || isWokenByThread
    case .read: restsInRead
    default: false
    }
  }
}

extension WorkerPool {
  fileprivate func rests(in wait: WaitKind, isMain: Bool) -> Bool {
    switch wait {
    case .mutex: parksOnLock && !isMain
    case .systemVSemaphore, .fileLock: parksOnLock
    // A futex whose user is not known may be a lock: a name that anybody may use is not enough.
    case .futex: !isMain && self != .unnamed
    case .parking, .conditionVariable, .semaphore, .barrier, .sleep, .epoll, .poll: !isMain
    default: false
    }
  }
}
