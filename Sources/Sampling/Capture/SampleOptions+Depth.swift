extension SampleOptions {
  /// Whether a thread without interpreted frames needs nothing but its registers.
  var wantsNoCallers: Bool { maxDepth == 1 }

  /// Of all stacks this much shows most, whole.
  private static let usualCopy = 256 << 10
  /// So much shows what of an interpreter's own functions called the one that a thread is in: a built-in
  /// function that is to be shown, or the interpreter's loop.
  private static let interpreterCopy = 8 << 10
  /// Few frames are larger; where one is, the next copy is longer.
  private static let usualFrame = 256

  /// The stack bytes to copy of a thread of which nothing is known yet.
  func firstCopy(hasRuntime: Bool) -> Int {
    guard let maxDepth else { return Self.usualCopy }
    let native = maxDepth > 1 ? maxDepth.multipliedClamped(by: Self.usualFrame) : 0
    return min(Self.usualCopy, max(native, hasRuntime || native > 0 ? Self.interpreterCopy : 0))
  }

  /// The bytes to copy next of a stack, of which `count` did not show as many frames as wanted.
  func longerCopy(than count: Int) -> Int {
    min(stackLimit, count < Self.usualCopy ? Self.usualCopy : stackLimit)
  }
}

extension Int {
  fileprivate func multipliedClamped(by factor: Int) -> Int {
    let (result, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : result
  }
}
