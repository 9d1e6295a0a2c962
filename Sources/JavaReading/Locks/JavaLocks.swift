package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

/// What the threads of a VM wait for, by its own structures.
///
/// The threads run meanwhile, and the collector may move objects: what is read twice, some milliseconds
/// apart, and is the same both times, holds.
struct JavaLocks {
  let layout: HotSpotLayout
  let objects: JavaObjects
  let memory: JavaMemory
  private let threads: [JavaThreadInfo]
  let byAddress: [RemoteAddress: JavaThreadInfo]
  private let classes: ClassInitialization
  /// Nil where there are no virtual threads.
  let virtualThreads: VirtualThreadClasses?
  /// By monitor: what a thread waits for that wants to enter it.
  ///
  /// Many threads may want the same one.
  private var entered: [RemoteAddress: RuntimeWait] = [:]
  /// By the numbers that monitors know threads by, and by the objects in their lock stacks; nil before they
  /// were needed.
  private var byNumber: [UInt64: JavaThreadInfo]?
  private var byLocked: [RemoteAddress: JavaThreadInfo]?
  /// The same of virtual threads that no thread runs, by a look at all of them.
  private var byLockedVirtually: [RemoteAddress: Int32]?
  private var blockerClasses: [RemoteAddress: BlockerClass] = [:]
  private let findVirtuallyLocked: () -> [RemoteAddress: Int32]

  /// `_thread_blocked` (src/hotspot/share/utilities/globalDefinitions.hpp).
  private static let blocked: UInt32 = 10
  /// ObjectMonitor::ANONYMOUS_OWNER: the owner's lock stack has the object.
  private static let anonymous: UInt64 = 1
  /// Locks that a thread may hold in its lock stack (LockStack::CAPACITY).
  private static let lockStackLimit = 8
  /// The class of what a thread waits for that needs a class: `int[]`.
  private static let initializationLock = "[I"
  /// No lock stack takes more bytes.
  private static let lockStackSize = 4096
  /// Pieces of memory that are not there, after which no more is read.
  private static let failureLimit = 16

  init(
    _ layout: HotSpotLayout, _ objects: JavaObjects, _ threads: [JavaThreadInfo],
    _ classes: ClassInitialization, _ virtualThreads: VirtualThreadClasses?, memory: JavaMemory,
    virtuallyLocked: @escaping () -> [RemoteAddress: Int32]
  ) {
    findVirtuallyLocked = virtuallyLocked
    self.classes = classes
    self.virtualThreads = virtualThreads
    self.layout = layout
    self.objects = objects
    self.memory = memory
    self.threads = threads
    byAddress = Dictionary(
      threads.map { ($0.address, $0) }, uniquingKeysWith: { known, _ in known })
  }

  /// By thread: what it waits for; some reads for each thread that is blocked.
  mutating func waits() -> [Int32: RuntimeWait] {
    var result: [Int32: RuntimeWait] = [:]
    let states = memory.bytes(
      of: threads.map { MemoryRange(start: $0.address + layout.threads.state, count: 4) })
    let words = RemoteBytes(start: .null, bytes: states)
    let blocked = threads.indices.filter { index in
      words.value(at: index * 4, as: UInt32.self) == Self.blocked
    }.map { threads[$0] }
    let pending = monitors(at: layout.locks.pendingMonitor, of: blocked)
    let waiting = monitors(at: layout.locks.waitingMonitor, of: blocked)
    classes.begin()
    for thread in blocked {
      if let monitor = pending[thread.tid] {
        result[thread.tid] = self.pending(monitor)
      } else if let monitor = waiting[thread.tid] {
        result[thread.tid] = self.waiting(monitor, thread)
      } else if let blocker = objects.parkBlocker(of: thread.address, memory) {
        result[thread.tid] = parked(blocker, thread.tid)
      } else if classes.isWithoutMonitor {
        result[thread.tid] = initializing(thread)
      }
    }
    classes.end()
    return result
  }

  /// By thread: the monitor in that field of its structure; without those that have none.
  private func monitors(
    at field: Int?, of threads: [JavaThreadInfo]
  ) -> [Int32: RemoteAddress] {
    guard let field else { return [:] }
    var result: [Int32: RemoteAddress] = [:]
    for (thread, piece) in pieces(at: field, count: 8, of: threads) {
      if let monitor = piece.address(at: 0), !monitor.isNull { result[thread.tid] = monitor }
    }
    return result
  }

  // MARK: - Monitors

  /// A thread that wants to enter a `synchronized` block.
  mutating func pending(_ monitor: RemoteAddress) -> RuntimeWait {
    if let known = entered[monitor] { return known }
    let object = object(of: monitor)
    let owner = owner(of: monitor, object)
    let wait = RuntimeWait(
      // The object may be moved; its monitor is not, as long as anybody waits for it.
      kind: .mutex, flavor: .monitor, object: monitor,
      type: object.flatMap { objects.lockName(of: $0, memory) }, owner: owner,
      hasNoLimit: true)
    entered[monitor] = wait
    return wait
  }

  /// A thread in `Object.wait`; in that of another thread's object it waits for that thread to end.
  private func waiting(_ monitor: RemoteAddress, _ thread: JavaThreadInfo) -> RuntimeWait {
    let object = object(of: monitor)
    let type = object.flatMap { objects.lockName(of: $0, memory) }
    if type == Self.initializationLock, let wait = initializing(thread) { return wait }
    let joined = object.flatMap { object in
      objects.ancestor(named: "java.lang.Thread", of: object, memory)
        .flatMap { _ in objects.thread(ofObject: object, memory) }
    }
    if let joined = joined.flatMap({ byAddress[$0] }) {
      // A thread that waits for its own end leaves the program to others, and sleeps for ever.
      guard joined.tid != thread.tid else {
        return RuntimeWait(
          kind: .sleep, flavor: nil, object: object ?? monitor, type: nil, owner: nil)
      }
      return RuntimeWait(
        kind: .join, flavor: nil, object: object ?? monitor, type: nil, owner: joined.tid)
    }
    return RuntimeWait(
      kind: .conditionVariable, flavor: .monitor, object: monitor, type: type, owner: nil)
  }

  /// A thread that needs a class which another thread initialises; nil for any other.
  private func initializing(_ thread: JavaThreadInfo) -> RuntimeWait? {
    guard let (holder, owner) = classes.awaited(by: thread, byAddress, memory) else { return nil }
    return RuntimeWait(
      kind: .onceInitializer, flavor: .java, object: holder,
      type: objects.nameOfClass(holder, memory), owner: owner.tid)
  }

  /// The object of a monitor, which keeps a handle of it since JDK 16.
  func object(of monitor: RemoteAddress) -> RemoteAddress? {
    guard let field = layout.locks.object, let first = memory.address(at: monitor + field),
      !first.isNull
    else { return nil }
    return layout.version >= 16
      ? objects.object(at: first, memory) : JavaObjects.object(first.rawValue)
  }

  /// Up to JDK 23 a thread's structure or an address on its stack, later a thread's number; that of no
  /// thread in particular where the lock is in the owner's lock stack.
  ///
  /// A virtual thread that no thread runs has a number below 0.
  private mutating func owner(of monitor: RemoteAddress, _ object: RemoteAddress?) -> Int32? {
    guard let field = layout.locks.owner,
      let value = memory.value(at: monitor + field, as: UInt64.self), value != 0
    else { return nil }
    if value == Self.anonymous, layout.locks.lockStack != nil {
      let known = byLocked ?? lockedObjects()
      byLocked = known
      guard let object else { return nil }
      if let owner = known[object] { return owner.tid }
      guard virtualThreads?.chunk.lockCount != nil else { return nil }
      let virtual = byLockedVirtually ?? findVirtuallyLocked()
      byLockedVirtually = virtual
      return virtual[object]
    }
    guard layout.locks.isOwnerNumber else {
      let address = RemoteAddress(value)
      return (byAddress[address] ?? threads.first { $0.stack.contains(address) })?.tid
    }
    let known = byNumber ?? ownerNumbers()
    byNumber = known
    return known[value]?.tid ?? (virtualThreads == nil ? nil : Self.virtualNumber(value))
  }

  /// The threads by the numbers that monitors know them by; one read for all, or a few more.
  private func ownerNumbers() -> [UInt64: JavaThreadInfo] {
    guard let number = layout.locks.ownerNumber else { return [:] }
    var result: [UInt64: JavaThreadInfo] = [:]
    for (thread, piece) in pieces(at: number, count: 8, of: threads) {
      if let value = piece.value(at: 0, as: UInt64.self) { result[value] = thread }
    }
    return result
  }

  /// The threads by the objects in their lock stacks, whose `_top` counts from the thread's structure.
  private func lockedObjects() -> [RemoteAddress: JavaThreadInfo] {
    guard let stack = layout.locks.lockStack, let topField = layout.locks.lockStackTop,
      let baseField = layout.locks.lockStackBase
    else { return [:] }
    let base = stack &+ baseField
    let start = min(stack &+ topField, base)
    let end = max(stack &+ topField &+ 4, base &+ 8 &* Self.lockStackLimit)
    guard (1...Self.lockStackSize).contains(end &- start) else { return [:] }
    var result: [RemoteAddress: JavaThreadInfo] = [:]
    for (thread, piece) in pieces(at: start, count: end - start, of: threads) {
      guard let top = piece.value(at: stack + topField - start, as: UInt32.self) else { continue }
      let count = min(Self.lockStackLimit, (Int(top) - base) / 8)
      guard count > 0 else { continue }
      for index in 0..<count {
        guard let object = piece.address(at: base - start + index * 8) else { break }
        result[object] = thread
      }
    }
    return result
  }

  /// The same piece of the structures of threads; one that has just ended may have none.
  private func pieces(
    at field: Int, count: Int, of threads: [JavaThreadInfo]
  ) -> [(JavaThreadInfo, RemoteBytes)] {
    var result: [(JavaThreadInfo, RemoteBytes)] = []
    var next = 0
    for _ in 0..<Self.failureLimit where next < threads.count {
      let bytes = memory.bytes(
        of: threads[next...].map { MemoryRange(start: $0.address + field, count: count) })
      for index in 0..<(bytes.count / count) {
        let thread = threads[next + index]
        let own = Array(bytes[(index * count)..<((index + 1) * count)])
        result.append((thread, RemoteBytes(start: thread.address + field, bytes: own)))
      }
      next += bytes.count / count + 1
    }
    return result
  }

  // MARK: - java.util.concurrent

  /// A thread that is parked, by the object for which it said that it is.
  mutating func parked(_ blocker: RemoteAddress, _ thread: Int32) -> RuntimeWait {
    let known = blockerClass(of: blocker)
    let name = known?.name
    let owner = known?.owner.flatMap { field in
      objects.reference(at: blocker + field, memory).flatMap { number(ofThread: $0) }
    }.flatMap { $0 == thread ? nil : $0 }
    var kind = known?.kind ?? .conditionVariable
    // A lock of the program's own that notes its owner.
    if owner != nil, kind == .conditionVariable { kind = .mutex }
    let isLock = owner != nil || kind == .mutex || kind == .writeLock
    return RuntimeWait(
      kind: kind, flavor: isLock ? .java : nil, object: blocker, type: name, owner: owner)
  }

  private static let synchronizer = "java.util.concurrent.locks.AbstractOwnableSynchronizer"

  /// A class of objects that threads are parked for.
  private struct BlockerClass {
    let name: String
    let kind: WaitKind
    /// Where a lock notes the thread that holds it, such as `ReentrantLock`; nil for what does not.
    let owner: Int?
  }

  /// Many threads are parked for objects of a few classes.
  private mutating func blockerClass(of blocker: RemoteAddress) -> BlockerClass? {
    guard let holder = objects.classOf(blocker, memory) else { return nil }
    if let known = blockerClasses[holder] { return known }
    guard let type = objects.nameOfClass(holder, memory) else { return nil }
    let synchronizer = objects.ancestor(named: Self.synchronizer, of: blocker, memory)
    let found = BlockerClass(
      name: Self.lockName(type), kind: Self.kind(type),
      owner: synchronizer.flatMap { objects.offset(of: "exclusiveOwnerThread", in: $0, memory) })
    blockerClasses[holder] = found
    return found
  }

  /// The lock that a user has made, and not the part of it that threads wait in.
  private static func lockName(_ type: String) -> String {
    for suffix in ["$NonfairSync", "$FairSync", "$Sync"] where type.hasSuffix(suffix) {
      return String(type.dropLast(suffix.count))
    }
    return type
  }

  private static func kind(_ type: String) -> WaitKind {
    let name = lockName(type)
    if name.hasSuffix(".ReentrantReadWriteLock") || name.hasSuffix(".StampedLock") {
      return .writeLock
    }
    if name.hasSuffix(".ReentrantLock") { return .mutex }
    if name.hasSuffix(".Semaphore") { return .semaphore }
    if name.hasSuffix(".CountDownLatch") || name.hasSuffix(".Phaser") { return .barrier }
    return .conditionVariable
  }
}

extension JavaReader {
  package func waits(from memory: some TargetMemory) -> [Int32: RuntimeWait] {
    let target = JavaMemory(memory)
    guard let objects = objects(target) else { return [:] }
    var locks = locks(objects, target)
    return locks.waits()
  }

  func locks(_ objects: JavaObjects, _ memory: JavaMemory) -> JavaLocks {
    let virtual = virtualThreads(objects, memory)
    return JavaLocks(
      runtime.layout, objects, infos, classes, virtual, memory: memory
    ) {
      virtual.map { self.virtuallyLocked($0, objects, memory) } ?? [:]
    }
  }
}
