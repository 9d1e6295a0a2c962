internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// The stack of a goroutine that does not run, by the sizes of its functions' frames.
struct GoStackWalk {
  /// The addresses of the calls, innermost first.
  private(set) var calls: [UInt64] = []
  /// The address in the runtime's function that every goroutine's first one returns to (`goexit`); nil
  /// where that was not reached.
  private(set) var outermost: UInt64?
  var isWhole: Bool { outermost != nil }

  /// Deeper stacks are cut.
  private static let depthLimit = 256
  /// What is copied of a deep stack at most.
  private static let copyLimit: UInt64 = 256 << 10

  /// `start` is what was copied of the stack from its stack pointer on, within `bytes`; of `budget`, in
  /// bytes, more may be read, and what is read is taken off.
  init(
    _ record: GoRecord, _ code: GoCode, bytes: RawSpan, start: Range<Int>,
    budget: inout Int, memory: some TargetMemory
  ) {
    guard record.stack.contains(record.stackPointer) else { return }
    walk(record, code, bytes.extracting(start))
    let left = record.stack.upperBound - record.stackPointer
    let count = Int(min(left, Self.copyLimit))
    guard !isWhole, calls.count < Self.depthLimit, UInt64(start.count) < left, count <= budget
    else { return }
    budget -= count
    guard
      let more = GoMemory.bytes(at: RemoteAddress(record.stackPointer), count: count, in: memory)
    else { return }
    calls.removeAll()
    // The array outlives the span.
    unsafe walk(record, code, more.span.bytes)
  }

  private mutating func walk(_ record: GoRecord, _ code: GoCode, _ stack: RawSpan) {
    let reader = ByteReader(stack)
    // Mostly a return address; a goroutine that has not begun is at a function's first instruction.
    var address = code.isStart(record.pc) ? record.pc : record.pc &- 1
    var offset = 0
    while calls.count < Self.depthLimit {
      let place = code.place(address)
      guard let function = place.function else { return }
      if function.isOutermost {
        outermost = address
        return
      }
      calls.append(address)
      guard let size = place.frameSize, size <= stack.byteCount - offset,
        let next = reader.value(at: offset + size, as: UInt64.self), next != 0
      else { return }
      offset += size + 8
      address = next &- 1
    }
  }
}
