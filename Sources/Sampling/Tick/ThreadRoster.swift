internal import LinuxProcess
internal import ProfileModel

/// The threads of a process that are sampled, each in a slot of its own.
struct ThreadRoster: ~Copyable {
  private(set) var threads: [SampledThread] = []
  private(set) var leftOut = LeftOut()
  private let folder: TaskFolder
  private let limit: Int
  private var known: Set<Int32> = []
  /// Threads that have ended and that the kernel still lists.
  private var uncollected: Set<Int32> = []
  private var freeSlots: [Int] = []
  private var usedSlots = 0

  /// Threads that are not sampled as they should be.
  struct LeftOut {
    /// Those that live, or did, and could not be listed.
    fileprivate(set) var threads: Set<Int32> = []
    /// Why the last of these could not; nil where as many are listed as sprof samples at a time.
    fileprivate(set) var failure: SystemError?
    /// How many had their files opened anew for each read.
    fileprivate(set) var reopened = 0
  }

  /// Lists at most `limit` threads at a time.
  init(_ folder: TaskFolder, limit: Int = ThreadRequests.capacity) {
    self.folder = folder
    self.limit = limit
  }

  /// Whether no thread of the program is left but its main thread's entry.
  var isProgramOver: Bool { threads.allSatisfy { !$0.isAlive } }

  /// Whether the kernel lists another number of threads, which 1 µs shows; nil when the process is gone.
  func hasChanged() -> Bool? { folder.count().map { $0 != threads.count + uncollected.count } }

  /// Ends a main thread whose number another thread has taken over, by executing a program (kernel:
  /// de_thread); returns whether there was one.
  ///
  /// `isSame` says of one that lives whether its counters are still those of the thread that had the
  /// number before.
  func endReplacedMainThread(unless isSame: (SampledThread) -> Bool) -> Bool {
    guard let main = threads.first(where: { $0.isMain && !$0.hasEnded }),
      let state = main.files.state(), !state.hasEnded, main.isZombie || !isSame(main)
    else { return false }
    main.end()
    return true
  }

  /// The threads that the kernel lists and this does not; 1 µs a thread, 10 µs for one whose files are
  /// opened anew for each read.
  mutating func newThreads() -> [Int32] {
    // Its number may be another thread's by now.
    for thread in threads where thread.files.areReopened && thread.files.isGone { thread.end() }
    // A number that is in use again is another thread's.
    uncollected = uncollected.filter { isOver($0) }
    return folder.threads().filter { !known.contains($0) && !uncollected.contains($0) }
  }

  /// Whether the kernel lists a thread that lives and that this does not list.
  mutating func hasOtherThreads() -> Bool { newThreads().contains { !isOver($0) } }

  /// Opens a thread's files and gives it a slot; nil when it has ended or no slot is free.
  mutating func add(_ tid: Int32, account: ThreadAccount) -> SampledThread? {
    guard usedSlots < limit || !freeSlots.isEmpty else {
      if !isOver(tid) { leave(out: tid, nil) }
      return nil
    }
    let files: ThreadFiles
    do {
      files = try ThreadFiles(folder: folder, thread: tid)
    } catch {
      if !error.meansGone { leave(out: tid, error) }
      return nil
    }
    leftOut.threads.remove(tid)
    let slot = freeSlots.popLast() ?? usedSlots
    if slot == usedSlots { usedSlots += 1 }
    let thread = SampledThread(
      files: files, slot: slot, isMain: tid == folder.process, account: account)
    threads.append(thread)
    known.insert(tid)
    if thread.files.areReopened { leftOut.reopened += 1 }
    return thread
  }

  private mutating func leave(out tid: Int32, _ failure: SystemError?) {
    leftOut.threads.insert(tid)
    leftOut.failure = failure
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
