internal import ProfileModel

/// Which locks threads waited for in which stacks.
///
/// A stack shows that a thread waits for a lock, and only some of its samples which one.
struct StackLocks {
  private struct Key: Hashable {
    let thread: Int
    let stack: StackID
    let kind: WaitKind
    let flavor: LockFlavor?
  }

  private let index: ProfileIndex
  private let owned: OwnedWaits
  private var known: [Key: WaitObject?] = [:]

  init(_ index: ProfileIndex, _ owned: OwnedWaits) {
    self.index = index
    self.owned = owned
  }

  /// A wait of which the stack alone is known, with its lock where all that tell which it was in that stack
  /// name the same.
  ///
  /// The first time costs a step for each of the thread's runs.
  mutating func named(_ wait: Wait, of thread: Int, in stack: StackID) -> Wait {
    guard wait.isForUnknownLock || wait.isForLockOfStack else { return wait }
    let key = Key(
      thread: thread, stack: stack, kind: wait.kind, flavor: wait.object?.flavor)
    let found = known[key] ?? find(wait, thread, stack)
    known[key] = .some(found)
    var result = wait
    guard let found else { return result }
    result.object = found
    // To a stack a lock of Python's is a semaphore.
    if result.kind == .semaphore, found.flavor?.isOfRuntime ?? false { result.kind = .mutex }
    return result
  }

  private func find(_ wait: Wait, _ thread: Int, _ stack: StackID) -> WaitObject? {
    var objects: Set<WaitObject> = []
    for run in index.runs(of: thread) where run.stack == stack {
      objects.formUnion(
        wait.isForLockOfStack
          ? owned.objects(of: run.time, thread: thread, like: wait)
          : owned.locks(of: run.time, thread: thread, like: wait))
    }
    guard let first = objects.first else { return nil }
    // A collector moves the locks of a library about: of these only the class is known.
    let isOne =
      objects.count == 1
      || first.flavor?.has(.java) ?? false && objects.allSatisfy { $0.variable == first.variable }
    return isOne ? first : nil
  }
}

extension Wait {
  /// Whether its stack shows what kind of lock it is for, and nothing which one.
  fileprivate var isForLockOfStack: Bool {
    guard object == nil else { return false }
    return switch kind {
    case .mutex, .readLock, .writeLock, .conditionVariable: true
    default: false
    }
  }
}
