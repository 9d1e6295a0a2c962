internal import ByteReading
internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// One reading of all goroutines.
struct GoroutineReading {
  /// More goroutines than this are left out, and said to be.
  static let goroutineLimit = 1 << 20
  /// So many are read together.
  private static let batch = 1000
  /// What is copied of each stack at first: most need no more.
  private static let stackPiece = 768

  private let program: GoProgram
  private let code: GoCode
  private var groups = GoroutineGroups()
  /// Those that have run since the last reading, and that did not exist then.
  private(set) var changes = 0
  private(set) var isCut = false
  /// By `m`: its thread.
  private var threads: [UInt64: Int32] = [:]
  private let numbers: NamespaceThreads
  /// How many bytes may be read of stacks beyond their first pieces.
  private var bytesLeft = 1 << 30

  init(_ program: GoProgram, _ code: GoCode, _ numbers: NamespaceThreads) {
    self.program = program
    self.code = code
    self.numbers = numbers
  }

  // MARK: - The list

  /// The addresses of all goroutines, those that have ended among them; nil where the list cannot be read.
  private mutating func addresses(_ memory: some TargetMemory) -> [UInt64]? {
    guard let list = GoMemory.words(at: program.goroutines, count: 3, in: memory),
      list[1] <= list[2]
    else { return nil }
    isCut = list[1] > UInt64(Self.goroutineLimit)
    let count = Int(min(list[1], UInt64(Self.goroutineLimit)))
    return count == 0 ? [] : GoMemory.words(at: RemoteAddress(list[0]), count: count, in: memory)
  }

  /// Only notes which goroutines wait; a read for each thousand.
  ///
  /// Returns how many there are.
  mutating func note(
    in history: inout GoWaitHistory, at time: Int64, from memory: some TargetMemory
  ) -> Int {
    guard let addresses = addresses(memory) else { return 0 }
    history.beginPass()
    forEachRecord(of: addresses, memory) { record, _ in _ = history.note(record, at: time) }
    history.endPass()
    return addresses.count
  }

  /// Reads all goroutines with their stacks; nil where the list cannot be read.
  mutating func groups(
    history: inout GoWaitHistory, at time: Int64, pid: Int32, from memory: some TargetMemory
  ) -> Goroutines? {
    guard let addresses = addresses(memory) else { return nil }
    numbers.beginIfNested()
    let locks = program.locks.map { GoLockTable(at: $0, program.offsets, in: memory) }
    var all: [(record: GoRecord, address: UInt64)] = []
    for part in addresses.inParts(of: Self.batch) {
      all.removeAll(keepingCapacity: true)
      forEachRecord(of: Array(part), memory) { all.append(($0, $1)) }
      add(all, history: &history, at: time, locks: locks, memory)
    }
    var result = groups.goroutines(code, pid: pid)
    result.version = program.build.version
    result.isSteady = changes == 0
    result.isCut = isCut
    return result
  }

  private mutating func forEachRecord(
    of addresses: [UInt64], _ memory: some TargetMemory,
    _ body: (_ record: GoRecord, _ address: UInt64) -> Void
  ) {
    var pieces = MemoryPieces()
    for part in addresses.inParts(of: Self.batch) {
      pieces.read(
        part.map { MemoryRange(start: RemoteAddress($0), count: program.offsets.size) },
        from: memory)
      for (address, place) in zip(part, pieces.places) {
        guard let place else { continue }
        // The array outlives the span.
        let record = unsafe GoRecord(pieces.bytes.span.bytes, at: place, program.offsets)
        guard (1...4).contains(record.status) || (8...10).contains(record.status) else { continue }
        body(record, address)
      }
    }
  }

  // MARK: - One batch

  private mutating func add(
    _ all: [(record: GoRecord, address: UInt64)], history: inout GoWaitHistory, at time: Int64,
    locks: GoLockTable?, _ memory: some TargetMemory
  ) {
    var stacks = MemoryPieces()
    stacks.read(all.map { Self.firstPiece(of: $0.record) }, from: memory)
    let queues = queues(of: all.map(\.record), memory)
    for (index, (record, address)) in all.enumerated() {
      var walk: GoStackWalk?
      if record.status != GoRecord.running, let place = stacks.places[index] {
        let end = place + Self.firstPiece(of: record).count
        // The array outlives the span.
        walk = unsafe GoStackWalk(
          record, code, bytes: stacks.bytes.span.bytes, start: place..<end, budget: &bytesLeft,
          memory: memory)
      }
      let unchanged = history.note(record, at: time)
      var entry = GoroutineGroups.Entry(record, walk, code)
      let reason =
        record.status == GoRecord.waiting
        ? GoWaitReasons.reason(record.waitReason, minor: program.layoutMinor) : nil
      entry.reason = reason ?? entry.likelyReason(code)
      if unchanged == nil, !entry.isOfRuntime { changes += 1 }
      if record.status == GoRecord.waiting || record.status == GoRecord.inSystemCall {
        let seen = record.waitSince > 0 ? time &- Int64(truncatingIfNeeded: record.waitSince) : 0
        let noted = record.waitSince > 0 ? max(0, seen) : 0
        entry.waited = max(unchanged.map { $0.isLikely ? $0.time : 0 } ?? 0, noted)
        entry.longWait = max(unchanged.map { $0.isCertain ? $0.time : 0 } ?? 0, noted)
        // What the queues for locks say is older, and the goroutine may wait for a channel by now.
        entry.object = queues[index].isOfChannels ? queues[index].channel : locks?.locks[address]
      }
      if record.status == GoRecord.running || record.status == GoRecord.inSystemCall {
        entry.thread = thread(of: record.machine, memory)
      }
      groups.add(entry)
    }
  }

  private static func firstPiece(of record: GoRecord) -> MemoryRange {
    guard record.status != GoRecord.running, record.stack.contains(record.stackPointer) else {
      return MemoryRange(start: RemoteAddress(0), count: 0)
    }
    let size = min(UInt64(stackPiece), record.stack.upperBound - record.stackPointer)
    return MemoryRange(start: RemoteAddress(record.stackPointer), count: Int(size))
  }

  /// What a goroutine waits in, by its own structure.
  private struct Queue {
    var isOfChannels = false
    /// Nil for one of several in a `select`.
    var channel: UInt64?
  }

  /// The channel of each goroutine that waits for one; since 1.26 the structure names queues of locks too,
  /// which have no channel (runtime/sema.go).
  private func queues(of records: [GoRecord], _ memory: some TargetMemory) -> [Queue] {
    var pieces = MemoryPieces()
    pieces.read(
      records.map { record in
        let isQueued = record.status == GoRecord.waiting && record.queue != 0
        return MemoryRange(
          start: RemoteAddress(record.queue), count: isQueued ? program.offsets.queueSize : 0)
      }, from: memory)
    // The array outlives the span.
    let reader = unsafe ByteReader(pieces.bytes.span.bytes)
    return zip(records, pieces.places).map { record, place in
      guard record.status == GoRecord.waiting, record.queue != 0 else { return Queue() }
      guard let place else { return Queue(isOfChannels: true) }
      let channel = reader.value(at: place + program.offsets.channel, as: UInt64.self) ?? 0
      guard channel != 0 else { return Queue() }
      let next = reader.value(at: place + program.offsets.nextInQueue, as: UInt64.self)
      return Queue(isOfChannels: true, channel: next == 0 ? channel : nil)
    }
  }

  private mutating func thread(of machine: UInt64, _ memory: some TargetMemory) -> Int32? {
    guard machine != 0 else { return nil }
    if let known = threads[machine] { return known }
    let place = RemoteAddress(machine &+ UInt64(program.offsets.thread))
    guard let words = GoMemory.words(at: place, count: 1, in: memory),
      let number = Int32(exactly: words[0]), number > 0,
      let thread = numbers.translated(number)
    else { return nil }
    threads[machine] = thread
    return thread
  }
}
