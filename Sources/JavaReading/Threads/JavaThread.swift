internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// The samples of one thread of the VM's.
final class JavaThread: RuntimeThread {
  let info: JavaThreadInfo
  private let reader: JavaReader
  private var copy = JavaStackCopy()
  private var registers = Registers()
  /// How much of the stack is copied; more after a sample that was cut short.
  private var limit = JavaThread.usualLimit
  /// How much of it was in use at the last sample.
  private var used = 0
  private var isWhole = false

  /// Of most stacks this is all.
  private static let usualLimit = 32 << 10
  /// Stacks of Java have 1 MB unless the program says otherwise.
  private static let longestLimit = 4 << 20
  /// Frames that are kept of each end of a deeper stack.
  private static let shownFrames = 256

  init(_ info: JavaThreadInfo, of reader: JavaReader) {
    self.info = info
    self.reader = reader
  }

  /// What is copied of the thread's structure: all that says where its frames are.
  struct Piece {
    let start: Int
    let size: Int

    init(_ layout: ThreadLayout, _ locks: LockLayout) {
      let fields =
        [layout.osThread, layout.state, layout.anchor] + (locks.pendingMonitor.map { [$0] } ?? [])
      start = fields.min() ?? 0
      size = (fields.max() ?? 0) - start + 32
    }
  }

  func warmUp(from memory: some TargetMemory) {}

  func prepare() {
    copy.reserve(thread: reader.piece.size, stack: limit)
    isWhole = false
  }

  func isInTransit(at instruction: RemoteAddress) -> Bool { false }

  var isCopyInTransit: Bool { false }

  func copy(
    at place: ThreadPlace, from memory: some TargetMemory, reads: Int,
    until deadline: MonotonicClock.Instant, isStopped: Bool
  ) -> Bool {
    registers = place.registers
    guard reads > 0 else { return false }
    let thread = info.address + reader.piece.start
    let pointer = RemoteAddress(registers.stackPointer.rawValue & ~7)
    if info.stack.contains(pointer) {
      isWhole = copy.copy(thread: thread, stack: range(from: pointer), from: memory)
      return isWhole
    }
    // It runs on another stack, or its registers are not known: the anchor says where Java was left.
    let none = MemoryRange(start: .null, count: 0)
    guard copy.copy(thread: thread, stack: none, from: memory), reads > 1,
      let anchor = anchorWord(\.anchorStackPointer).map({ RemoteAddress($0 & ~7) }),
      info.stack.contains(anchor)
    else { return false }
    // Right below it may be the address that belongs to it.
    let start = max(anchor - 8, info.stack.lowerBound)
    isWhole = copy.copy(stack: range(from: start), from: memory)
    return isWhole
  }

  private func range(from pointer: RemoteAddress) -> MemoryRange {
    used = Int(clamping: info.stack.upperBound.distance(from: pointer))
    return MemoryRange(start: pointer, count: min(limit, used))
  }

  private func word(_ field: Int) -> UInt64? {
    copy.threadWord(at: field - reader.piece.start)
  }

  private func anchorWord(_ field: KeyPath<ThreadLayout, Int>) -> UInt64? {
    let layout = reader.runtime.layout.threads
    return word(layout.anchor + layout[keyPath: field])
  }

  func finish() -> RuntimeStack {
    var stack = RuntimeStack()
    guard copy.count > 0 else {
      if !isWhole { stack.end = .unreadable(info.address) }
      return stack
    }
    guard word(reader.runtime.layout.threads.osThread) == info.osThread.rawValue else {
      // Another thread has its memory by now.
      stack.end = .unreadable(info.address)
      return stack
    }
    guard let memory = reader.memory, let start = start(memory) else { return stack }
    var walk = JavaFrameWalk(reader.code, copy, memory: memory, maxDepth: reader.maxDepth)
    walk.run(from: start)
    stack = walk.stack
    // A thread that sleeps on may be sampled once more, and no third time.
    if stack.end == .cut { limit = min(max(limit * 4, used), Self.longestLimit) }
    if stack.elision == nil { stack.elideMiddle(keeping: Self.shownFrames) }
    return stack
  }

  /// Where the innermost Java frame is; nil where the thread has none.
  private func start(_ memory: JavaMemory) -> JavaPlace? {
    let pc = registers.instructionPointer
    let frame =
      registers.isKnown(Registers.framePointer)
      ? RemoteAddress(registers.values[Registers.framePointer]) : nil
    let isInCode = registers.isKnown(Registers.instructionPointer) && reader.code.heaps.contains(pc)
    if isInCode, copy.contains(registers.stackPointer) {
      var place = JavaPlace(
        pc: pc, stackPointer: registers.stackPointer, framePointer: frame ?? .null)
      // The interpreter keeps the pointer to the bytecode in r13 (templateTable_x86.cpp).
      if registers.isKnown(13) { place.bytecode = RemoteAddress(registers.values[13]) }
      place.isRunning = true
      return place
    }
    if let anchor = anchorWord(\.anchorStackPointer), anchor != 0 {
      var place = JavaPlace(
        anchor: RemoteAddress(anchor), pc: anchorWord(\.anchorPC).map { RemoteAddress($0) },
        framePointer: anchorWord(\.anchorFramePointer).map { RemoteAddress($0) }, copy)
      let monitor = reader.runtime.layout.locks.pendingMonitor.flatMap { word($0) }
      place?.isEntering = (monitor ?? 0) != 0
      return place
    }
    // _thread_in_Java: it runs a function of the VM's that leaves no trace.
    guard word(reader.runtime.layout.threads.state).map({ UInt32(truncatingIfNeeded: $0) }) == 8
    else { return nil }
    return JavaStart(reader.code, copy, memory: memory)
      .caller(ofFunctionAt: registers.stackPointer, framePointer: frame)
  }
}

extension RuntimeStack {
  /// Leaves out the middle of the first group that has more frames than twice as many.
  fileprivate mutating func elideMiddle(keeping count: Int) {
    var start = 0
    for index in groups.indices {
      let frameCount = groups[index].frameCount
      if frameCount > 2 * count {
        let dropped = frameCount - 2 * count
        frames.removeSubrange((start + count)..<(start + count + dropped))
        groups[index].frameCount = 2 * count
        elision = Elision(position: start + count, count: dropped)
        return
      }
      start += frameCount
    }
  }
}
