internal import ProfileModel

extension Run {
  /// The part of the run within a window, its weights in proportion; nil when it is outside.
  ///
  /// Neighbouring windows share the run without a remainder.
  func part(from: Int64, to: Int64) -> Run? {
    guard weight.wall > 0 else { return (from..<max(from, to)).contains(start) ? self : nil }
    let (sum, overflow) = start.addingReportingOverflow(weight.wall)
    let end = overflow ? Int64.max : sum
    if from <= start && to >= end { return self }
    let first = max(from, start)
    let last = min(to, end)
    guard first < last else { return nil }
    let head = UInt64(bitPattern: first &- start)
    let tail = UInt64(bitPattern: last &- start)
    let wall = UInt64(weight.wall)
    func cut(_ amount: Int64) -> Int64 {
      amount.share(min(tail, wall), of: wall) &- amount.share(min(head, wall), of: wall)
    }
    return Run(
      thread: thread, stack: stack, end: self.end, activity: activity, start: first,
      weight: Weight(
        samples: cut(weight.samples), ticks: cut(weight.ticks), cpu: cut(weight.cpu),
        wall: cut(weight.wall), delay: cut(weight.delay)),
      unseenSleeps: unseenSleeps)
  }

  /// The same run of another thread.
  func moved(to thread: Int) -> Run {
    Run(
      thread: thread, stack: stack, end: end, activity: activity, start: start, weight: weight,
      unseenSleeps: unseenSleeps)
  }
}

extension Int64 {
  /// The amount times part by whole, where part is at most whole; rounded towards zero.
  fileprivate func share(_ part: UInt64, of whole: UInt64) -> Int64 {
    // The high word is below `whole`, so the quotient fits: part <= whole and magnitude < 2^64.
    let product = magnitude.multipliedFullWidth(by: part)
    guard product.high < whole else { return self }
    let quotient = whole.dividingFullWidth(product).quotient
    let value = Int64(clamping: quotient)
    return self < 0 ? 0 &- value : value
  }
}
