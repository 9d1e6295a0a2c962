internal import CLibunwind
internal import Glibc
package import LinuxProcess
package import ProfileModel

/// A stack as it was found, and how the search for its frames ended.
package struct UnwoundStack: Sendable {
  /// At most 512 frames; of a deeper stack the middle is one `Frame.elided`.
  package let stack: StackID
  package let end: StackEnd
  /// The address just above the outermost frame that was found: a copy of the stack up to here
  /// is enough to find it again.
  package let outermost: RemoteAddress
  /// Whether the walk ended for want of a register that only a stop of the thread would give.
  package let needsRegisters: Bool
  /// The number of frames found, the elided ones included.
  package let depth: Int

  package init(
    stack: StackID, end: StackEnd, outermost: RemoteAddress, needsRegisters: Bool, depth: Int
  ) {
    self.stack = stack
    self.end = end
    self.outermost = outermost
    self.needsRegisters = needsRegisters
    self.depth = depth
  }

  /// The stack of a thread of which nothing could be copied.
  package static let none = UnwoundStack(
    stack: .empty, end: .truncated(.noStack), outermost: RemoteAddress(0), needsRegisters: false,
    depth: 0)
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
  /// The least time between two readings of the maps for an unknown address, in nanoseconds; while
  /// a program loads its libraries, which the first of them are for, it is a tenth.
  static let refreshInterval: Int64 = 100_000_000
  static let frequentRefreshes = 100

  let modules: ModuleMap
  let engine: RuleEngine
  var cache: RuleCache
  var functions = KnownFunctions()
  let memo = StackMemo()
  private var histories: [ThreadHistory?] = []
  var scratch = FrameBuffer(capacity: 256)
  /// Which `ModuleMap.generation` the cache speaks of.
  private var generation = 0
  var lastRefresh: Int64 = .min / 2
  var refreshes = 0
  var mayRefresh = false
  /// The size of the stack table at the last call: a smaller one is another table.
  private var knownStacks = 0
  var elided: FrameID?
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
  /// To be called after `ModuleMap.refresh` said that the executable mappings changed.
  package func invalidate() {
    guard generation != modules.generation else { return }
    generation = modules.generation
    dropEverything()
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
  /// reuse: what has not changed since costs nothing. `searchesFramePointer` has a frame pointer
  /// that is not known searched for in the stack; a stack found so ends as `.inferred`.
  package func unwind(
    _ snapshot: StackSnapshot, thread: Int, searchesFramePointer: Bool = false,
    into stacks: inout StackTable
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
        reusesFrames
        ? history.startOfEqualTail(snapshot.bytes, at: snapshot.start.rawValue) : nil
      let walk = walk(from: registers, history: history, equalFrom: tail, stacks: &stacks)
      if generation != modules.generation {
        // The maps were read anew on the way, and rules used before may be wrong. Ends: they are
        // read at most once in a call.
        invalidate()
        continue
      }
      if searchesFramePointer, case .unknownRegister = walk.ending,
        let found = search(snapshot, from: walk, in: history, stacks: &stacks)
      {
        return found
      }
      return record(walk, of: snapshot, in: history, equalFrom: tail, stacks: &stacks)
    }
  }

  /// Walks again with each value that the frame pointer may have, until one leads to the end of
  /// the stack.
  private func search(
    _ snapshot: StackSnapshot, from walk: Walk, in history: ThreadHistory,
    stacks: inout StackTable
  ) -> UnwoundStack? {
    guard scratch.count > 0, !snapshot.registers.isKnown(Registers.framePointer) else { return nil }
    let candidates = FramePointerSearch(modules: modules).candidates(
      in: snapshot, stackPointer: walk.outermost, pc: scratch.base[scratch.count - 1].pc)
    for value in candidates {
      var registers = snapshot.registers
      registers.set(Registers.framePointer, value)
      engine.show(
        StackSnapshot(
          registers: registers, start: snapshot.start, bytes: snapshot.bytes,
          reachesEnd: snapshot.reachesEnd))
      let attempt = self.walk(from: registers, history: history, equalFrom: nil, stacks: &stacks)
      guard case .complete = attempt.ending else { continue }
      let found = record(attempt, of: snapshot, in: history, equalFrom: nil, stacks: &stacks)
      return UnwoundStack(
        stack: found.stack, end: .inferred, outermost: found.outermost, needsRegisters: false,
        depth: found.depth)
    }
    // Back to what is known: the first walk's frames are the result.
    engine.show(snapshot)
    _ = self.walk(from: snapshot.registers, history: history, equalFrom: nil, stacks: &stacks)
    return nil
  }

  /// Hands over the frames that the last `unwind` of this thread found, innermost first, each with
  /// the address that was looked up and its stack pointer.
  package func forEachFrame(
    of thread: Int, _ body: (_ frame: FrameID, _ pc: UInt64, _ stackPointer: UInt64) -> Void
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
  /// How a walk ended; its new frames are in `scratch`.
  struct Walk {
    var ending: Ending
    /// The frames of the history that go on from the last new one.
    var kept = 0
    var outermost: UInt64
  }

  enum Ending {
    case complete
    /// Met a frame of the history.
    case joined
    /// The caller's frame was read but is none, or could not be read because of the rule.
    case badFrame(isGuess: Bool)
    case unreadable(isGuess: Bool)
    case unknownRegister
    case noRule
    case frameLimit
  }

  private func walk(
    from registers: Registers, history: ThreadHistory, equalFrom: UInt64?,
    stacks: inout StackTable
  ) -> Walk {
    // Everything that the loop touches is a local or behind a raw pointer: a class's property
    // costs an exclusivity check at each use.
    let engine = engine
    let cursor = engine.cursor
    var lookup = cache.lookup
    let old = history.frames.base
    var oldIndex = history.frames.count - 1
    let tail = equalFrom ?? .max
    var frame = WalkedFrame(
      pc: registers.values[Registers.instructionPointer],
      stackPointer: registers.values[Registers.stackPointer])
    // Registers that rules have changed since `frame.saved` was read.
    var changed = SavedRegisters.all
    var new = scratch.base
    var room = scratch.capacity
    var count = 0
    var walk = Walk(ending: .noRule, outermost: frame.stackPointer)
    defer { finish(count) }
    guard engine.start(),
      var current = lookUp(frame.pc, isReturn: false, stacks: &stacks)
    else { return walk }
    lookup = cache.lookup
    while true {
      if frame.isJunction {
        engine.update(&frame.saved, changed: changed)
        changed = 0
        while oldIndex >= 0, old[oldIndex].stackPointer < frame.stackPointer { oldIndex &-= 1 }
        if frame.stackPointer >= tail, oldIndex >= 0, frame.goesOn(like: old + oldIndex) {
          walk.ending = .joined
          walk.kept = oldIndex + 1
          walk.outermost = history.top
          return walk
        }
      }
      if count == room {
        guard count < Self.frameLimit else {
          walk.ending = .frameLimit
          return walk
        }
        (new, room) = grow(count)
      }
      frame.frame = current.frame
      (new + count).initialize(to: frame)
      count &+= 1
      guard current.rule != 0 else { return walk }
      if current.source == .framePointer, engine.hasNoFramePointer {
        // A chain of frame pointers ends in 0, or in a return address of 0; but a lone 0 may be
        // any function's own number.
        if frame.isInChain { walk.ending = .complete }
        return walk
      }
      let result = sprof_unw_apply_reg_state(cursor, lookup.rule(current.rule))
      guard result > 0 else {
        walk.ending = ending(of: result, isGuess: current.isGuess)
        if result == 0 { walk.outermost = engine.stackPointer }
        return walk
      }
      let caller = engine.stackPointer
      var ip: unw_word_t = 0
      _ = sprof_unw_get_reg(cursor, CInt(Registers.instructionPointer), &ip)
      // A signal may have come on another stack.
      guard caller > frame.stackPointer || current.isSignalFrame else {
        walk.ending = .badFrame(isGuess: current.isGuess)
        return walk
      }
      if ip == 0, current.source == .framePointer, frame.isInChain {
        walk.ending = .complete
        walk.outermost = caller
        return walk
      }
      changed |= current.changed
      frame.isReturn = !current.isSignalFrame
      frame.isInChain = current.source == .framePointer
      frame.pc = ip &- (frame.isReturn ? 1 : 0)
      frame.stackPointer = caller
      let slot = lookup.slot(of: frame.pc)
      if slot.pointee.pc != 0 {
        current = slot.pointee
      } else {
        guard let found = lookUp(frame.pc, isReturn: frame.isReturn, stacks: &stacks) else {
          walk.ending = .badFrame(isGuess: current.isGuess)
          return walk
        }
        current = found
        lookup = cache.lookup
      }
      walk.outermost = caller
    }
  }

  private func finish(_ count: Int) {
    scratch.count = count
    statistics.steps += count
  }

  /// Makes room for more than `count` frames.
  @inline(never)
  private func grow(_ count: Int) -> (UnsafeMutablePointer<WalkedFrame>, Int) {
    scratch.count = count
    scratch.reserve(count + 1, limit: Self.frameLimit)
    return (scratch.base, scratch.capacity)
  }

  private func ending(of result: CInt, isGuess: Bool) -> Ending {
    if result == 0 { return .complete }
    if engine.view.pointee.lacksRegister { return .unknownRegister }
    return engine.view.pointee.unreadable != 0
      ? .unreadable(isGuess: isGuess) : .badFrame(isGuess: isGuess)
  }
}
