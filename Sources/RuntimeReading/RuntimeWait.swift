package import ProfileModel

/// What a thread waits for by what its runtime says: of a lock of the runtime's own the kernel knows
/// nothing but a futex.
package struct RuntimeWait: Hashable, Sendable {
  package let kind: WaitKind
  /// What kind of lock it is; nil for one like any other.
  package let flavor: LockFlavor.Trait?
  /// Where the lock is; a collector may move it.
  package let object: RemoteAddress
  /// The type of the lock as users write it; nil where that is not known.
  package let type: String?
  /// The thread that can end the wait; nil where that is not known, or any can.
  package let owner: Int32?
  /// Whether the wait has no limit of time, though the call that it sleeps in has one.
  package let hasNoLimit: Bool

  package init(
    kind: WaitKind, flavor: LockFlavor.Trait?, object: RemoteAddress, type: String?, owner: Int32?,
    hasNoLimit: Bool = false
  ) {
    self.kind = kind
    self.flavor = flavor
    self.object = object
    self.type = type
    self.owner = owner
    self.hasNoLimit = hasNoLimit
  }

  /// Whether another look has found the same wait; the lock may have been moved since.
  package func isSame(as other: RuntimeWait) -> Bool { isAlike(other) && owner == other.owner }

  /// The same, whoever holds the lock.
  package func isAlike(_ other: RuntimeWait) -> Bool {
    kind == other.kind && flavor == other.flavor && type == other.type
  }

  /// Whether it is for a lock, which one thread after the other may have.
  package var isForLock: Bool {
    switch kind {
    case .mutex, .readLock, .writeLock: true
    default: false
    }
  }

  /// The same wait, of which nobody knows the owner.
  package var withoutOwner: RuntimeWait {
    RuntimeWait(
      kind: kind, flavor: flavor, object: object, type: type, owner: nil, hasNoLimit: hasNoLimit)
  }
}

extension Wait {
  /// What a runtime says that a thread waits for.
  package init(_ wait: RuntimeWait) {
    self.init(
      kind: wait.kind,
      object: WaitObject(
        address: wait.object, flavor: wait.flavor.flatMap { LockFlavor([$0]) }, variable: wait.type),
      owners: wait.owner.map { [.thread(tid: $0)] } ?? [])
  }
}
