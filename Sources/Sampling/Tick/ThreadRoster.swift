internal import LinuxProcess
internal import ProfileModel

/// The threads of a process that are sampled, each in a slot of its own.
struct ThreadRoster: ~Copyable {
  private(set) var threads: [SampledThread] = []
  private let folder: TaskFolder
  private var known: Set<Int32> = []
  /// Threads that have ended and that the kernel still lists.
  private var uncollected: Set<Int32> = []
  private var freeSlots: [Int] = []
  private var usedSlots = 0

  init(_ folder: TaskFolder) { self.folder = folder }

  /// Whether no thread of the program is left but its main thread's entry.
  var isProgramOver: Bool { threads.allSatisfy { !$0.isAlive } }

  /// Whether the kernel lists another number of threads, which 1 µs shows; nil when the process is gone.
  func hasChanged() -> Bool? { folder.count().map { $0 != threads.count + uncollected.count } }

  /// Ends a main thread whose number another thread has taken over, by executing a program (de_thread);
  /// returns whether there was one.
  func endReplacedMainThread() -> Bool {
    guard let main = threads.first(where: \.isZombie), let state = main.files.state(),
      !state.hasEnded
    else { return false }
    main.end()
    return true
  }

  /// The threads that the kernel lists and this does not; 1 µs a thread.
  mutating func newThreads() -> [Int32] {
    // A number that is in use again is another thread's.
    uncollected = uncollected.filter { isOver($0) }
    return folder.threads().filter { !known.contains($0) && !uncollected.contains($0) }
  }

  /// Whether the kernel lists a thread that lives and that this does not list.
  mutating func hasOtherThreads() -> Bool { newThreads().contains { !isOver($0) } }

  /// Opens a thread's files and gives it a slot; nil when it has ended or no slot is free.
  mutating func add(_ tid: Int32, account: ThreadAccount) -> SampledThread? {
    guard usedSlots < ThreadRequests.capacity || !freeSlots.isEmpty,
      let files = try? ThreadFiles(folder: folder, thread: tid)
    else { return nil }
    let slot = freeSlots.popLast() ?? usedSlots
    if slot == usedSlots { usedSlots += 1 }
    let thread = SampledThread(
      files: files, slot: slot, isMain: tid == folder.process, account: account)
    threads.append(thread)
    known.insert(tid)
    return thread
  }

  /// Closes the files of the threads that have ended.
  mutating func removeEnded() {
    for thread in threads {
      guard case .ended(_, let isListed) = thread.life else { continue }
      known.remove(thread.tid)
      if isListed { uncollected.insert(thread.tid) }
      freeSlots.append(thread.slot)
    }
    threads.removeAll { $0.hasEnded }
  }

  private func isOver(_ tid: Int32) -> Bool {
    folder.read("stat", of: tid, capacity: 512) { ThreadStat(parsing: $0)?.state.hasEnded } ?? false
  }
}
