internal import LinuxProcess
internal import ProfileModel

/// The interpreters of a process and their thread states, as linked lists of theirs.
struct PythonThreadList {
  private let runtime: PythonRuntime
  private(set) var interpreters: [PythonInterpreter] = []
  private(set) var threads: [PythonThread] = []
  private(set) var isFinalising = false
  /// Whether the last refresh walked all lists to their ends.
  private(set) var isWhole = true
  /// What links the elements of the last refresh; nil until it was asked for.
  private var links: [MemoryRange]?
  /// What the last `isUnchanged` read there; empty if it read nothing, or other places.
  private var linkBytes: [UInt8] = []

  init(_ runtime: PythonRuntime) { self.runtime = runtime }

  mutating func setThreadID(_ tid: Int32?, at index: Int) { threads[index].tid = tid }

  /// Walks the lists again: one read for what was there before, and one for each new element.
  ///
  /// Nothing is stopped: a list that changes under the walk is walked again; should it not come to
  /// rest, threads known before are kept.
  mutating func refresh(from memory: some TargetMemory) {
    let known = PythonListRecords.all(of: interpreters, threads, runtime)
    var walk = PythonThreadListWalk(runtime, from: memory)
    for _ in 0..<Self.attempts {
      walk = PythonThreadListWalk(runtime, from: memory)
      walk.run(known: known)
      if walk.isComplete { break }
    }
    let found = Set(walk.threads.map(\.state))
    let others = walk.isComplete ? [] : threads.filter { !found.contains($0.state) }
    interpreters = walk.interpreters.isEmpty ? interpreters : walk.interpreters
    threads = walk.threads + others
    isFinalising = walk.isFinalising
    isWhole = walk.isComplete
    let before = links
    links = linkRanges
    if links != before { linkBytes = [] }
  }

  private static let attempts = 3

  /// Whether all links and numbers are what they were at the last call, with the same elements.
  ///
  /// The links then lead through just these elements, as they did then.
  mutating func isUnchanged(in memory: some TargetMemory) -> Bool {
    let ranges = links ?? linkRanges
    links = ranges
    let size = ranges.reduce(0) { $0 + $1.count }
    guard size > 0 else { return false }
    var isWhole = false
    // As much is initialised as was read.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      let count = unsafe memory.read(ranges[...], into: UnsafeMutableRawBufferPointer(buffer))
      filled = min(size, max(0, count))
      isWhole = filled == size
    }
    let isSame = isWhole && bytes == linkBytes
    linkBytes = isWhole ? bytes : []
    return isSame
  }

  /// What links the lists' elements, and what shows whose they are.
  private var linkRanges: [MemoryRange] {
    var result: [MemoryRange] = []
    func add(_ fields: [PythonField], of record: RemoteAddress) {
      for offset in fields.compactMap({ runtime.layout[$0] }).sorted() {
        let start = record + offset
        if let last = result.last, last.end == start {
          result[result.count - 1] = MemoryRange(start: last.start, count: last.count + 8)
        } else {
          result.append(MemoryRange(start: start, count: 8))
        }
      }
    }
    add([.runtimeFinalizing, .runtimeInterpreters], of: runtime.address)
    for interpreter in interpreters {
      add(
        [.interpreterNext, .interpreterID, .interpreterThreads, .interpreterGIL],
        of: interpreter.address)
    }
    for thread in threads {
      add([.threadInterpreter, .threadNext, .threadKernelID, .threadPthread], of: thread.state)
    }
    return result
  }
}
