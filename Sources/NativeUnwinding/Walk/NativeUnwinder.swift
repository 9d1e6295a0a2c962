package import LinuxProcess
package import ProfileModel

/// A stack as it was found, and how the search for its frames ended.
package struct UnwoundStack: Sendable {
  /// At most 512 frames; of a deeper stack the middle is one `Frame.elided`.
  package let stack: StackID
  /// Whether all frames were found, and if not, why.
  package let end: StackEnd
  /// The address just above the outermost frame that was found: a copy of the stack up to here
  /// is enough to find it again.
  package let outermost: RemoteAddress
  /// Whether the walk ended for want of a register that only a stop of the thread would give.
  package let needsRegisters: Bool
  /// The number of frames found, the elided ones included.
  package let depth: Int
  /// The stack pointer of the frame that a signal has interrupted whose handler runs on a stack of its
  /// own; nil where the handler has none.
  package let interrupted: RemoteAddress?
  /// Whether the outermost frame is code that a language runtime has made (`useRuntimeCode`).
  package let endsInRuntimeCode: Bool

  package init(
    stack: StackID, end: StackEnd, outermost: RemoteAddress, needsRegisters: Bool, depth: Int,
    interrupted: RemoteAddress? = nil, endsInRuntimeCode: Bool = false
  ) {
    self.interrupted = interrupted
    self.endsInRuntimeCode = endsInRuntimeCode
    self.stack = stack
    self.end = end
    self.outermost = outermost
    self.needsRegisters = needsRegisters
    self.depth = depth
  }

  /// The stack of a thread of which nothing could be copied.
  package static let none = missing(.noStack)

  /// The stack of a thread that has none which could be read.
  package static func missing(_ reason: StackEnd.Reason) -> UnwoundStack {
    UnwoundStack(
      stack: .empty, end: .truncated(reason), outermost: RemoteAddress(0), needsRegisters: false,
      depth: 0)
  }
}

/// Finds the frames of native stacks in copies of stack memory.
///
/// The rules come from libunwind, once for each code address; a frame whose address is known costs
/// about 0.1 µs. Not Sendable: it belongs to one resolver thread.
package final class NativeUnwinder {
  /// Frames reported of each end of a deeper stack; in all at most twice as many.
  static let reportedFrames = 256
  /// Frames followed before a stack is called endless.
  static let frameLimit = 200_000
  /// The least time between two readings of the maps for an unknown address; while a program loads its
  /// libraries, which the first of them are for, it is a tenth.
  static let refreshInterval = Nanoseconds.milliseconds(100)
  static let frequentRefreshes = 100

  let modules: ModuleMap
  let engine: RuleEngine
  var cache: RuleCache
  var functions = KnownFunctions()
  let memo = StackMemo()
  private var histories: [ThreadHistory?] = []
  var scratch = FrameBuffer(capacity: 256)
  /// The `ModuleMap.generation` that the cache belongs to.
  private var generation = 0
  var lastRefresh: MonotonicClock.Instant?
  var refreshes = 0
  var mayRefresh = false
  /// The CPU time that the last one took.
  var refreshCost: Nanoseconds = 0
  /// The size of the stack table at the last call: a smaller one is another table.
  private var knownStacks = 0
  var elided: FrameID?
  private var runtimeCode: [Range<RemoteAddress>] = []
  let synthetic: SyntheticRules

  /// Frames reported, rules applied, and addresses looked up for the first time.
  package internal(set) var statistics: (frames: Int, steps: Int, misses: Int) = (0, 0, 0)
  /// Whether outer frames of the previous stack of a thread are used again; off only to measure
  /// and to prove that it makes no difference.
  package var reusesFrames = true

  package init(modules: ModuleMap) {
    let engine = RuleEngine()
    var cache = RuleCache()
    synthetic = SyntheticRules(engine, &cache)
    self.modules = modules
    self.engine = engine
    self.cache = cache
  }

  /// Drops what was found for addresses whose mapping is gone or replaced.
  ///
  /// Call it after `ModuleMap.refresh` said that the executable mappings changed.
  package func invalidate() {
    guard generation != modules.generation else { return }
    generation = modules.generation
    dropEverything()
  }

  /// Says where language runtimes put code that they have made: unwinding ends there.
  package func useRuntimeCode(_ ranges: [Range<RemoteAddress>]) {
    guard ranges != runtimeCode else { return }
    runtimeCode = ranges
    dropEverything()
  }

  func isRuntimeCode(_ pc: RemoteAddress) -> Bool {
    !runtimeCode.isEmpty && runtimeCode.contains { $0.contains(pc) }
  }

  /// Drops the previous stack of a thread, which has ended.
  package func forget(thread: Int) {
    guard histories.indices.contains(thread) else { return }
    histories[thread] = nil
  }

  private func dropEverything() {
    cache.removeAll()
    functions.removeAll()
    engine.removeAllRegions()
    for history in histories { history?.removeAll() }
  }

  /// Unwinds a snapshot into frames of `stacks`, which must be the same table at each call.
  ///
  /// `thread` is a small slot number, under which the previous stack of that thread is kept for
  /// reuse: what has not changed since costs nothing. `search` says whether a frame pointer that is not
  /// known is searched for in the stack; a stack found so ends as `.inferred`.
  /// `boundary` is the stack pointer of a runtime's innermost frame, where that is known: a search that
  /// leads there has found the way, too.
  package func unwind(
    _ snapshot: StackSnapshot, thread: Int, search: FramePointerUse = .never,
    boundary: RemoteAddress? = nil, into stacks: inout StackTable
  ) -> UnwoundStack {
    forgetOtherTable(stacks)
    defer { knownStacks = stacks.stackCount }
    let registers = snapshot.registers
    guard registers.isKnown(Registers.stackPointer), registers.isKnown(Registers.instructionPointer)
    else {
      return UnwoundStack(
        stack: .empty, end: .truncated(.noStack), outermost: snapshot.start,
        needsRegisters: false, depth: 0)
    }
    invalidate()
    let history = history(of: thread)
    engine.show(snapshot)
    mayRefresh = true
    while true {
      let tail =
        reusesFrames && snapshot.outer.bytes.isEmpty
        ? history.startOfEqualTail(snapshot.bytes, at: snapshot.start) : nil
      let walk = walk(from: registers, history: history, equalFrom: tail, stacks: &stacks)
      if generation != modules.generation {
        // The maps were read anew on the way, and rules used before may be wrong. Ends: they are
        // read at most once in a call.
        invalidate()
        continue
      }
      if search != .never, case .unknownRegister = walk.ending,
        let found = self.search(
          snapshot, from: walk, in: history, isSure: search == .unambiguous, boundary: boundary,
          stacks: &stacks)
      {
        return found
      }
      return record(walk, of: snapshot, in: history, equalFrom: tail, stacks: &stacks)
    }
  }

  /// Walks again with each value that the frame pointer may have, until one leads to the end of the
  /// stack; with `isSure` only where no other could be meant.
  private func search(
    _ snapshot: StackSnapshot, from walk: WalkResult, in history: ThreadHistory, isSure: Bool,
    boundary: RemoteAddress?, stacks: inout StackTable
  ) -> UnwoundStack? {
    guard scratch.count > 0, !snapshot.registers.isKnown(Registers.framePointer) else { return nil }
    let place = scratch.count - 1
    let search = FramePointerSearch(modules: modules)
    let candidates = search.candidates(
      in: snapshot, stackPointer: walk.outermost, pc: scratch.base[place].pc)
    var leading: [RemoteAddress] = []
    var frames: [CallerFrame] = []
    for value in isSure ? candidates.sorted() : candidates {
      let attempt = self.walk(snapshot, framePointer: value, in: history, stacks: &stacks)
      guard reachesEnd(attempt, boundary) else { continue }
      if leading.isEmpty {
        frames = (0..<scratch.count).map {
          CallerFrame(pc: scratch.base[$0].pc, stackPointer: scratch.base[$0].stackPointer)
        }
      }
      leading.append(value)
      if !isSure { break }
    }
    guard let value = leading.first,
      !isSure || search.isOnlyOne(leading, through: frames, from: place)
    else {
      // Back to what is known: the first walk's frames are the result.
      engine.show(snapshot)
      _ = self.walk(from: snapshot.registers, history: history, equalFrom: nil, stacks: &stacks)
      return nil
    }
    let best = self.walk(snapshot, framePointer: value, in: history, stacks: &stacks)
    let result = record(best, of: snapshot, in: history, equalFrom: nil, stacks: &stacks)
    return UnwoundStack(
      stack: result.stack, end: .inferred, outermost: result.outermost, needsRegisters: false,
      depth: result.depth, endsInRuntimeCode: result.endsInRuntimeCode)
  }

  /// Whether a walk has led to the end of the stack, or to the runtime's frames, which are at `boundary`.
  private func reachesEnd(_ walk: WalkResult, _ boundary: RemoteAddress?) -> Bool {
    switch walk.ending {
    case .complete: true
    case .runtimeCode:
      scratch.count > 0 && scratch.base[scratch.count - 1].stackPointer == boundary
    default: false
    }
  }

  private func walk(
    _ snapshot: StackSnapshot, framePointer: RemoteAddress, in history: ThreadHistory,
    stacks: inout StackTable
  ) -> WalkResult {
    var registers = snapshot.registers
    registers.set(Registers.framePointer, framePointer.rawValue)
    engine.show(
      StackSnapshot(
        registers: registers, start: snapshot.start, bytes: snapshot.bytes,
        reachesEnd: snapshot.reachesEnd, outer: snapshot.outer))
    return walk(from: registers, history: history, equalFrom: nil, stacks: &stacks)
  }

  /// Hands over the frames that the last `unwind` of this thread found, innermost first, each with
  /// the address that was looked up and its stack pointer.
  package func forEachFrame(
    of thread: Int,
    _ body: (_ frame: FrameID, _ pc: RemoteAddress, _ stackPointer: RemoteAddress) -> Void
  ) {
    guard histories.indices.contains(thread), let history = histories[thread] else { return }
    for index in stride(from: history.frames.count - 1, through: 0, by: -1) {
      let frame = history.frames.base[index]
      body(frame.frame, frame.pc, frame.stackPointer)
    }
  }

  private func forgetOtherTable(_ stacks: borrowing StackTable) {
    guard stacks.stackCount < knownStacks else { return }
    dropEverything()
    memo.removeAll()
    elided = nil
  }

  private func history(of thread: Int) -> ThreadHistory {
    precondition(thread >= 0, "a thread's slot is a small number from 0 on")
    while histories.count <= thread { histories.append(nil) }
    if let known = histories[thread] { return known }
    let history = ThreadHistory()
    histories[thread] = history
    return history
  }
}

// MARK: - The walk

extension NativeUnwinder {
  func walk(
    from registers: Registers, history: ThreadHistory, equalFrom: RemoteAddress?,
    stacks: inout StackTable
  ) -> WalkResult {
    let engine = engine
    var walk = StackWalk(
      from: registers, history: history, equalFrom: equalFrom, into: scratch)
    defer { finish(walk.count) }
    guard engine.start(), var current = lookUp(walk.frame.pc, isReturn: false, stacks: &stacks)
    else { return walk.ended(.noRule) }
    var lookup = cache.lookup
    while true {
      if walk.frame.isJunction, walk.meetsHistory(engine) { return walk.joined(history) }
      if walk.isFull {
        guard walk.count < Self.frameLimit else { return walk.ended(.frameLimit) }
        grow(walk.count)
        walk.use(scratch)
      }
      walk.append(current.frame)
      guard current.rule != 0 else {
        return walk.ended(current.source == .runtimeCode ? .runtimeCode : .noRule)
      }
      if let ending = walk.step(by: current, lookup.rule(current.rule), engine) {
        return walk.ended(current.isEntered ? .complete : ending)
      }
      let slot = lookup.slot(of: walk.frame.pc)
      if slot.pointee.isFree {
        guard
          let found = lookUp(walk.frame.pc, isReturn: walk.frame.isReturn, stacks: &stacks)
        else {
          return walk.ended(
            current.isEntered ? .complete : .badFrame(isGuess: current.isGuess))
        }
        current = found
        lookup = cache.lookup
      } else {
        current = slot.pointee
      }
      walk.enterCaller()
    }
  }

  private func finish(_ count: Int) {
    scratch.count = count
    statistics.steps += count
  }

  /// Makes room for more than `count` frames.
  @inline(never)
  private func grow(_ count: Int) {
    scratch.count = count
    scratch.reserve(count + 1, limit: Self.frameLimit)
  }
}
