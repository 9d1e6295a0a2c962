internal import LinuxProcess
internal import ProfileModel

/// Which thread runs each thread state.
///
/// A thread state has the id of the thread that made it (`PyThreadState_New`), and keeps it while another
/// one runs it (`PyThreadState_Swap`): so do those of sub-interpreters up to 3.12, and of programs that
/// embed Python. The id is believed as long as the frames are found on that thread's stack.
struct PythonThreadOwners {
  struct Owner {
    /// Nil while it is not known.
    var tid: Int32?
    /// The thread that the id names.
    var named: Int32?
    /// Whether other thread states have the same id, so that it says little.
    var isShared = false
    /// Whether the frames were found to be on another stack than the id says.
    var isElsewhere = false
    /// Whether they were ever found on a thread's stack.
    var wasFound = false
  }

  private var owners: [PythonThread.Key: Owner] = [:]

  subscript(thread: PythonThread) -> Owner { owners[thread.key] ?? Owner() }

  /// Takes over the thread states that there are; `named` gives the thread that the id of one names.
  mutating func update(
    to threads: [PythonThread], isAlive: (Int32) -> Bool, named: (PythonThread) -> Int32?
  ) {
    let before = owners
    owners.removeAll(keepingCapacity: true)
    let shared = Self.sharedIDs(of: threads)
    for thread in threads {
      let known = before[thread.key]
      var owner = known ?? Owner()
      if owner.named.map({ !isAlive($0) }) ?? true { owner.named = named(thread) }
      owner.isShared = shared.contains(thread.pthread)
      if let tid = owner.tid, !isAlive(tid) { owner.tid = nil }
      let isBelieved = !owner.isElsewhere && (known.map { !$0.isShared } ?? !owner.isShared)
      if owner.tid == nil, isBelieved { owner.tid = owner.named }
      owners[thread.key] = owner
    }
  }

  /// Notes that the frames of a thread state were found on a thread's stack; returns whether that is new.
  mutating func note(_ thread: PythonThread, runsOn tid: Int32) -> Bool {
    guard var owner = owners[thread.key] else { return false }
    guard owner.tid != tid else {
      if !owner.wasFound { owners[thread.key]?.wasFound = true }
      return false
    }
    owner.tid = tid
    owner.wasFound = true
    owner.isElsewhere = owner.named != tid
    owners[thread.key] = owner
    return true
  }

  /// Notes that they were not there; returns whether that is new.
  mutating func note(_ thread: PythonThread, isNotOn tid: Int32) -> Bool {
    guard var owner = owners[thread.key], owner.tid == tid else { return false }
    owner.tid = nil
    owner.isElsewhere = true
    owners[thread.key] = owner
    return true
  }

  /// The ids that several thread states have.
  ///
  /// Up to 3.11 one that has not begun has the id of the thread that has made it for another.
  private static func sharedIDs(of threads: [PythonThread]) -> Set<UInt64> {
    var first: [UInt64: PythonThread] = [:]
    var shared: Set<UInt64> = []
    for thread in threads where thread.pthread != 0 {
      if let other = first[thread.pthread],
        other.interpreter != thread.interpreter || other.hasFrames && thread.hasFrames
      {
        shared.insert(thread.pthread)
      }
      if first[thread.pthread] == nil || thread.hasFrames { first[thread.pthread] = thread }
    }
    return shared
  }
}
