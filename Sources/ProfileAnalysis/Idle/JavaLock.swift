internal import ProfileModel

/// A lock of Java's that a thread waits for, by the functions that it waits in; which one it is they do not
/// say.
struct JavaLock: Sendable {
  let kind: WaitKind
  let flavor: LockFlavor.Trait
  /// The class of the lock; nil where nothing shows it.
  let type: String?
}

extension JavaLock {
  private static let package = "java.util.concurrent.locks."

  /// Of the functions between a wait and the one that asked for it, innermost first; nil where they wait for
  /// something else, such as a condition.
  init?(_ frames: some Sequence<SourceFrame>) {
    var isAcquiring = false
    for frame in frames {
      let name = frame.line.function
      guard frame.line.language == .java else {
        if JavaFunctions.entersMonitor(FunctionName.plain(name)) {
          self.init(kind: .mutex, flavor: .monitor, type: nil)
          return
        }
        continue
      }
      guard name.hasPrefix(Self.package) else {
        // The call that parks is a class's of another package.
        if JavaFunctions.parks(name) { continue }
        return nil
      }
      let rest = name.dropFirst(Self.package.count)
      if let lock = Self.lock(rest) {
        self = lock
        return
      }
      if rest.hasPrefix("AbstractQueuedSynchronizer$ConditionObject.") {
        // A condition that was met, and whose lock is to be had again.
        guard isAcquiring else { return nil }
        self.init(kind: .mutex, flavor: .java, type: nil)
        return
      }
      isAcquiring = rest.hasPrefix("AbstractQueuedSynchronizer.acquire")
    }
    return nil
  }

  /// The lock that has a method, by its name without the package.
  private static func lock(_ method: Substring) -> JavaLock? {
    guard let row = methods.first(where: { method.hasPrefix($0.beginning) }) else { return nil }
    // `StampedLock` has methods for both.
    let isRead =
      row.type == "StampedLock"
      && (method.contains(bytesOf: ".read") || method.contains(bytesOf: "Read"))
    return JavaLock(
      kind: isRead ? .readLock : row.kind, flavor: .java,
      type: package + row.type)
  }

  private static let methods: [(beginning: String, kind: WaitKind, type: String)] = [
    ("ReentrantReadWriteLock$ReadLock.", .readLock, "ReentrantReadWriteLock"),
    ("ReentrantReadWriteLock$WriteLock.", .writeLock, "ReentrantReadWriteLock"),
    ("StampedLock.", .writeLock, "StampedLock"), ("ReentrantLock.", .mutex, "ReentrantLock"),
    ("ReentrantLock$", .mutex, "ReentrantLock"),
  ]
}

extension Wait {
  /// Becomes the wait for a lock of Java's, of which the kernel knows no more than a futex; one that the VM
  /// itself has named stays.
  mutating func become(_ lock: JavaLock) {
    if object?.flavor?.isOfRuntime ?? false {
      // The lock is the same for both; only the functions tell a reader from a writer.
      if kind == .writeLock, lock.kind == .readLock { kind = .readLock }
      return
    }
    switch kind {
    case .parking, .conditionVariable, .semaphore, .futex, .mutex: break
    default: return
    }
    kind = lock.kind
    object = WaitObject(
      address: RemoteAddress(0), flavor: LockFlavor([lock.flavor]), variable: lock.type)
    owners = []
    // Some versions of the VM wake up now and then to look whether they missed anything.
    if lock.flavor == .monitor { (isTimed, timeLeft) = (false, nil) }
  }
}
