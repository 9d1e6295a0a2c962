internal import LinuxProcess
internal import ProfileModel

/// One walk along the lists of interpreters and of their thread states.
///
/// One read for what was there before, and one for each new element.
struct PythonThreadListWalk<Memory: TargetMemory> {
  private let runtime: PythonRuntime
  private let memory: Memory
  private var copies = MemoryCopies()
  private(set) var interpreters: [PythonInterpreter] = []
  private(set) var threads: [PythonThread] = []
  private(set) var isFinalising = false
  /// Whether both kinds of lists were walked to their ends.
  private(set) var isComplete = true

  /// More are a torn list.
  private static var interpreterLimit: Int { 1024 }
  private static var threadLimit: Int { 32_768 }

  init(_ runtime: PythonRuntime, from memory: Memory) {
    self.runtime = runtime
    self.memory = memory
  }

  mutating func run(known: [MemoryRange]) {
    copies.copy(known, from: memory)
    let record = [PythonListRecords.runtime(runtime)]
    let finalising = pointer(.runtimeFinalizing, of: runtime.address, record)
    isFinalising = finalising.map { !$0.isNull } ?? false
    var next = pointer(.runtimeInterpreters, of: runtime.address, record)
    var seen: Set<RemoteAddress> = []
    while let address = next, !address.isNull, seen.count < Self.interpreterLimit,
      seen.insert(address).inserted
    {
      next = addInterpreter(at: address)
    }
  }

  /// A field of eight bytes, of the copies or, if it is not there yet, of the memory.
  private mutating func word(
    _ field: PythonField, of address: RemoteAddress, _ record: [MemoryRange]
  ) -> UInt64? {
    guard let offset = runtime.layout[field] else { return nil }
    if let value = copies.word(at: address + offset) { return value }
    copies.copy(record, from: memory)
    return copies.word(at: address + offset)
  }

  private mutating func pointer(
    _ field: PythonField, of address: RemoteAddress, _ record: [MemoryRange]
  ) -> RemoteAddress? {
    word(field, of: address, record).map { RemoteAddress($0) }
  }

  /// Adds an interpreter with its threads; gives the next one.
  private mutating func addInterpreter(at address: RemoteAddress) -> RemoteAddress? {
    let record = PythonListRecords.interpreter(address, runtime)
    guard let next = pointer(.interpreterNext, of: address, record),
      let first = pointer(.interpreterThreads, of: address, record)
    else {
      isComplete = false
      return nil
    }
    let id = word(.interpreterID, of: address, record)
    let lock = lockAddress(pointer(.interpreterGIL, of: address, record))
    let interpreter = PythonInterpreter(
      address: address, id: id.map { Int64(bitPattern: $0) }, lock: lock)
    interpreters.append(interpreter)
    addThreads(from: first, of: interpreter)
    return next
  }

  /// Where the lock begins: what the interpreter points to, or a part of the runtime's structure.
  private func lockAddress(_ pointer: RemoteAddress?) -> RemoteAddress? {
    if let pointer { return pointer.isNull ? nil : pointer }
    return runtime.layout[.runtimeGILHolder].map {
      runtime.address + ($0 - runtime.objects.lockHolder)
    }
  }

  private mutating func addThreads(
    from first: RemoteAddress, of interpreter: PythonInterpreter
  ) {
    var address = first
    var seen: Set<RemoteAddress> = []
    while !address.isNull, threads.count < Self.threadLimit, seen.insert(address).inserted {
      let record = [PythonListRecords.thread(address, runtime)]
      guard pointer(.threadInterpreter, of: address, record) == interpreter.address,
        let next = pointer(.threadNext, of: address, record)
      else {
        isComplete = false
        return
      }
      let native = word(.threadKernelID, of: address, record)
      threads.append(
        PythonThread(
          state: address, interpreter: interpreter.address, interpreterID: interpreter.id,
          pthread: word(.threadPthread, of: address, record) ?? 0,
          nativeID: native.flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil },
          hasFrames: hasFrames(address, record), tid: nil))
      address = next
    }
  }
}

extension PythonThreadListWalk {
  /// Whether a thread state runs anything: 3.11 and 3.12 point to a structure within it while it does not.
  private mutating func hasFrames(_ address: RemoteAddress, _ record: [MemoryRange]) -> Bool {
    if let frame = pointer(.threadFrame, of: address, record) {
      return !frame.isNull && !frame.isWithin(runtime.threadSize, of: address)
    }
    guard let frame = pointer(.threadCFrame, of: address, record) else { return false }
    return !frame.isNull && !frame.isWithin(runtime.threadSize, of: address)
  }
}

/// What of the lists' elements is read.
enum PythonListRecords {
  static func all(
    of interpreters: [PythonInterpreter], _ threads: [PythonThread], _ runtime: PythonRuntime
  ) -> [MemoryRange] {
    [self.runtime(runtime)] + interpreters.flatMap { interpreter($0.address, runtime) }
      + threads.map { thread($0.state, runtime) }
  }

  static func runtime(_ runtime: PythonRuntime) -> MemoryRange {
    let last = max(
      runtime.layout[.runtimeInterpreters] ?? 0, runtime.layout[.runtimeFinalizing] ?? 0)
    return MemoryRange(start: runtime.address, count: last + PythonObjectShape.wordSize)
  }

  static func interpreter(_ address: RemoteAddress, _ runtime: PythonRuntime) -> [MemoryRange] {
    let fields: [PythonField] = [
      .interpreterNext, .interpreterID, .interpreterThreads, .interpreterGIL,
    ]
    return fields.compactMap { runtime.layout[$0] }.map {
      MemoryRange(start: address + $0, count: PythonObjectShape.wordSize)
    }
  }

  static func thread(_ address: RemoteAddress, _ runtime: PythonRuntime) -> MemoryRange {
    MemoryRange(start: address, count: runtime.threadSize)
  }
}
