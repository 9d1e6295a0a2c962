internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading
internal import Testing

@testable internal import PythonReading

/// An interpreter of 3.13 that a test writes down, with whatever no true one has.
struct MadeInterpreter {
  let memory = RecordedMemory([:], records: [])
  let runtime: PythonRuntime
  let threads: [UInt64]

  private static let address: UInt64 = 0x1_0000
  private static let interpreter: UInt64 = 0x2_0000
  private static let type: UInt64 = 0x3_0000
  private static let name: UInt64 = 0x3_1000
  private static let noTable: UInt64 = 0x3_2000
  /// Where a line table begins that several code objects may share.
  static let largeTable: UInt64 = 0x100_0000
  private static let codes: UInt64 = 0x1000_0000
  private static let frames: UInt64 = 0x2000_0000

  init(threads count: Int = 1) throws {
    let layout = try #require(PythonOffsets.layout(minor: 13))
    runtime = try #require(
      PythonRuntime(
        address: RemoteAddress(Self.address), version: PythonVersion(minor: 13), layout: layout,
        evidence: .symbol))
    threads = (0..<count).map { 0x4_0000 + UInt64($0) * 0x1000 }
    put(.runtimeInterpreters, of: Self.address, Self.interpreter)
    put(.interpreterThreads, of: Self.interpreter, threads[0])
    put(.interpreterNext, of: Self.interpreter, UInt64(0))
    for (index, thread) in threads.enumerated() {
      put(.threadNext, of: thread, index + 1 < count ? threads[index + 1] : 0)
      put(.threadInterpreter, of: thread, Self.interpreter)
    }
    // The name of the type.
    memory.put(Self.type + 64, at: Self.type + 24)
    memory.put(Array("code\0".utf8), at: Self.type + 64)
    memory.put(UInt64(6), at: Self.name + 16)
    memory.put(UInt32(0x64), at: Self.name + 32)
    memory.put(Array("honest".utf8), at: Self.name + 40)
    memory.put(UInt64(0), at: Self.noTable + 16)
  }

  func put(
    _ field: PythonField, of address: UInt64, _ value: some FixedWidthInteger & BitwiseCopyable
  ) {
    guard let offset = runtime.layout[field] else { return }
    memory.put(value, at: address + UInt64(offset))
  }

  /// Puts an interpreter without any thread before the other one, as one that was made just now.
  func putIdleInterpreter() {
    let address: UInt64 = 0x5_0000
    put(.runtimeInterpreters, of: Self.address, address)
    put(.interpreterThreads, of: address, UInt64(0))
    put(.interpreterNext, of: address, Self.interpreter)
  }

  /// Writes a frame; returns where it lies.
  @discardableResult
  func putFrame(
    at address: UInt64, code: UInt64, previous: UInt64, owner: UInt8 = 0
  ) -> UInt64 {
    put(.frameCode, of: address, code)
    put(.framePrevious, of: address, previous)
    put(.frameInstruction, of: address, code + 210)
    put(.frameStackPointer, of: address, Int32(-1))
    put(.frameOwner, of: address, owner)
    return address
  }

  /// Gives all threads the same frames, each with a code object of its own or with none, whose line
  /// tables lie so far apart.
  func putFrames(_ count: Int, table: UInt64?, apart: UInt64 = 0) {
    for index in 0..<UInt64(count) {
      let frame = Self.frames + index * 0x80
      let code = Self.codes + index * 0x100
      putFrame(at: frame, code: code, previous: index + 1 < count ? frame + 0x80 : 0)
      if let table { putCode(at: code, table: table + index * apart) }
    }
    for thread in threads { put(.threadFrame, of: thread, Self.frames) }
  }

  private func putCode(at code: UInt64, table: UInt64) {
    memory.put(Self.type, at: code + 8)
    put(.codeFilename, of: code, Self.name)
    put(.codeName, of: code, Self.name)
    put(.codeQualifiedName, of: code, Self.name)
    put(.codeFirstLine, of: code, Int32(7))
    put(.codeLineTable, of: code, table)
  }

  /// Writes a line table of 256 KB, with a line for every third byte.
  func putLargeTable() {
    let count = 1 << 18
    memory.put(UInt64(count), at: Self.largeTable + 16)
    // One line further, one unit, two columns.
    memory.put(
      (0..<count).map { $0 % 3 == 0 ? 0x80 | 11 << 3 : 0 }, at: Self.largeTable + 32)
  }

  func threadReader() throws -> (PythonReader, PythonThreadReader) {
    let reader = PythonReader(runtime, process: 0)
    _ = reader.refreshThreads(from: memory)
    return (reader, reader.threadReader(of: try #require(reader.threads.first)))
  }
}

@Suite struct `An interpreter that was made up` {
  @Test func `has records within its thread state that lead in a circle, where the walk ends`()
    throws
  {
    let made = try MadeInterpreter()
    let (first, second) = (made.threads[0] + 176, made.threads[0] + 256)
    made.putFrame(at: first, code: 0, previous: second, owner: 3)
    made.putFrame(at: second, code: 0, previous: first, owner: 3)
    made.put(.threadFrame, of: made.threads[0], first)
    let (_, thread) = try made.threadReader()
    thread.prepare()
    let isWhole = thread.copy(from: made.memory)
    let stack = thread.finish()
    #expect(isWhole && stack.end == .cyclic && stack.frames.isEmpty)
  }

  @Test func `is none that is known, where its frames would not be read as a whole`() throws {
    let layout = try #require(PythonOffsets.layout(minor: 13))
    #expect(PythonFrameShape(layout, minor: 13) != nil)
    let fields: [PythonField] = [.frameCode, .framePrevious, .frameInstruction]
    for field in [PythonField.frameOwner, .frameIsEntry, .frameStackPointer] {
      var changed = layout
      for other in fields { changed[other] = layout[other].map { $0 + 512 } }
      changed[.frameOwner] = 600
      changed[.frameIsEntry] = 600
      changed[.frameStackPointer] = 600
      #expect(PythonFrameShape(changed, minor: 13) != nil)
      changed[field] = 511
      #expect(PythonFrameShape(changed, minor: 13) == nil, "\(field)")
      changed[field] = 1 << 19
      #expect(PythonFrameShape(changed, minor: 13) == nil, "\(field)")
    }
  }

  @Test func `is none that is known, where its strings have heads of a megabyte`() throws {
    var layout = try #require(PythonOffsets.layout(minor: 13))
    func runtime() -> PythonRuntime? {
      PythonRuntime(
        address: RemoteAddress(0), version: PythonVersion(minor: 13), layout: layout,
        evidence: .symbol)
    }
    #expect(runtime() != nil)
    layout[.asciiSize] = 1 << 19
    #expect(runtime() == nil)
  }

  @Test func `is found though the newest of its interpreters runs nothing`() throws {
    let made = try MadeInterpreter()
    made.putLargeTable()
    made.putFrames(2, table: MadeInterpreter.largeTable)
    made.putIdleInterpreter()
    let validation = PythonValidation(made.runtime, process: 0)
    #expect(validation.check(made.memory, until: .distantFuture) == .valid)
  }

  @Test func `has large line tables, which no single read of a stop is for`() throws {
    let made = try MadeInterpreter()
    made.putLargeTable()
    made.putFrames(64, table: MadeInterpreter.largeTable, apart: 8)
    for index in 0..<UInt64(64) {
      made.memory.put(UInt64(1 << 17), at: MadeInterpreter.largeTable + index * 8 + 16)
    }
    let (_, thread) = try made.threadReader()
    for _ in 0..<3 {
      thread.prepare()
      let isWhole = thread.copy(from: made.memory)
      #expect(isWhole)
      _ = thread.finish()
      #expect(made.memory.largest <= 2 << 20)
    }
  }

  @Test func `has large line tables, which are left for later when there is no time`() throws {
    let made = try MadeInterpreter()
    made.putFrames(64, table: MadeInterpreter.largeTable, apart: 1 << 20)
    for index in 0..<UInt64(64) {
      let table = MadeInterpreter.largeTable + index << 20
      for page in 0...UInt64(64) { made.memory.put(UInt64(0), at: table + page << 12) }
      made.memory.put(UInt64(1 << 18), at: table + 16)
    }
    let (_, thread) = try made.threadReader()
    for _ in 0..<3 {
      thread.prepare()
      let isWhole = thread.copy(from: made.memory, until: MonotonicClock.Instant(0))
      #expect(!isWhole && thread.copies.byteCount < 6 << 20)
      let stack = thread.finish()
      #expect(stack.frames.contains { $0.line == nil })
    }
  }

  @Test func `has large line tables, of which few are decoded at a time, and few kept`() throws {
    let made = try MadeInterpreter()
    made.putLargeTable()
    made.putFrames(96, table: MadeInterpreter.largeTable)
    let (reader, thread) = try made.threadReader()
    var counts: [Int] = []
    for _ in 0..<20 {
      thread.prepare()
      thread.copy(from: made.memory)
      let stack = thread.finish()
      #expect(stack.frames.count == 96 && stack.frames.allSatisfy { $0.function != nil })
      counts.append(reader.codes.count)
    }
    #expect(counts[0] > 0 && counts[0] < 16)
    #expect(counts.allSatisfy { $0 < 100 } && counts != counts.sorted(), "\(counts)")
  }

  @Test func `has large functions, which are forgotten before they fill the memory`() {
    let table = RuntimeLineTable(
      (0..<1 << 18).map { $0 % 3 == 0 ? 0x80 | 11 << 3 : 0 } as [UInt8], firstLine: 1,
      format: .locations)
    let functions = NotedFunctions()
    weak var first: RuntimeFunction?
    for index in 0..<64 {
      let function = RuntimeFunction(
        name: "f", file: "f.py", firstLine: 1, lines: table)
      if index == 0 { first = function }
      functions.begin()
      functions.note(function, for: RemoteAddress(UInt64(index) + 1))
    }
    #expect(first == nil)
  }

  @Test func `is not looked at for longer than there is time to find out what it is`() throws {
    let made = try MadeInterpreter(threads: 4)
    made.putFrames(600, table: nil)
    let validation = PythonValidation(made.runtime, process: 0)
    #expect(validation.check(made.memory, until: .distantFuture) == .invalid(.namelessFrames))
    let reads = made.memory.reads
    let short = PythonValidation(made.runtime, process: 0)
    #expect(short.check(made.memory, until: MonotonicClock.Instant(0)) == .invalid(.tooSlow))
    #expect(made.memory.reads - reads < min(64, reads))
    made.putFrames(2, table: MadeInterpreter.largeTable)
    let sound = PythonValidation(made.runtime, process: 0)
    #expect(sound.check(made.memory, until: .distantFuture) == .valid)
  }
}
