package import LinuxProcess
package import ProfileModel

/// Copies and reads the Python stack of one thread, again and again.
///
/// A sample has three steps: `prepare` before the thread is stopped, `copy` while it is, `finish`
/// when it runs again. It remembers what the last samples needed, so that one read is enough for
/// a thread that stays where it was. Belongs to one thread of ours.
package final class PythonThreadReader {
  package let thread: PythonThread
  /// The copies of the current sample.
  package private(set) var copies = MemoryCopies()
  /// What the next `copy` begins with.
  package private(set) var plan: PythonCopyPlan
  /// Deeper stacks lose the frames in their middle.
  package var frameLimit = 4096

  private static let shallow = 256
  private let reader: PythonReader
  private var walk: PythonFrameWalk
  private var isConsistent = true
  /// Addresses that were asked for and are not there.
  private var unreadable: Set<UInt64> = []
  /// Kept only for its memory.
  private var seen: Set<UInt64> = []

  init(_ thread: PythonThread, of reader: PythonReader) {
    self.thread = thread
    self.reader = reader
    walk = PythonFrameWalk(thread, runtime: reader.runtime)
    plan = PythonCopyPlan(
      [MemoryRange(start: thread.state, count: reader.runtime.threadSize)]
        + reader.stateRanges(of: thread.interpreter))
  }

  /// Begins a sample; nothing is read.
  package func prepare() {
    copies.removeAll()
    walk.reset()
    unreadable.removeAll(keepingCapacity: true)
    isConsistent = true
  }

  /// Adds memory that the caller has copied at this instant, such as the native stack.
  ///
  /// Parts of the Python stack lie there, which need not be read again.
  package func add(_ bytes: UnsafeRawBufferPointer, at start: RemoteAddress) {
    copies.add(bytes, at: start)
  }

  /// Copies until all frames and their functions are there, with at most `reads` reads.
  ///
  /// Call it while the thread cannot run. When it says false, more reads would have found more:
  /// call it again, in the same stop or, with `isStopped: false`, after it; the stack then says
  /// that it may not be of one instant.
  @discardableResult
  package func copy(
    from memory: some TargetMemory, reads: Int = .max, isStopped: Bool = true
  ) -> Bool {
    let limit = copies.readCount.addingReportingOverflow(reads)
    let last = limit.overflow ? Int.max : limit.partialValue
    if !isStopped { isConsistent = false }
    if walk.isUntouched, copies.readCount < last { copies.copy(plan.ranges, from: memory) }
    var next = walk.advance(in: copies)
    while let want = next {
      guard copies.readCount < last else { return false }
      next = read(want, from: memory)
    }
    // A code object takes three looks: its record, its strings' headers, the rest of long ones.
    for _ in 0..<4 {
      let wanted = missingOfFunctions()
      guard !wanted.isEmpty else { return true }
      guard copies.readCount < last else { return false }
      for range in copies.copy(wanted, from: memory) { unreadable.insert(range.start.rawValue) }
    }
    return true
  }

  /// Reads what the walk waits for, and gives what it waits for next.
  ///
  /// The walk is asked once for each piece: it learns from how far the last one led.
  private func read(
    _ want: PythonFrameWalk.Want, from memory: some TargetMemory
  ) -> PythonFrameWalk.Want? {
    // Of a deep stack all functions are asked for at the end, not again with each piece of it.
    let more = walk.frames.count < Self.shallow ? missingOfFunctions() : []
    copies.copy([want.range] + more, andIfThere: want.below, from: memory)
    if !want.above.isEmpty { copies.copy([], andIfThere: want.above, from: memory) }
    // Asked for once, and still not whole: the memory ends there.
    guard let next = walk.advance(in: copies) else { return nil }
    guard next.range.start == want.range.start else { return next }
    walk.giveUp(at: next.range.start.rawValue)
    return walk.advance(in: copies)
  }

  private func missingOfFunctions() -> [MemoryRange] {
    var result: [MemoryRange] = []
    seen.removeAll(keepingCapacity: true)
    var last: UInt64 = 0
    let generation = generation
    for frame in walk.frames where frame.code != last {
      last = frame.code
      guard seen.insert(frame.code).inserted else { continue }
      for range in reader.codes.missing(for: frame.code, generation: generation, in: copies)
      where !unreadable.contains(range.start.rawValue) { result.append(range) }
    }
    return result
  }

  /// The number of code objects freed so far; nil where the version does not count.
  private var generation: UInt64? {
    reader.runtime.layout[.interpreterCodeGeneration].flatMap {
      copies.value(at: thread.interpreter.rawValue &+ UInt64($0), as: UInt64.self)
    }
  }

  /// The stack of the sample.
  ///
  /// The thread may run: all comes from the copies. Also makes the plan of the next sample.
  package func finish() -> RuntimeStack {
    if case .going = walk.state { walk.giveUp(at: walk.currentAddress) }
    var stack = RuntimeStack()
    if case .ended(let end) = walk.state { stack.end = end }
    stack.isConsistent = isConsistent
    readState(into: &stack)
    let groups = PythonFrameGrouping.groups(of: walk, runtime: reader.runtime)
    let kept = Elider(count: walk.frames.count, limit: frameLimit)
    stack.groups = kept.apply(to: groups)
    stack.elision = kept.elision
    stack.frames = frames(kept, groups: groups)
    rememberNeeds()
    return stack
  }

  private func readState(into stack: inout RuntimeStack) {
    let lock = reader.lockState(of: thread.interpreter, in: copies)
    stack.holdsLock = lock.map { $0.isLocked && $0.holder == thread.state }
    stack.isCollectingGarbage =
      stack.holdsLock != false
      && reader.isCollecting(thread.interpreter, in: copies)
  }

  private func frames(_ kept: Elider, groups: [RuntimeFrameGroup]) -> [RuntimeFrame] {
    var functions: [UInt64: RuntimeFunction?] = [:]
    let generation = generation
    var entries: Set<Int> = []
    var end = 0
    for group in groups {
      end += group.frameCount
      entries.insert(end - 1)
    }
    return kept.indices.map { index in
      let raw = walk.frames[index]
      let function =
        functions[raw.code]
        ?? reader.codes.function(at: raw.code, generation: generation, in: copies)
      functions[raw.code] = .some(function)
      let position = reader.runtime.frameShape.unit(of: raw)
      return RuntimeFrame(
        function: function, code: RemoteAddress(raw.code), position: position,
        line: function?.line(at: position), isEntry: entries.contains(index),
        isGenerator: raw.owner == PythonFrameShape.generatorOwner)
    }
  }

  private func rememberNeeds() {
    var needed = walk.touched
    needed += reader.stateRanges(of: thread.interpreter)
    if reader.runtime.layout[.interpreterCodeGeneration] == nil {
      for code in Set(walk.frames.map(\.code)) {
        needed += reader.codes.verificationRanges(of: code)
      }
    }
    plan.remember(walk.withRoomToGrow(needed))
  }
}

/// Which frames of a deep stack are kept: as many of its inner as of its outer end.
struct Elider {
  private let inner: Range<Int>
  private let outer: Range<Int>

  init(count: Int, limit: Int) {
    let limit = max(2, limit)
    guard count > limit else {
      inner = 0..<count
      outer = count..<count
      return
    }
    inner = 0..<(limit / 2)
    outer = (count - (limit - limit / 2))..<count
  }

  var indices: [Int] { Array(inner) + Array(outer) }

  var elision: RuntimeStack.Elision? {
    let missing = outer.lowerBound - inner.upperBound
    return missing > 0 ? RuntimeStack.Elision(position: inner.count, count: missing) : nil
  }

  /// The groups with what is left of their frames, without those that have none left.
  func apply(to groups: [RuntimeFrameGroup]) -> [RuntimeFrameGroup] {
    var start = 0
    return groups.compactMap { group in
      let range = start..<(start + group.frameCount)
      start = range.upperBound
      let count = range.clamped(to: inner).count + range.clamped(to: outer).count
      return count > 0 ? RuntimeFrameGroup(frameCount: count, anchor: group.anchor) : nil
    }
  }
}
