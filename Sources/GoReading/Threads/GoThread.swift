internal import ByteReading
internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A thread of a Go program, which may run on another stack than the goroutine that it runs.
///
/// The runtime's own code and functions in C run on the thread's own stack; their callers are on that of
/// the goroutine, which says where it was left (`gobuf` in runtime/runtime2.go).
final class GoThread: RuntimeThread {
  /// What is copied of a goroutine's stack.
  private static let stackSize: UInt64 = 16 << 10

  private let offsets: GoOffsets
  /// The number that the thread knows itself by.
  private let number: Int32
  private let machine: RemoteAddress
  private let code: GoCode
  private var bytes: [UInt8]
  private var record: GoRecord?
  private var stackCount = 0
  private var range = [MemoryRange(start: RemoteAddress(0), count: 0)]

  init(number: Int32, machine: UInt64, _ offsets: GoOffsets, _ code: GoCode) {
    self.number = number
    self.machine = RemoteAddress(machine)
    self.offsets = offsets
    self.code = code
    bytes = [UInt8](repeating: 0, count: Int(Self.stackSize))
  }

  func warmUp(from memory: some TargetMemory) {}
  func prepare() { record = nil }
  func isInTransit(at instruction: RemoteAddress) -> Bool { false }
  var isCopyInTransit: Bool { false }

  /// Three reads at most: the thread's structure, the goroutine's, and its stack.
  func copy(
    at place: ThreadPlace, from memory: some TargetMemory, reads: Int,
    until deadline: MonotonicClock.Instant, isStopped: Bool
  ) -> Bool {
    record = nil
    guard place.registers.isKnown(Registers.stackPointer),
      read(machine, count: offsets.current + 8, memory),
      word(offsets.thread) == UInt64(number)
    else { return true }
    let goroutine = word(offsets.current)
    guard goroutine != 0, read(RemoteAddress(goroutine), count: offsets.size, memory) else {
      return true
    }
    let record = goroutineRecord
    let stack = record.stack
    guard !stack.contains(place.registers.stackPointer.rawValue) else { return true }
    let left = GoRecord.left(bytes, offsets)
    guard stack.contains(left.stackPointer) else { return true }
    let count = Int(min(stack.upperBound - left.stackPointer, Self.stackSize))
    guard read(RemoteAddress(left.stackPointer), count: count, memory) else { return true }
    stackCount = count
    self.record = record.goingOn(at: left.pc, stackPointer: left.stackPointer)
    return true
  }

  func finish() -> RuntimeStack {
    var result = RuntimeStack()
    guard let record else { return result }
    let bytes = bytes
    // Nothing more is read of it.
    var budget = 0
    // The array outlives the span.
    let walk = unsafe GoStackWalk(
      record, code, bytes: bytes.span.bytes, start: 0..<stackCount, budget: &budget,
      memory: NoMemory())
    var calls = walk.calls[...]
    // It stands for the function that has left the stack, which is among the native frames.
    if let first = calls.first, code.place(first).function?.name == GoCode.switchName {
      calls = calls.dropFirst()
    }
    result.callers = calls.map { RemoteAddress($0) }
    // As in the stacks of threads that run on the goroutine's own stack.
    if let outermost = walk.outermost { result.callers.append(RemoteAddress(outermost)) }
    result.hasAllCallers = walk.isWhole
    self.record = nil
    return result
  }

  private func read(_ address: RemoteAddress, count: Int, _ memory: some TargetMemory) -> Bool {
    // In place: nothing may be allocated while the thread is stopped.
    range[0] = MemoryRange(start: address, count: count)
    let range = range[...]
    // The buffer has room: what is read is never larger than the stack's part.
    let filled = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe memory.read(range, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    }
    return filled == count
  }

  private var goroutineRecord: GoRecord {
    let bytes = bytes
    // The array outlives the span.
    return unsafe GoRecord(bytes.span.bytes, at: 0, offsets)
  }

  private func word(_ offset: Int) -> UInt64 {
    let bytes = bytes
    // The array outlives the reader.
    let reader = unsafe ByteReader(bytes.span.bytes)
    return reader.value(at: offset, as: UInt64.self) ?? 0
  }
}

/// Nothing more is read of a stack that was copied.
private struct NoMemory: TargetMemory {
  func read(_ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    -1
  }
}
