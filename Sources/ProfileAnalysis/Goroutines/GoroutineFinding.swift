package import ProfileModel

/// What the goroutines of a program say of why it does not go on.
package struct GoroutineFinding: Hashable, Sendable {
  /// The raw values are words for programs.
  package enum Kind: String, Sendable, CaseIterable {
    /// Each waits for another, and nothing else could wake one.
    case allAsleep = "all_asleep"
    /// Some wait for a lock.
    case lock
    /// Some wait for a channel that nobody reads.
    case send
    /// Virtual threads of Java wait for a lock that somebody holds.
    case virtualLock = "virtual_lock"
  }

  package let kind: Kind
  /// Index into `profile.goroutines`.
  package let list: Int
  /// Indexes of the groups that it is about, those with the most goroutines first.
  package let groups: [Int]
  /// How many goroutines these have.
  package let count: Int
  /// For how long they have been waiting at least, in nanoseconds; nil where that is not known.
  package let waited: Int64?
  /// Where most of them are: the program's own function.
  package let place: SourceFrame?
}

/// What a group of goroutines waits for.
package enum GoroutineWait: Hashable, Sendable {
  case mutex, readLock, writeLock, waitGroup, conditionVariable, semaphore
  case receive, send, select, forEver
  case network, sleep
  /// For whatever the program will say.
  case parked
  /// What only the runtime waits for.
  case other

  /// Nil for a group that does not wait.
  package init?(_ group: GoroutineGroup, stack: [SourceLine]) {
    guard group.state == .waiting else { return nil }
    if let wait = group.wait {
      self.init(wait)
      return
    }
    switch group.reason ?? "" {
    case "sync.Mutex.Lock": self = Self.isOfWriter(stack) ? .writeLock : .mutex
    case "sync.RWMutex.RLock": self = .readLock
    case "sync.RWMutex.Lock": self = .writeLock
    case "sync.WaitGroup.Wait", "sync.WaitGroup.Wait (durable)": self = .waitGroup
    case "sync.Cond.Wait": self = .conditionVariable
    case "semacquire": self = Self.semaphore(stack)
    case "chan receive", "chan receive (durable)", "chan receive (synctest)": self = .receive
    case "chan send", "chan send (durable)", "chan send (synctest)": self = .send
    case "select", "select (durable)", "select (synctest)": self = .select
    case "select (no cases)", "chan receive (nil chan)", "chan send (nil chan)": self = .forEver
    case "IO wait": self = .network
    case "sleep": self = .sleep
    default: self = .other
    }
  }

  /// Of a virtual thread that has said what it waits for.
  private init(_ wait: Wait) {
    switch wait.kind {
    case .mutex: self = .mutex
    case .readLock: self = .readLock
    case .writeLock: self = .writeLock
    case .semaphore: self = .semaphore
    default: self = .conditionVariable
    }
  }

  /// Of a virtual thread that has not: its functions tell.
  fileprivate init(virtual stack: [SourceLine]) {
    let inner = stack.prefix(12).map(\.function)
    if inner.contains(where: { $0.hasPrefix("java.lang.VirtualThread.sleep") }) {
      self = .sleep
    } else if inner.contains(where: { $0.hasPrefix("sun.nio.ch.") }) {
      self = .network
    } else {
      self = .parked
    }
  }

  /// Go 1.18 and 1.19 have one word for all that `sync` waits for.
  private static func semaphore(_ stack: [SourceLine]) -> GoroutineWait {
    if isOfWriter(stack) { return .writeLock }
    for line in stack.prefix(8) {
      switch line.function {
      case "sync.(*Mutex).Lock", "sync.(*Mutex).lockSlow": return .mutex
      case "sync.(*RWMutex).RLock": return .readLock
      case "sync.(*RWMutex).Lock": return .writeLock
      case "sync.(*WaitGroup).Wait": return .waitGroup
      default: continue
      }
    }
    return .semaphore
  }

  /// Whether a read-write lock is wanted for writing: writers wait for each other at its mutex.
  private static func isOfWriter(_ stack: [SourceLine]) -> Bool {
    stack.prefix(10).contains { $0.function == "sync.(*RWMutex).Lock" }
  }

  /// Whether the one that holds it is another goroutine, which should not keep it for long.
  package var isLock: Bool {
    switch self {
    case .mutex, .readLock, .writeLock: true
    case .waitGroup, .conditionVariable, .semaphore, .receive, .send, .select, .forEver, .network,
      .sleep, .parked, .other:
      false
    }
  }

  /// Whether only another goroutine can end it.
  package var isForOthers: Bool {
    switch self {
    case .mutex, .readLock, .writeLock, .waitGroup, .conditionVariable, .semaphore, .receive,
      .send, .select, .forEver:
      true
    case .network, .sleep, .parked, .other: false
    }
  }
}

extension Goroutines {
  package func stack(of group: GoroutineGroup) -> [SourceLine] {
    group.stack.flatMap { stacks.indices.contains($0) ? stacks[$0] : nil } ?? []
  }

  /// What a group waits for; nil for one that does not wait.
  package func wait(of group: GoroutineGroup) -> GoroutineWait? {
    if kind == .virtualThread, group.state == .waiting, group.wait == nil {
      return GoroutineWait(virtual: stack(of: group))
    }
    return GoroutineWait(group, stack: stack(of: group))
  }

  /// Whether a group waits for what may come at any time, as those of a healthy server do.
  package func isAtRest(_ group: GoroutineGroup) -> Bool {
    switch wait(of: group) {
    case .network, .sleep, .receive, .select, .forEver, .parked, .other: true
    // What the virtual threads of a healthy server wait for are the queues that work comes in.
    case .conditionVariable, .semaphore: kind == .virtualThread
    case .mutex, .readLock, .writeLock, .waitGroup, .send, nil: false
    }
  }

  /// The innermost function of a group that is the program's own: not the runtime's, and not one of the
  /// packages that wait on behalf of their callers.
  package func place(of group: GoroutineGroup) -> SourceFrame? {
    let stack = stack(of: group)
    let own = stack.first { !$0.isOfGoRuntime && !$0.isOfWaitingPackage }
    return (own ?? stack.first).map { SourceFrame(interpreted: $0) }
  }

  /// The group of a virtual thread, by its number as waits have it; nil where it is not known.
  package func group(ofThread tid: Int32) -> GoroutineGroup? {
    guard kind == .virtualThread, tid < 0 else { return nil }
    let id = UInt64(-Int64(tid))
    return groups.first { $0.ids.contains(id) }
  }
}

extension SourceLine {
  /// Whether Go's own traces hide it, or Java's: a function of the runtime that programs do not call.
  package var isOfGoRuntime: Bool {
    if language == .java {
      return Self.virtualMachinery.contains { function.hasPrefix($0) }
    }
    guard function.hasPrefix("runtime.") else { return false }
    let name = function.dropFirst("runtime.".count)
    return !(name.first?.isUppercase ?? false)
  }

  private static let virtualMachinery = [
    "jdk.internal.vm.Continuation", "java.lang.VirtualThread$VThreadContinuation",
    "java.lang.VirtualThread.yieldContinuation",
  ]

  /// Whether it is of a package that waits on behalf of its callers.
  package var isOfWaitingPackage: Bool {
    guard language != .java else { return SourceFrame(interpreted: self).isOfStandardLibrary }
    return ["sync.", "internal/", "time.", "runtime.", "syscall."].contains {
      function.hasPrefix($0)
    }
  }
}
