internal import ProfileModel

/// The functions in which threads sleep while they hold a lock that others wait for.
///
/// A sleep of one's own choice is a rest, but not with a lock in hand. Who holds a lock is looked up now and
/// then: a place that was met so once is one wherever a thread sleeps there.
struct OwnersSleeps {
  /// By number in `functionPaths`.
  private var paths: Set<Int> = []

  /// Those of an indexed profile; a few steps for each wait that was looked up.
  init(_ index: ProfileIndex) {
    let profile = index.profile
    let threads = ThreadsByNumber(profile)
    for blocking in profile.blockings where blocking.wait.kind.isForOwnedLock {
      guard blocking.wait.owners.count == 1 else { continue }
      let found: Int? =
        switch blocking.wait.owners[0] {
        case .thread(let tid):
          threads.thread(blocking.waiter.pid, tid, at: blocking.firstSeen)
        case .process(let pid, .some(let tid), _):
          threads.thread(pid, tid, at: blocking.firstSeen)
        case .process, .dead, .readers: nil
        }
      guard let owner = found, let run = index.run(of: owner, at: blocking.firstSeen),
        run.activity.isWait
      else { continue }
      paths.insert(index.stacks.functionPaths.path(of: run.stack))
    }
  }

  /// The same functions in another profile of the program.
  init(_ index: ProfileIndex, like known: OwnersSleeps, of knownIndex: ProfileIndex) {
    guard !known.paths.isEmpty else { return }
    let names = Set(known.stacks(of: knownIndex).map(knownIndex.functionNames))
    var seen: Set<StackID> = []
    for run in index.profile.runs
    where run.activity.isWait && seen.insert(run.stack).inserted
      && names.contains(index.functionNames(of: run.stack))
    {
      paths.insert(index.stacks.functionPaths.path(of: run.stack))
    }
  }

  /// One stack or more of each path.
  private func stacks(of index: ProfileIndex) -> Set<StackID> {
    Set(
      index.profile.runs.lazy.map(\.stack).filter {
        paths.contains(index.stacks.functionPaths.path(of: $0))
      })
  }

  /// Whether that path of functions is one.
  func contains(_ path: Int) -> Bool { paths.contains(path) }
}

extension ProfileIndex {
  /// A thread's run at that time; nil where it has none.
  fileprivate func run(of thread: Int, at time: Int64) -> Run? {
    let next = (0..<runCount(of: thread)).partitioningIndex {
      self.run($0, of: thread).start > time
    }
    guard next > 0 else { return nil }
    let run = self.run(next - 1, of: thread)
    return time &- run.start <= max(0, run.weight.wall) ? run : nil
  }
}

extension WaitKind {
  /// Whether it is for what one thread has and must give back.
  fileprivate var isForOwnedLock: Bool {
    switch self {
    case .mutex, .readLock, .writeLock, .onceInitializer, .gil, .fileLock, .semaphore, .futex: true
    default: false
    }
  }
}
