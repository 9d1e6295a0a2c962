package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

extension PythonReader {
  /// Who waits for a lock of `threading` that several wait for, or that another thread holds.
  ///
  /// A `Lock` does not note its owner. But while the block of a `with` runs, what ends it is on the
  /// frame's own stack: the lock's `__exit__`. An `RLock` has its owner. Costs some reads for each thread,
  /// where any sleeps in a futex.
  package func waits(from memory: some TargetMemory) -> [Int32: RuntimeWait] {
    guard var waits = PythonLockWaits(self, memory) else { return [:] }
    return waits.find()
  }
}

/// One look at the locks of `threading` that threads wait for.
private struct PythonLockWaits<Memory: TargetMemory> {
  private let reader: PythonReader
  private let objects: PythonObjects<Memory>
  private var stacks: PythonFrameStacks<Memory>
  private var frames: [RemoteAddress: [PythonRawFrame]] = [:]

  /// In all, however many threads there are.
  private static var timeLimit: Nanoseconds { .milliseconds(100) }

  init?(_ reader: PythonReader, _ memory: Memory) {
    self.reader = reader
    objects = PythonObjects(runtime: reader.runtime, memory: memory)
    let deadline = MonotonicClock.now() + Self.timeLimit
    guard let stacks = PythonFrameStacks(reader.runtime, objects, until: deadline) else {
      return nil
    }
    self.stacks = stacks
  }

  /// What threads wait for, by the number of the thread.
  mutating func find() -> [Int32: RuntimeWait] {
    let waiters = waiters()
    guard !waiters.isEmpty else { return [:] }
    for thread in reader.threads { frames[thread.state] = stacks.frames(of: thread) }
    let held = heldLocks()
    let wanted = wantedLocks(of: waiters)
    var result: [Int32: RuntimeWait] = [:]
    for (tid, word) in waiters {
      let owners = (held[word] ?? []).subtracting([tid])
      let owner =
        wanted[word].flatMap { self.owner(of: $0) } ?? (owners.count == 1 ? owners.first : nil)
      let isShared = wanted[word] != nil && waiters.values.count { $0 == word } > 1
      guard owner != tid, owner != nil || isShared else { continue }
      result[tid] = RuntimeWait(
        kind: owner == nil ? .semaphore : .mutex, flavor: .python, object: word, type: nil,
        owner: owner)
    }
    return result
  }

  // MARK: - Who waits

  /// The threads that sleep in a futex which may be a lock's, and which one.
  private func waiters() -> [Int32: RemoteAddress] {
    guard let folder = try? TaskFolder(process: reader.process) else { return [:] }
    var futexes: [Int32: RemoteAddress] = [:]
    for tid in Set(reader.threads.compactMap(\.tid)) {
      guard case .asleep(let number, let arguments, _, _) = folder.systemCall(of: tid),
        SystemCallNames.name(of: number) == "futex"
      else { continue }
      let address = RemoteAddress(arguments[0])
      if !address.isNull, !reader.isLock(address) { futexes[tid] = address }
    }
    guard objects.hasInlineLocks else { return futexes }
    // A thread sleeps on a semaphore of its own, behind the address of what it waits for (`wait_entry`,
    // Python/parking_lot.c).
    let tids = Array(futexes.keys)
    let words = objects.pointers(
      tids.compactMap { futexes[$0] }.map { $0 - PythonObjectShape.wordSize })
    var result: [Int32: RemoteAddress] = [:]
    for (tid, word) in zip(tids, words) {
      if let word, objects.lock(ofMutex: word) != nil { result[tid] = word }
    }
    return result
  }

  /// The lock objects that threads wait for, by their words.
  private mutating func wantedLocks(
    of waiters: [Int32: RemoteAddress]
  ) -> [RemoteAddress: PythonLockObject] {
    var result: [RemoteAddress: PythonLockObject] = [:]
    let words = Set(waiters.values)
    if objects.hasInlineLocks {
      for word in words { result[word] = objects.lock(ofMutex: word) }
      return result
    }
    // Where the call is, the lock is on the caller's stack, alone or bound to its method.
    for thread in reader.threads {
      guard let tid = thread.tid, waiters[tid] != nil, let frame = frames[thread.state]?.first
      else { continue }
      let near = Set(stacks.all(of: frame))
      let bound = ["acquire", "__enter__", "__exit__"].flatMap {
        objects.receivers(ofMethods: near, named: $0).values
      }
      for lock in objects.locks(near.union(bound)).values where words.contains(lock.word) {
        result[lock.word] = lock
      }
    }
    return result
  }

  private func owner(of lock: PythonLockObject) -> Int32? {
    lock.owner.flatMap { owner in reader.threads.first { $0.pthread == owner }?.tid }
  }

  // MARK: - Who holds

  /// The threads within a `with` of each lock, by the lock's word.
  private mutating func heldLocks() -> [RemoteAddress: Set<Int32>] {
    var kept: [(tid: Int32, stack: [RemoteAddress])] = []
    for thread in reader.threads {
      guard let tid = thread.tid, let frames = frames[thread.state] else { continue }
      kept += stacks.kept(by: frames).filter { !$0.isEmpty }.map { (tid, $0) }
    }
    let all = Set(kept.flatMap(\.stack))
    let bound = objects.receivers(ofMethods: all, named: "__exit__")
    let functions = objects.hasInlineLocks ? exits(among: all) : []
    let locks = objects.locks(all.union(bound.values))
    var result: [RemoteAddress: Set<Int32>] = [:]
    for (tid, stack) in kept {
      for (index, object) in stack.enumerated() {
        // From 3.14 on the function is below what it is called with.
        let isExit = index > 0 && functions.contains(stack[index - 1])
        guard let lock = bound[object].flatMap({ locks[$0] }) ?? (isExit ? locks[object] : nil)
        else { continue }
        result[lock.word, default: []].insert(tid)
      }
    }
    return result
  }

  /// The functions among some objects, of Python or C, that may be a class's `__exit__`.
  private func exits(among objects: Set<RemoteAddress>) -> Set<RemoteAddress> {
    let names = self.objects.typeNames(of: objects)
    return Set(names.filter { $0.value == "method_descriptor" || $0.value == "function" }.keys)
  }
}
