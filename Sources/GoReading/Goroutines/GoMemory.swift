internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// Reads of a Go program's memory, which may change meanwhile.
enum GoMemory {
  /// All bytes of a piece, or nil.
  static func bytes(
    at address: RemoteAddress, count: Int, in memory: some TargetMemory
  ) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let ranges = [MemoryRange(start: address, count: count)]
    // The pointer is used within the closure only.
    let filled = unsafe bytes.withUnsafeMutableBytes { unsafe memory.read(ranges[...], into: $0) }
    return filled == count ? bytes : nil
  }

  static func words(
    at address: RemoteAddress, count: Int, in memory: some TargetMemory
  ) -> [UInt64]? {
    guard let bytes = bytes(at: address, count: count * 8, in: memory) else { return nil }
    // The array outlives the span.
    let reader = unsafe ByteReader(bytes.span.bytes)
    return (0..<count).map { reader.value(at: $0 * 8, as: UInt64.self) ?? 0 }
  }
}

/// A goroutine's structure, as it was copied.
struct GoRecord {
  static let runnable: UInt32 = 1
  static let running: UInt32 = 2
  static let inSystemCall: UInt32 = 3
  static let waiting: UInt32 = 4
  static let dead: UInt32 = 6

  let status: UInt32
  let number: UInt64
  let stack: Range<UInt64>
  let machine: UInt64
  let stackPointer: UInt64
  let pc: UInt64
  /// By the monotonic clock; 0 where the collector has not seen it wait.
  let waitSince: UInt64
  let waitReason: UInt8
  let runs: UInt8
  let creatorPC: UInt64
  let startPC: UInt64
  let queue: UInt64

  init(_ bytes: RawSpan, at start: Int, _ offsets: GoOffsets) {
    let reader = ByteReader(bytes)
    func word(_ offset: Int) -> UInt64 { reader.value(at: start + offset, as: UInt64.self) ?? 0 }
    // The highest bit that is in use is set while the collector looks at the stack.
    status = (reader.value(at: start + offsets.status, as: UInt32.self) ?? .max) & ~0x1000
    number = word(offsets.number)
    let low = word(GoOffsets.stackStart)
    stack = low..<max(low, word(GoOffsets.stackEnd))
    machine = word(GoOffsets.machine)
    let isCall = status == Self.inSystemCall
    stackPointer = word(isCall ? offsets.callStackPointer : GoOffsets.savedStackPointer)
    pc = word(isCall ? offsets.callPC : GoOffsets.savedPC)
    waitSince = word(offsets.waitSince)
    waitReason = reader.value(at: start + offsets.waitReason, as: UInt8.self) ?? 0
    runs = reader.value(at: start + offsets.runs, as: UInt8.self) ?? 0
    creatorPC = word(offsets.creatorPC)
    startPC = word(offsets.startPC)
    queue = word(offsets.waiting)
  }

  private init(_ other: GoRecord, pc: UInt64, stackPointer: UInt64) {
    (status, number, stack) = (other.status, other.number, other.stack)
    (machine, self.stackPointer, self.pc) = (other.machine, stackPointer, pc)
    (waitSince, waitReason, runs) = (other.waitSince, other.waitReason, other.runs)
    (creatorPC, startPC, queue) = (other.creatorPC, other.startPC, other.queue)
  }

  /// The same goroutine, going on from elsewhere.
  func goingOn(at pc: UInt64, stackPointer: UInt64) -> GoRecord {
    GoRecord(self, pc: pc, stackPointer: stackPointer)
  }

  /// Where a goroutine was left that a thread runs on another stack: when it left its own, or else in a
  /// system call.
  static func left(
    _ bytes: [UInt8], _ offsets: GoOffsets
  ) -> (pc: UInt64, stackPointer: UInt64) {
    // The array outlives the reader.
    let reader = unsafe ByteReader(bytes.span.bytes)
    func word(_ offset: Int) -> UInt64 { reader.value(at: offset, as: UInt64.self) ?? 0 }
    // It is 0 while the goroutine runs on its own stack.
    let saved = word(GoOffsets.savedStackPointer)
    guard saved == 0 else { return (word(GoOffsets.savedPC), saved) }
    return (word(offsets.callPC), word(offsets.callStackPointer))
  }
}
