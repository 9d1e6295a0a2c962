internal import LinuxProcess
internal import ProfileModel

/// What to search for at the other end of a descriptor.
enum PeerRequest: Hashable, Sendable {
  /// Processes that can write to the pipe, or else those that can read from it.
  case pipe(inode: UInt64, writing: Bool)
  /// The same of a named pipe.
  case fifo(path: String, writing: Bool)
  /// Who has one of these sockets; the first that somebody has counts.
  case sockets([UInt64])
}

/// Which process has which pipe and socket open.
///
/// Costs about 2 µs for each descriptor of each process that may be read; so it is made when a wait
/// first needs it, and piece by piece.
final class PeerIndex {
  private struct Holder {
    let process: ProcessIdentity
    let descriptor: Int32
  }

  private enum Channel: Hashable {
    case pipe(UInt64)
    case socket(UInt64)
    case fifo(String)
  }

  /// More descriptors than this are not remembered.
  private static let limit = 1 << 18

  private let pid: Int32
  private var pending: [Int32]?
  private var fifos: Set<String> = []
  private var holders: [Channel: [Holder]] = [:]
  private var count = 0
  private let processes: PeerProcesses
  /// What was found since the search: threads of one pool wait for one and the same.
  private var answers: [PeerRequest: [WaitOwner]] = [:]
  /// Whether a process may hold something that was not found.
  private(set) var isPartial = false

  init(pid: Int32, processes: PeerProcesses) {
    self.pid = pid
    self.processes = processes
  }

  var isComplete: Bool { pending?.isEmpty ?? false }

  /// Forgets everything: descriptors are opened and closed.
  func forget() {
    pending = nil
    holders = [:]
    answers = [:]
    count = 0
    isPartial = false
  }

  /// Searches until all processes were searched, or `budget` of CPU time was used.
  func search(fifos wanted: Set<String>, budget: Nanoseconds) {
    answers = [:]
    if pending == nil {
      fifos = wanted
      // Taken from the end: the program itself first.
      pending = ProcessTree.all().filter { $0 != pid }.reversed() + [pid]
    }
    let session = ProcessTree.session(of: pid)
    let begin = OwnUsage.threadCPU()
    while let next = pending?.last, OwnUsage.threadCPU() - begin < budget {
      pending?.removeLast()
      guard let process = try? ProcessIdentity(of: next) else { continue }
      guard let channels = OpenDescriptors.channels(of: next, wants: fifos) else {
        // Descriptors are mostly handed down by fork, within a session.
        if session != 0, ProcessTree.session(of: next) == session { isPartial = true }
        continue
      }
      for (descriptor, target) in channels {
        add(target, Holder(process: process, descriptor: descriptor))
      }
    }
  }

  private func add(_ target: DescriptorTarget, _ holder: Holder) {
    guard count < Self.limit else {
      isPartial = true
      return
    }
    count += 1
    switch target {
    case .pipe(let inode): holders[.pipe(inode), default: []].append(holder)
    case .socket(let inode): holders[.socket(inode), default: []].append(holder)
    case .path(let path): holders[.fifo(path), default: []].append(holder)
    case .anonymous: break
    }
  }

  /// The processes at the other end, each once.
  func peers(_ request: PeerRequest) -> [WaitOwner] {
    if let known = answers[request] { return known }
    let owners = find(request)
    answers[request] = owners
    return owners
  }

  private func find(_ request: PeerRequest) -> [WaitOwner] {
    switch request {
    case .pipe(let inode, let writing): return owners(holders[.pipe(inode)] ?? [], writing: writing)
    case .fifo(let path, let writing): return owners(holders[.fifo(path)] ?? [], writing: writing)
    case .sockets(let inodes):
      let held = inodes.lazy.compactMap { [holders] in holders[.socket($0)] }.first
      return owners(held ?? [], writing: nil)
    }
  }

  private func owners(_ all: [Holder], writing: Bool?) -> [WaitOwner] {
    var seen: Set<Int32> = []
    var result: [WaitOwner] = []
    for holder in all where !seen.contains(holder.process.pid) && result.count < 64 {
      let pid = holder.process.pid
      if let writing {
        guard let access = OpenDescriptors.access(of: holder.descriptor, in: pid),
          writing ? access.canWrite : access.canRead
        else { continue }
      }
      // The number may have passed on since the search, and the descriptor be another file.
      guard holder.process.isStillThere else { continue }
      seen.insert(pid)
      result.append(processes.owner(pid))
    }
    return result
  }
}
