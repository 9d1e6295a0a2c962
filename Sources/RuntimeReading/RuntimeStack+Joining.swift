internal import ProfileModel

extension RuntimeStack {
  /// One group with its frames, and what was left out among them, or before them.
  private struct Part {
    let group: RuntimeFrameGroup
    let frames: ArraySlice<RuntimeFrame>
    let elision: Elision?
  }

  /// The stacks that several interpreters have on one OS thread, as one.
  ///
  /// Groups go by their anchors, the innermost at the lowest address; stacks without anchors stay
  /// in the order given. Empty ones count only where all are.
  package static func joined(_ stacks: [RuntimeStack]) -> RuntimeStack {
    let filled = stacks.filter { !$0.frames.isEmpty || !$0.callers.isEmpty }
    let stacks = filled.isEmpty ? stacks : filled
    guard var result = stacks.first, stacks.count > 1 else { return stacks.first ?? RuntimeStack() }
    for stack in stacks.dropFirst() { result.takeState(of: stack) }
    result.surplusAnchors.removeAll()
    var parts = stacks.flatMap(\.parts)
    if parts.allSatisfy({ $0.group.anchor != nil }) {
      parts.sort { left, right in
        guard let mine = left.group.anchor, let other = right.group.anchor else { return false }
        return mine < other
      }
    }
    result.elision = innermostElision(of: parts)
    result.frames = parts.flatMap(\.frames)
    result.groups = parts.map(\.group)
    return result
  }

  private var parts: [Part] {
    var rest = frames[...]
    return groups.map { group in
      let frames = rest.prefix(group.frameCount)
      rest = rest.dropFirst(group.frameCount)
      let elision = elision.flatMap { frames.indices.contains($0.position) ? $0 : nil }
      return Part(group: group, frames: frames, elision: elision)
    }
  }

  private mutating func takeState(of other: RuntimeStack) {
    if end == .complete { end = other.end }
    isConsistent = isConsistent && other.isConsistent
    isCollectingGarbage = isCollectingGarbage || other.isCollectingGarbage
    if other.holdsLock == true { holdsLock = true }
    if callers.isEmpty {
      callers = other.callers
      hasAllCallers = other.hasAllCallers
    }
  }

  /// The one elision that can be shown, where its frames are in all of them.
  private static func innermostElision(of parts: [Part]) -> Elision? {
    var count = 0
    for part in parts {
      if var elision = part.elision {
        elision.position += count - part.frames.startIndex
        return elision
      }
      count += part.frames.count
    }
    return nil
  }
}
