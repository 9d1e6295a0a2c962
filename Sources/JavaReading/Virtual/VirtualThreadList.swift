internal import LinuxProcess
internal import ProfileModel

/// A virtual thread, as its object was when it was copied.
struct VirtualThreadRecord {
  let address: RemoteAddress
  /// What `Thread.threadId` gives.
  let number: UInt64
  let stateName: String
  let state: VirtualThreadClasses.State
  let continuation: RemoteAddress?
  let carrier: RemoteAddress?
  let blocker: RemoteAddress?
  let name: RemoteAddress?
  let monitorWaiter: RemoteAddress?
  fileprivate let scope: RemoteAddress?

  /// Whether a later copy shows the same thread at rest in the same place.
  func isSame(as other: VirtualThreadRecord) -> Bool {
    number == other.number && stateName == other.stateName && continuation == other.continuation
      && blocker == other.blocker && monitorWaiter == other.monitorWaiter
  }

  /// Nil for an object that is no virtual thread, such as another that has its place by now.
  init?(
    _ pieces: MemoryPieces, at place: Int, _ address: RemoteAddress,
    _ classes: VirtualThreadClasses, _ objects: JavaObjects
  ) {
    guard objects.classOf(pieces, at: place) == classes.virtualThread,
      let number = pieces.value(at: place + classes.number, as: UInt64.self),
      let state = pieces.value(at: place + classes.state, as: Int32.self),
      let known = classes.states[state & ~VirtualThreadClasses.suspended]
    else { return nil }
    self.address = address
    self.number = number
    (stateName, self.state) = known
    continuation = objects.reference(in: pieces, at: place + classes.continuation)
    carrier = objects.reference(in: pieces, at: place + classes.carrier)
    blocker = objects.reference(in: pieces, at: place + classes.blocker)
    name = objects.reference(in: pieces, at: place + classes.name)
    scope = classes.scopes.flatMap { objects.reference(in: pieces, at: place + $0) }
    monitorWaiter = classes.monitorWaiter.flatMap { field in
      pieces.value(at: place + field, as: UInt64.self).flatMap {
        $0 == 0 ? nil : RemoteAddress($0)
      }
    }
  }
}

/// Lists the virtual threads of a program, where its library has them in sets
/// (jdk/internal/vm/ThreadContainers.java): those that were started by themselves, and those of each executor
/// and of each scope.
struct VirtualThreadList {
  let classes: VirtualThreadClasses
  let bootClasses: BootClasses
  let objects: JavaObjects
  let memory: JavaMemory
  /// Whether threads that were started by themselves are not listed (`jdk.trackAllThreads=false`).
  private(set) var isUntracked = false
  private(set) var isCut = false
  private var seen: Set<RemoteAddress> = []

  static let batch = 1000
  /// What is not listed by then is left out: memory that makes no sense may have any number of sets.
  private static let timeLimit = Nanoseconds.seconds(5)
  /// Scopes within each other, and sets in all.
  private static let (depthLimit, setLimit) = (64, 1 << 16)

  init(
    _ classes: VirtualThreadClasses, _ bootClasses: BootClasses, _ objects: JavaObjects,
    _ memory: JavaMemory
  ) {
    self.classes = classes
    self.bootClasses = bootClasses
    self.objects = objects
    self.memory = memory
  }

  /// Calls `body` with some threads at a time; false where the sets cannot be read.
  ///
  /// `scopes` are those that threads of the VM are in.
  mutating func forEach(
    scopes: [RemoteAddress], _ body: ([VirtualThreadRecord]) -> Void
  ) -> Bool {
    guard let containers = bootClasses.address(of: VirtualThreadClasses.containersName) else {
      return false
    }
    var sets = executors(containers)
    if let root { sets.insert(root, at: 0) } else { isUntracked = true }
    sets += scopes.flatMap { setsOfScopes(from: $0) }
    var count = 0
    let end = MonotonicClock.now() + Self.timeLimit
    while let set = sets.popLast(), seen.count < Self.setLimit {
      guard count < JavaSet.limit, MonotonicClock.now() < end else {
        isCut = true
        return true
      }
      guard seen.insert(set).inserted else { continue }
      guard let elements = JavaSet(objects: objects, memory: memory).elements(of: set) else {
        if set == root { return false }
        continue
      }
      isCut = isCut || count + elements.count > JavaSet.limit
      for part in elements.prefix(JavaSet.limit - count).inParts(of: Self.batch) {
        let records = Self.records(of: Array(part), classes, objects, memory).compactMap { $0 }
        for scope in records.compactMap(\.scope) { sets += setsOfScopes(from: scope) }
        if !records.isEmpty { body(records) }
      }
      count += elements.count
    }
    return true
  }

  /// The objects that are virtual threads which have begun and not ended; nil for each other one.
  static func records(
    of addresses: [RemoteAddress], _ classes: VirtualThreadClasses, _ objects: JavaObjects,
    _ memory: JavaMemory
  ) -> [VirtualThreadRecord?] {
    var pieces = MemoryPieces()
    memory.read(addresses.map { MemoryRange(start: $0, count: classes.size) }, into: &pieces)
    return zip(addresses, pieces.places).map { address, place in
      guard let place,
        let record = VirtualThreadRecord(pieces, at: place, address, classes, objects)
      else { return nil }
      if case .absent = record.state { return nil }
      return record
    }
  }

  // MARK: - Sets

  /// The set of those that were started by themselves; nil where there is none.
  private var root: RemoteAddress? {
    guard let holder = bootClasses.address(of: VirtualThreadClasses.rootName),
      let place = objects.place(ofStatic: "VTHREADS", in: holder, memory)
    else { return nil }
    return objects.reference(at: place, memory)
  }

  private func executors(_ containers: RemoteAddress) -> [RemoteAddress] {
    guard
      let place = objects.place(ofStatic: "CONTAINER_REGISTRY", in: containers, memory),
      let registry = objects.reference(at: place, memory),
      let references = JavaSet(objects: objects, memory: memory).elements(of: registry)
    else { return [] }
    return references.prefix(Self.setLimit).compactMap { reference in
      guard
        let container = objects.reference(
          "referent", of: reference, declaredBy: "java.lang.ref.Reference", memory)
      else { return nil }
      return objects.reference(
        "threads", of: container, declaredBy: "java.util.concurrent.ThreadPerTaskExecutor", memory)
        ?? objects.reference(
          "virtualThreads", of: container, declaredBy: "jdk.internal.vm.SharedThreadContainer",
          memory)
    }
  }

  /// The sets of a scope and of those around it, as of structured concurrency.
  private func setsOfScopes(from innermost: RemoteAddress) -> [RemoteAddress] {
    var result: [RemoteAddress] = []
    var next: RemoteAddress? = innermost
    for _ in 0..<Self.depthLimit {
      guard let scope = next else { break }
      if let flock = objects.reference(
        "flock", of: scope, declaredBy: "jdk.internal.misc.ThreadFlock$ThreadContainerImpl", memory),
        let set = objects.reference(
          "threads", of: flock, declaredBy: "jdk.internal.misc.ThreadFlock", memory)
      {
        result.append(set)
      }
      next = objects.reference(
        "previous", of: scope, declaredBy: "jdk.internal.vm.StackableScope", memory)
    }
    return result
  }
}
