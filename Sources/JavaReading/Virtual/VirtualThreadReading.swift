internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// One reading of all virtual threads.
///
/// They run on meanwhile, and the collector may move all that is read: each is copied a second time behind its
/// stack, and only one that is the same has a stack.
struct VirtualThreadReading {
  /// What is copied of a piece of a stack at most.
  private static let stackLimit = 64 << 10
  /// Pieces of one stack.
  private static let chunkLimit = 256

  private let code: JavaCode
  private let objects: JavaObjects
  private let memory: JavaMemory
  private let classes: VirtualThreadClasses
  private var locks: JavaLocks
  private let walk: FrozenStackWalk
  private let chunks: FrozenChunks
  /// By object: what threads wait for that are parked for it, with the thread that is left out as an owner.
  private var known: [RemoteAddress: RuntimeWait] = [:]
  private(set) var waits: [Int32: RuntimeWait] = [:]
  /// Those that give up after a time.
  private(set) var timed: Set<Int32> = []
  private(set) var groups: VirtualThreadGroups
  /// How many bytes may be read of stacks.
  private var bytesLeft = 1 << 30

  /// `owners` are the numbers of virtual threads that hold what others wait for.
  init(
    _ code: JavaCode, _ locks: JavaLocks, _ classes: VirtualThreadClasses, owners: Set<Int32> = []
  ) {
    groups = VirtualThreadGroups(owners: owners)
    self.code = code
    self.locks = locks
    self.classes = classes
    objects = locks.objects
    memory = locks.memory
    walk = FrozenStackWalk(code: code, memory: locks.memory)
    chunks = FrozenChunks(classes: classes, objects: locks.objects, memory: locks.memory)
  }

  // MARK: - What they wait for

  /// Only notes what the threads wait for.
  mutating func note(_ records: [VirtualThreadRecord]) {
    for record in records {
      guard let number = JavaLocks.virtualNumber(record.number), let wait = wait(of: record) else {
        continue
      }
      waits[number] = wait
    }
  }

  private mutating func wait(of record: VirtualThreadRecord) -> RuntimeWait? {
    guard record.monitorWaiter == nil, let blocker = record.blocker else {
      return locks.wait(of: record)
    }
    if let known = known[blocker], known.owner != JavaLocks.virtualNumber(record.number) {
      guard case .waiting = record.state else { return nil }
      return known
    }
    let wait = locks.wait(of: record)
    known[blocker] = wait
    return wait
  }

  // MARK: - Their stacks

  /// Adds threads with what they do and where; `carriers` are the threads that run some.
  mutating func add(_ records: [VirtualThreadRecord]) {
    let resting = records.indices.filter { records[$0].isAtRest }
    let stacks = stacks(of: resting.map { records[$0] })
    let again = VirtualThreadList.records(
      of: resting.map { records[$0].address }, classes, objects, memory)
    var calls: [Int: [FrozenCall]] = [:]
    for (place, index) in resting.enumerated() {
      if let later = again[place], later.isSame(as: records[index]) { calls[index] = stacks[place] }
    }
    for (index, record) in records.enumerated() {
      let number = JavaLocks.virtualNumber(record.number)
      let wait = wait(of: record)
      if let number, let wait {
        waits[number] = wait
        if record.isTimed { timed.insert(number) }
      }
      let carrier = record.isAtRest ? nil : record.carrier.flatMap { locks.kernelThread(of: $0) }
      groups.add(record, calls: calls[index] ?? [], wait: wait, carrier: carrier, walk)
      if record.isAtRest, calls[index] == nil { groups.isSteady = false }
    }
  }

  private mutating func stacks(of records: [VirtualThreadRecord]) -> [[FrozenCall]] {
    let addresses = chunks.tails(of: records)
    var stacks = Array(repeating: [FrozenCall](), count: records.count)
    var open = addresses.enumerated().compactMap { index, address in
      address.map { (index, $0) }
    }
    for _ in 0..<Self.chunkLimit where !open.isEmpty { open = follow(open, &stacks) }
    return stacks
  }

  /// Adds the frames of one piece of each stack; returns the next pieces.
  private mutating func follow(
    _ open: [(Int, RemoteAddress)], _ stacks: inout [[FrozenCall]]
  ) -> [(Int, RemoteAddress)] {
    let chunks = self.chunks.chunks(at: open.map(\.1))
    var words = MemoryPieces()
    let ranges = chunks.map { chunk in
      guard let chunk, chunk.pointer < chunk.bottom else {
        return MemoryRange(start: .null, count: 0)
      }
      // The return address and the frame pointer are below.
      let start = chunk.address + classes.chunk.header + (chunk.pointer - 2) * 8
      let size = min((chunk.bottom - chunk.pointer + 2) * 8, Self.stackLimit, bytesLeft)
      bytesLeft -= size
      return MemoryRange(start: start, count: size & ~7)
    }
    memory.read(ranges, into: &words)
    var next: [(Int, RemoteAddress)] = []
    for (place, (index, _)) in open.enumerated() {
      guard let chunk = chunks[place] else { continue }
      var isWhole = true
      if chunk.pointer < chunk.bottom {
        guard let start = words.places[place] else { continue }
        let piece = ChunkWords(
          pieces: words, place: start, words: (chunk.pointer - 2)..<chunk.bottom,
          count: ranges[place].count / 8)
        isWhole = walk.run(piece, from: chunk.pointer, into: &stacks[index])
      }
      if isWhole, let parent = chunk.parent { next.append((index, parent)) }
    }
    return next
  }

  /// All groups, with the names of functions and of threads.
  mutating func list(_ lasting: [Int32: RuntimeWait], pid: Int32) -> Goroutines {
    groups.list(lasting, pid: pid) { record in
      name(of: record)
    }
  }

  /// The name that the program has given a thread; the thread may have been moved since.
  func name(of record: VirtualThreadRecord) -> String {
    guard
      let now = VirtualThreadList.records(of: [record.address], classes, objects, memory)[0],
      now.number == record.number
    else { return "" }
    return now.name.flatMap { objects.text($0, memory) } ?? ""
  }
}

extension VirtualThreadRecord {
  fileprivate var isTimed: Bool {
    if case .waiting(isTimed: true) = state { return true }
    return false
  }

  /// Whether no thread runs it, so that its stack is on the heap.
  fileprivate var isAtRest: Bool {
    switch state {
    case .waiting, .runnable: true
    case .mounted, .changing, .absent: false
    }
  }
}
