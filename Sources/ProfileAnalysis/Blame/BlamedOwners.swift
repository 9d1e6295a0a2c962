internal import ProfileModel

/// Who held up waits, as threads of a profile.
struct BlamedOwners {
  enum Owner {
    /// The wait has no owner by its nature, or nobody in particular ends it.
    case none
    /// It has one, who was not looked up or not found.
    case notKnown
    case readers(Int)
    case ended(Int32)
    case process(pid: Int32, name: String)
    /// Any of several, such as all who hold the other end of a pipe.
    case anyOf([WaitOwner])
    /// The thread, or those of a process, its main one first.
    case threads([Int])
  }

  private let pid: Int32
  private let threads: ThreadsByNumber
  /// By process: the threads that have samples, the main one first.
  private var members: [Int32: [Int]] = [:]
  private let pids: [Int32]
  /// By thread: how long it was not asleep.
  private var demand: [Int64]
  /// By thread: the cycle that it was in at the end.
  private var cycles: [Int: Int] = [:]

  init(_ diagnosis: Diagnosis) {
    let (index, graph) = (diagnosis.index, diagnosis.graph)
    let profile = index.profile
    pid = profile.capture.pid
    threads = ThreadsByNumber(profile)
    pids = profile.threads.map { $0.pid(in: profile.capture.pid) }
    demand = profile.threads.map { max(0, $0.cpu).addingClamped(max(0, $0.delay)) }
    for (thread, info) in profile.threads.enumerated() where index.runCount(of: thread) > 0 {
      let isMain = info.isMain
      members[pids[thread], default: []].insert(
        thread, at: isMain ? 0 : members[pids[thread]]?.count ?? 0)
    }
    for (number, cycle) in graph.cycles.enumerated() {
      for node in cycle.threads {
        if let thread = graph.nodes[node].thread { cycles[thread] = number }
      }
    }
  }

  /// Whether both were in one cycle at the end, or behind it.
  func areInCycle(_ one: Int, _ other: Int) -> Bool {
    guard let cycle = cycles[one] else { return false }
    return cycle == cycles[other]
  }

  /// The threads that needed a CPU most come first.
  func byDemand(_ threads: [Int]) -> [Int] {
    threads.sorted { (demand[$0], $1) > (demand[$1], $0) }
  }

  /// Who held up a thread in a wait.
  func owner(of wait: Wait, thread: Int, at time: Int64) -> Owner {
    let own = pids[thread]
    var candidates = wait.owners
    if candidates.isEmpty, wait.descriptors.count == 1, wait.omittedDescriptors == 0 {
      candidates = wait.descriptors[0].peers
    }
    // Where a process has kept the other end that it handed down, its child is meant.
    if candidates.count > 1 { candidates.removeAll { $0.isProcess(own) } }
    guard let owner = candidates.first else {
      return wait.needsOwner ? .notKnown : .none
    }
    guard candidates.count == 1 else { return .anyOf(candidates) }
    switch owner {
    case .thread(let tid):
      guard let found = threads.thread(own, tid, at: time) else { return .notKnown }
      return found == thread ? .notKnown : .threads([found])
    case .process(let pid, .some(let tid), let name):
      if let found = threads.thread(pid, tid, at: time) { return .threads([found]) }
      return .process(pid: pid, name: name)
    case .process(let pid, nil, let name):
      // Which of its own threads holds the other end is not known.
      guard pid != own, let found = members[pid] else { return .process(pid: pid, name: name) }
      return .threads(found)
    case .dead(let tid): return .ended(tid)
    case .readers(let count): return .readers(count)
    }
  }
}

extension WaitOwner {
  fileprivate func isProcess(_ pid: Int32) -> Bool {
    if case .process(pid, nil, _) = self { return true }
    return false
  }
}

extension Wait {
  /// Whether somebody in particular holds up such a wait.
  fileprivate var needsOwner: Bool {
    switch kind {
    case .mutex, .readLock, .writeLock, .onceInitializer, .gil, .join, .fileLock, .childProcess:
      true
    case .read, .write, .receive, .send:
      descriptors.contains { descriptor in
        switch descriptor.kind {
        case .pipe, .fifo, .unixSocket: true
        case .file, .directory, .device, .tty, .eventfd, .timerfd, .signalfd, .inotify, .epoll,
          .pidfd, .tcpSocket, .udpSocket, .otherSocket, .ioUring, .closed, .unknown:
          false
        }
      }
    case .conditionVariable, .semaphore, .barrier, .parking, .futex, .sleep, .poll, .select,
      .epoll, .open, .connect, .accept, .signal, .databaseLock, .messageQueue, .systemVSemaphore,
      .asynchronousIO, .kernelWork, .pageFault, .disk, .stoppedBySignal, .stoppedByDebugger,
      .frozen, .otherCall, .unknown:
      false
    }
  }
}
