internal import LinuxProcess
internal import ProfileModel

/// A `Lock` or `RLock` of Python's `threading`.
struct PythonLockObject: Hashable {
  /// What tells it to the kernel: its semaphore, from 3.14 on its `PyMutex`.
  let word: RemoteAddress
  /// `pthread_self()` of the thread that holds an `RLock`; nil for a `Lock`, which does not note it, and
  /// for one that is free.
  let owner: UInt64?
}

extension PythonObjects {
  /// Whether a lock is a `PyMutex` within its object, in place of a semaphore elsewhere.
  var hasInlineLocks: Bool { runtime.version.minor >= 14 }

  private static var lockName: String { "_thread.lock" }
  private static var reentrantLockName: String { "_thread.RLock" }

  /// The locks among some objects, and those that conditions of `threading` have.
  func locks(_ addresses: Set<RemoteAddress>) -> [RemoteAddress: PythonLockObject] {
    var result: [RemoteAddress: PythonLockObject] = [:]
    var conditions: [RemoteAddress: RemoteAddress] = [:]
    for (object, name) in typeNames(of: addresses) {
      switch name {
      case Self.lockName, Self.reentrantLockName:
        result[object] = lock(object, isReentrant: name == Self.reentrantLockName)
      case "Condition":
        conditions[object] = attributes(["_lock"], of: object)["_lock"]
      default: continue
      }
    }
    for (object, name) in typeNames(of: Set(conditions.values)) {
      guard name == Self.lockName || name == Self.reentrantLockName else { continue }
      let lock = lock(object, isReentrant: name == Self.reentrantLockName)
      for (condition, inner) in conditions where inner == object { result[condition] = lock }
    }
    return result
  }

  /// The lock whose `PyMutex` is at an address; nil where that is none.
  func lock(ofMutex word: RemoteAddress) -> PythonLockObject? {
    guard let field = runtime.layout[.threadingLock], word.rawValue > UInt64(field) else {
      return nil
    }
    return locks([word - field]).values.first
  }

  private func lock(_ object: RemoteAddress, isReentrant: Bool) -> PythonLockObject? {
    guard let field = runtime.layout[.threadingLock],
      let ownerField = runtime.layout[.threadingLockOwner]
    else { return nil }
    let owner = isReentrant ? word(object + ownerField) ?? 0 : 0
    let place = hasInlineLocks ? object + field : reference(object + field)
    return place.map { PythonLockObject(word: $0, owner: owner == 0 ? nil : owner) }
  }

  /// What the methods among some objects are bound to: of C functions only `name`.
  func receivers(ofMethods addresses: Set<RemoteAddress>, named name: String)
    -> [RemoteAddress: RemoteAddress]
  {
    var result: [RemoteAddress: RemoteAddress] = [:]
    for (object, type) in typeNames(of: addresses) {
      switch type {
      case "method": result[object] = reference(object + shape.methodReceiver)
      case "builtin_function_or_method":
        guard let field = runtime.layout[.builtinDefinition],
          let text = reference(object + field).flatMap({ reference($0) }),
          copies([MemoryRange(start: text, count: name.utf8.count + 1)])
            .bytes(at: text, count: name.utf8.count + 1)?.elementsEqual(Array(name.utf8) + [0])
            ?? false
        else { continue }
        result[object] = reference(object + shape.builtinReceiver)
      default: continue
      }
    }
    return result
  }

  /// The names of the types of some objects; without those that are none.
  func typeNames(of addresses: Set<RemoteAddress>) -> [RemoteAddress: String] {
    // Objects begin at multiples of 8.
    let known = addresses.filter { !$0.isNull && $0.rawValue & 7 == 0 }.sorted()
    let types = pointers(known.map { $0 + shape.type })
    var names: [RemoteAddress: String] = [:]
    var unknown: Set<RemoteAddress> = []
    var result: [RemoteAddress: String] = [:]
    for (object, type) in zip(known, types) {
      guard let type, !type.isNull, !unknown.contains(type) else { continue }
      if names[type] == nil { names[type] = typeName(type) }
      if let name = names[type] { result[object] = name } else { unknown.insert(type) }
    }
    return result
  }
}
