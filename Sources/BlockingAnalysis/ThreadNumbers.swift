internal import LinuxProcess
internal import ProfileModel

/// Tells which thread a number in the program's own memory means.
///
/// In a PID namespace the program knows its threads by other numbers than we do.
struct ThreadNumbers {
  private let pid: Int32
  private let folder: TaskFolder?
  /// Whether the program's numbers are not ours; nil until it was asked.
  private var isTranslated: Bool?
  private var translation: [UInt32: Int32] = [:]
  private var lives: [UInt32: ThreadLife] = [:]
  /// The children of the process, and the file locks of the machine, once they were read.
  private var knownChildren: [Int32]??
  private var knownLocks: [FileLock]?

  /// `folder` is that of the process; nil when it is gone.
  init(pid: Int32, folder: TaskFolder?) {
    self.pid = pid
    self.folder = folder
  }

  /// Threads come and go: what is known is good for one moment.
  mutating func forget() {
    lives = [:]
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
    let children = ProcessTree.children(of: pid)
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
  mutating func life(of number: UInt32, isShared: Bool) -> ThreadLife {
    guard Self.isPlausible(number) else { return .unknown }
    if let known = lives[number] { return known }
    let life = find(number, isShared: isShared)
    lives[number] = life
    return life
  }

  private mutating func find(_ number: UInt32, isShared: Bool) -> ThreadLife {
    if isTranslated == nil { readTranslation() }
    let isTranslated = isTranslated ?? false
    if let tid = isTranslated ? translation[number] : Int32(number) {
      if isAlive(tid) { return .alive(tid) }
    }
    guard isShared else { return .gone }
    // Nobody can tell which namespace the owner of a shared lock counts in.
    guard !isTranslated else { return .unknown }
    guard let status = try? ProcessStatus(of: Int32(number)) else { return .gone }
    guard status.state != "Z", status.state != "X" else { return .gone }
    let name = ProcessSearch.processName(status.threadGroup) ?? status.name
    return .elsewhere(pid: status.threadGroup, tid: Int32(number), name: name)
  }

  private func isAlive(_ tid: Int32) -> Bool {
    let stat = folder?.read("stat", of: tid, capacity: 512) { ThreadStat(parsing: $0) }
    guard let state = stat?.state else { return false }
    return state != UInt8(ascii: "Z") && state != UInt8(ascii: "X")
  }

  private mutating func readTranslation() {
    let numbers = (try? ProcessStatus(of: pid))?.namespaceNumbers ?? []
    isTranslated = numbers.count > 1
    guard numbers.count > 1, let threads = try? ThreadList(process: pid).read() else { return }
    for tid in threads.prefix(16_384) {
      guard let inner = (try? ProcessStatus(of: tid))?.namespaceNumbers.last else { continue }
      translation[UInt32(bitPattern: inner)] = tid
    }
  }

  /// Our number for a process that the program knows by `number`; nil when there is none.
  mutating func process(_ number: Int32, among candidates: [Int32]) -> Int32? {
    if isTranslated == nil { readTranslation() }
    guard isTranslated ?? false else { return number }
    return candidates.first { (try? ProcessStatus(of: $0))?.namespaceNumbers.last == number }
  }
}
