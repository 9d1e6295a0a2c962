internal import LinuxProcess
internal import ProfileModel

/// Finds which thread a number in the program's own memory means.
///
/// In a PID namespace the program knows its threads by other numbers than we do.
struct ThreadNumbers {
  private let folder: TaskFolder
  private let processes: PeerProcesses
  /// Whether the program's numbers are not sprof's; nil until it was read.
  private var isTranslated: Bool?
  private var translation: [UInt32: Int32] = [:]
  private var owners: [UInt32: LockOwner] = [:]
  /// The children of the process, and the file locks of the machine, once they were read.
  private var knownChildren: [Int32]??
  private var knownLocks: [FileLock]?

  init(_ folder: TaskFolder, processes: PeerProcesses) {
    self.folder = folder
    self.processes = processes
  }

  /// The process that the numbers are those of.
  var pid: Int32 { folder.process }

  /// Threads come and go: what is known is good for one moment.
  mutating func forget() {
    owners = [:]
    translation = [:]
    isTranslated = nil
    knownChildren = nil
    knownLocks = nil
  }

  /// The children of the process; nil where the kernel does not list them.
  ///
  /// 10 µs for each thread of the process, so they are read once for all threads that wait.
  mutating func children() -> [Int32]? {
    if let knownChildren { return knownChildren }
    let process = folder.identity(of: pid)
    let children = process.flatMap { ProcessTree.children(of: $0) }?.map(\.pid)
    knownChildren = .some(children)
    return children
  }

  /// The file locks that the kernel lists.
  mutating func fileLocks() -> [FileLock] {
    if let knownLocks { return knownLocks }
    let locks = FileLock.read()
    knownLocks = locks
    return locks
  }

  /// The largest number that a thread may have is PID_MAX_LIMIT (include/linux/threads.h).
  static func isPlausible(_ number: UInt32) -> Bool { number > 0 && number <= 4_194_304 }

  /// Who has that number; `isShared` when the lock may belong to another process, too.
  mutating func owner(of number: UInt32, isShared: Bool) -> LockOwner {
    guard Self.isPlausible(number) else { return .unknown }
    if let known = owners[number] { return known }
    let owner = find(number, isShared: isShared)
    owners[number] = owner
    return owner
  }

  private mutating func find(_ number: UInt32, isShared: Bool) -> LockOwner {
    if isTranslated == nil { readTranslation() }
    let isTranslated = isTranslated ?? false
    if let tid = isTranslated ? translation[number] : Int32(number) {
      if isAlive(tid) { return .thread(tid) }
    }
    guard isShared else { return .gone }
    // Nobody knows which namespace the owner of a shared lock counts in.
    guard !isTranslated else { return .unknown }
    guard let status = try? ProcessStatus(of: Int32(number)) else { return .gone }
    guard !status.state.hasEnded else { return .gone }
    return .elsewhere(processes.owner(status.threadGroup, thread: Int32(number)))
  }

  private func isAlive(_ tid: Int32) -> Bool {
    let stat = folder.read("stat", of: tid, capacity: 512) { ThreadStat(parsing: $0) }
    return stat.map { !$0.state.hasEnded } ?? false
  }

  private mutating func readTranslation() {
    let numbers = folder.status(of: pid)?.namespaceNumbers ?? []
    isTranslated = numbers.count > 1
    guard numbers.count > 1 else { return }
    for tid in folder.threads().prefix(16_384) {
      guard let inner = folder.status(of: tid)?.namespaceNumbers.last else { continue }
      translation[UInt32(bitPattern: inner)] = tid
    }
  }

  /// sprof's number for a process that the program knows by `number`; nil when there is none.
  mutating func process(_ number: Int32, among candidates: [Int32]) -> Int32? {
    if isTranslated == nil { readTranslation() }
    guard isTranslated ?? false else { return number }
    return candidates.first { (try? ProcessStatus(of: $0))?.namespaceNumbers.last == number }
  }
}
