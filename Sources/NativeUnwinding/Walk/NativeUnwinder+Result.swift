internal import LinuxProcess
internal import ProfileModel

extension NativeUnwinder {
  /// Puts the new frames on those that were kept, and names the stack.
  func record(
    _ walk: WalkResult, of snapshot: StackSnapshot, in history: ThreadHistory,
    equalFrom: RemoteAddress?,
    stacks: inout StackTable
  ) -> UnwoundStack {
    let new = scratch.count
    let depth = walk.kept + new
    history.frames.count = walk.kept
    history.named = min(history.named, walk.kept)
    history.frames.reserve(depth, limit: .max)
    for index in 0..<new {
      (history.frames.base + walk.kept + index).initialize(to: scratch.base[new - 1 - index])
    }
    history.frames.count = depth
    history.stack = name(history, stacks: &stacks)
    statistics.frames += depth
    let end = end(of: walk, snapshot: snapshot)
    // The bytes of another stack are not kept to compare.
    history.isComplete = end == .complete && snapshot.outer.bytes.isEmpty
    if history.isComplete, reusesFrames {
      history.keep(
        snapshot.bytes, at: snapshot.start, upTo: walk.outermost, equalFrom: equalFrom)
    }
    var needsRegisters = false
    if case .unknownRegister = walk.ending { needsRegisters = true }
    return UnwoundStack(
      stack: history.stack, end: end, outermost: walk.outermost,
      needsRegisters: needsRegisters, depth: depth,
      interrupted: end == .complete && snapshot.outer.bytes.isEmpty
        ? nil : interrupted(on: snapshot),
      endsInRuntimeCode: walk.isInRuntimeCode)
  }

  /// The stack pointer of the first of the new frames that a signal has interrupted on another stack than
  /// the innermost frame's.
  private func interrupted(on snapshot: StackSnapshot) -> RemoteAddress? {
    let start = snapshot.start
    for index in stride(from: 1, to: scratch.count, by: 1) where !scratch.base[index].isReturn {
      let place = scratch.base[index].stackPointer
      if place.distance(from: start) >= UInt64(snapshot.bytes.count) { return place }
    }
    return nil
  }

  private func name(_ history: ThreadHistory, stacks: inout StackTable) -> StackID {
    let frames = history.frames.base
    let depth = history.frames.count
    let isDeep = depth > 2 * Self.reportedFrames
    let plain = isDeep ? max(Self.reportedFrames, history.named) : depth
    var stack = history.named > 0 ? frames[history.named - 1].stack : .empty
    for index in history.named..<max(plain, history.named) {
      stack = memo.stack(of: frames[index].frame, calledBy: stack, in: &stacks)
      frames[index].stack = stack
    }
    history.named = plain
    guard isDeep else { return stack }
    let gap = elided ?? stacks.id(of: .elided())
    elided = gap
    stack = memo.stack(
      of: gap, calledBy: frames[Self.reportedFrames - 1].stack, in: &stacks)
    // The gap takes the place of one frame.
    for index in depth - Self.reportedFrames + 1..<depth {
      stack = memo.stack(of: frames[index].frame, calledBy: stack, in: &stacks)
    }
    return stack
  }

  private func end(of walk: WalkResult, snapshot: StackSnapshot) -> StackEnd {
    switch walk.ending {
    case .complete, .joined: return .complete
    case .unknownRegister: return .truncated(.unknownRegister)
    case .noRule, .runtimeCode: return .truncated(.noUnwindRule)
    case .frameLimit: return .truncated(.frameLimit)
    case .badFrame(let isGuess): return .truncated(isGuess ? .noUnwindRule : .badFrame)
    case .unreadable(let isGuess):
      if isBeyondCopy(engine.view.pointee.unreadable, of: snapshot) {
        return .truncated(.copyLimit)
      }
      return .truncated(isGuess ? .noUnwindRule : .unreadable)
    }
  }

  /// Whether `address` is in the stack that `snapshot` holds only a part of.
  private func isBeyondCopy(_ address: RemoteAddress, of snapshot: StackSnapshot) -> Bool {
    guard !snapshot.reachesEnd, snapshot.outer.bytes.isEmpty else { return false }
    let end = snapshot.start.advanced(by: Int64(snapshot.bytes.count))
    // The word at the end of the copy may begin inside it.
    guard address.advanced(by: 7) >= end else { return false }
    let mapping = modules.maps.mapping(containing: snapshot.registers.stackPointer)
    // The maps know no stack of a thread that was made since.
    return mapping.map { address < $0.end } ?? true
  }
}
