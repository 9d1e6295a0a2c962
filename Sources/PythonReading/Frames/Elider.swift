internal import RuntimeReading

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

  var count: Int { inner.count + outer.count }

  /// Which of those that are kept an index is; nil for one that is not.
  func place(of index: Int) -> Int? {
    if inner.contains(index) { return index - inner.lowerBound }
    return outer.contains(index) ? inner.count + index - outer.lowerBound : nil
  }

  func forEach(_ body: (Int) -> Void) {
    for index in inner { body(index) }
    for index in outer { body(index) }
  }

  var elision: RuntimeStack.Elision? {
    let missing = outer.lowerBound - inner.upperBound
    return missing > 0 ? RuntimeStack.Elision(position: inner.count, count: missing) : nil
  }

  /// The groups with what is left of their frames, without those that have none left.
  func apply(to groups: [RuntimeFrameGroup]) -> [RuntimeFrameGroup] {
    let isAll = outer.isEmpty && groups.reduce(0) { $0 + $1.frameCount } == inner.count
    if isAll, groups.allSatisfy({ $0.frameCount > 0 }) { return groups }
    var start = 0
    return groups.compactMap { group in
      let range = start..<(start + group.frameCount)
      start = range.upperBound
      let count = range.clamped(to: inner).count + range.clamped(to: outer).count
      return count > 0 ? RuntimeFrameGroup(frameCount: count, anchor: group.anchor) : nil
    }
  }
}
