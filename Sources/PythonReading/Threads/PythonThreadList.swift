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

  /// More are a torn list.
  private static let interpreterLimit = 1024
  private static let threadLimit = 32_768

  init(_ runtime: PythonRuntime) { self.runtime = runtime }

  mutating func setThreadID(_ tid: Int32?, at index: Int) { threads[index].tid = tid }

  /// Walks the lists again: one read for what was there before, and one for each new element.
  ///
  /// Nothing is stopped: a list that changes under the walk is walked again; should it not come to
  /// rest, threads known before are kept.
  mutating func refresh(from memory: some TargetMemory) {
    var known = [runtimeRange]
    for interpreter in interpreters { known += interpreterRanges(interpreter.address.rawValue) }
    for thread in threads { known.append(threadRange(thread.state.rawValue)) }
    var reading = Reading(runtime: runtime)
    for _ in 0..<Self.attempts {
      var copies = MemoryCopies()
      copies.copy(known, from: memory)
      reading = Reading(runtime: runtime)
      reading.run(&copies, from: memory, interpreterLimit: Self.interpreterLimit)
      if reading.isComplete { break }
    }
    if !reading.isComplete {
      let found = Set(reading.threads.map(\.state))
      reading.threads += threads.filter { !found.contains($0.state) }
    }
    interpreters = reading.interpreters.isEmpty ? interpreters : reading.interpreters
    threads = reading.threads
    isFinalising = reading.isFinalising
    isWhole = reading.isComplete
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
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      filled = min(
        size, max(0, memory.read(ranges[...], into: UnsafeMutableRawBufferPointer(buffer))))
      isWhole = filled == size
    }
    let isSame = isWhole && bytes == linkBytes
    linkBytes = isWhole ? bytes : []
    return isSame
  }

  /// What links the lists' elements, and what tells whose they are.
  private var linkRanges: [MemoryRange] {
    var result: [MemoryRange] = []
    func add(_ fields: [PythonField], of record: RemoteAddress) {
      for offset in fields.compactMap({ runtime.layout[$0] }).sorted() {
        let start = record.advanced(by: Int64(offset))
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

  private var runtimeRange: MemoryRange { Reading(runtime: runtime).runtimeRange }

  private func interpreterRanges(_ address: UInt64) -> [MemoryRange] {
    Reading(runtime: runtime).interpreterRanges(address)
  }

  private func threadRange(_ address: UInt64) -> MemoryRange {
    Reading(runtime: runtime).threadRange(address)
  }

  /// One walk through the lists.
  private struct Reading {
    let runtime: PythonRuntime
    var interpreters: [PythonInterpreter] = []
    var threads: [PythonThread] = []
    var isFinalising = false
    /// Whether both kinds of lists were walked to their ends.
    var isComplete = true

    init(runtime: PythonRuntime) { self.runtime = runtime }

    var runtimeRange: MemoryRange {
      let last = max(
        runtime.layout[.runtimeInterpreters] ?? 0, runtime.layout[.runtimeFinalizing] ?? 0)
      return MemoryRange(start: runtime.address, count: last + 8)
    }

    func interpreterRanges(_ address: UInt64) -> [MemoryRange] {
      let fields: [PythonField] = [
        .interpreterNext, .interpreterID, .interpreterThreads, .interpreterGIL,
      ]
      return fields.compactMap { runtime.layout[$0] }.map {
        MemoryRange(start: RemoteAddress(address &+ UInt64($0)), count: 8)
      }
    }

    func threadRange(_ address: UInt64) -> MemoryRange {
      MemoryRange(start: RemoteAddress(address), count: runtime.threadSize)
    }

    /// A field of eight bytes, of the copies or, if it is not there yet, of the memory.
    private func word(
      _ field: PythonField, of address: UInt64, _ copies: inout MemoryCopies,
      _ memory: some TargetMemory, record: [MemoryRange]
    ) -> UInt64? {
      guard let offset = runtime.layout[field] else { return nil }
      let place = address &+ UInt64(offset)
      if let value = copies.value(at: place, as: UInt64.self) { return value }
      copies.copy(record, from: memory)
      return copies.value(at: place, as: UInt64.self)
    }

    mutating func run(
      _ copies: inout MemoryCopies, from memory: some TargetMemory, interpreterLimit: Int
    ) {
      let base = runtime.address.rawValue
      let finalising = word(
        .runtimeFinalizing, of: base, &copies, memory, record: [runtimeRange])
      isFinalising = (finalising ?? 0) != 0
      var address =
        word(.runtimeInterpreters, of: base, &copies, memory, record: [runtimeRange]) ?? 0
      var seen: Set<UInt64> = []
      while address != 0, seen.count < interpreterLimit, seen.insert(address).inserted {
        let record = interpreterRanges(address)
        guard
          let next = word(.interpreterNext, of: address, &copies, memory, record: record),
          let first = word(.interpreterThreads, of: address, &copies, memory, record: record)
        else {
          isComplete = false
          return
        }
        let id = word(.interpreterID, of: address, &copies, memory, record: record)
        let lock = word(.interpreterGIL, of: address, &copies, memory, record: record)
        let interpreter = PythonInterpreter(
          address: RemoteAddress(address), id: id.map { Int64(bitPattern: $0) },
          lock: lockAddress(lock))
        interpreters.append(interpreter)
        addThreads(from: first, of: interpreter, &copies, memory)
        address = next
      }
    }

    /// Where `last_holder` and `locked` lie, less 8 and 16.
    private func lockAddress(_ pointer: UInt64?) -> RemoteAddress? {
      if let pointer { return pointer == 0 ? nil : RemoteAddress(pointer) }
      return runtime.layout[.runtimeGILHolder].map {
        runtime.address.advanced(by: Int64($0) - 8)
      }
    }

    private mutating func addThreads(
      from first: UInt64, of interpreter: PythonInterpreter, _ copies: inout MemoryCopies,
      _ memory: some TargetMemory
    ) {
      var address = first
      var seen: Set<UInt64> = []
      while address != 0, threads.count < PythonThreadList.threadLimit,
        seen.insert(address).inserted
      {
        let record = [threadRange(address)]
        guard
          word(.threadInterpreter, of: address, &copies, memory, record: record)
            == interpreter.address.rawValue,
          let next = word(.threadNext, of: address, &copies, memory, record: record)
        else {
          isComplete = false
          return
        }
        let native = word(.threadKernelID, of: address, &copies, memory, record: record)
        threads.append(
          PythonThread(
            state: RemoteAddress(address), interpreter: interpreter.address,
            interpreterID: interpreter.id,
            pthread: word(.threadPthread, of: address, &copies, memory, record: record) ?? 0,
            nativeID: native.flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil },
            tid: nil))
        address = next
      }
    }
  }
}
