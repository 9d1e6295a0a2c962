internal import ProfileModel

/// Runs of a thread that follow each other away from its loop, all in one handler as far as the
/// samples show.
struct HandlerStretch {
  /// Nil where no sample shows it.
  private(set) var handler: LoopMoments.Handler?
  /// What the loop called, by the latest sample that shows it.
  private var entry: SourceFrame?
  private(set) var runs: [Run]
  private(set) var length: Int64
  private(set) var samples: Int64

  var start: Int64 { max(0, runs.first?.start ?? 0) }

  init(_ run: Run, handler: LoopMoments.Handler?, entry: SourceFrame? = nil) {
    self.handler = handler
    self.entry = entry
    runs = [run]
    length = max(0, run.weight.wall)
    samples = max(0, run.weight.samples)
  }

  /// Several runs that follow each other, at least one; of one handler.
  init?(_ runs: ArraySlice<Run>, handler: LoopMoments.Handler?) {
    guard let first = runs.first else { return nil }
    self.init(first, handler: handler)
    for run in runs.dropFirst() { append(run) }
  }

  /// Lengthens the stretch by a run that follows; false where that shows another handler, or time that
  /// nobody saw is between the two.
  mutating func add(
    _ run: Run, handler: LoopMoments.Handler?, entry: SourceFrame?, period: Int64
  ) -> Bool {
    if let known = self.handler, let handler {
      guard known == handler else { return false }
    } else if let known = self.entry, let entry, !known.mayBeOneFunction(with: entry) {
      return false
    }
    guard run.start &- (start &+ length) < period else { return false }
    self.handler = self.handler ?? handler
    self.entry = entry ?? self.entry
    append(run)
    return true
  }

  private mutating func append(_ run: Run) {
    runs.append(run)
    // By the clock: a run may begin a part of a period after the one before.
    let (stop, overflow) = run.start.addingReportingOverflow(max(0, run.weight.wall))
    length = max(length, (overflow ? .max : stop) &- start)
    samples = samples &+ max(0, run.weight.samples)
  }

  /// Whether the thread slept between two samples, where it may have been in its loop.
  var hidesSleep: Bool {
    runs.dropFirst().contains { !$0.unseenSleeps.subtracting([.another, .goesOn]).isEmpty }
      || runs.first?.unseenSleeps.contains(.within) ?? false
  }

  /// In how much of its time its loop may have rested unseen: all but what the kernel counted on a CPU or in
  /// wait for one.
  var restingTime: Int64 { length - min(length, AwakeTime(runs).counted) }

  /// Whether it is one wait from beginning to end.
  var isOneWait: Bool { runs.count == 1 && runs[0].activity.isWait && !runs[0].hasManySleeps }

  /// Whether it slept for most of its time in many sleeps, of which none is a freeze: those of one handler that
  /// waits again and again look like those of many handlers, as the loop in between takes next to no time.
  ///
  /// Waits for a disk are left out, which one system call may begin many times, and those for an
  /// interpreter's lock, which time out every few milliseconds.
  func isManySleeps(threshold: Int64) -> Bool {
    let asleep = runs.indices.reduce(Int64(0)) { sum, position in
      let run = runs[position]
      guard run.activity.isWaitPerSleep,
        isOfManySleeps(position) || run.knownLength < threshold
      else { return sum }
      return sum &+ max(0, run.weight.wall)
    }
    return asleep > length / 2
  }

  /// Whether the run at a position is of several sleeps, or of one among several in the same stack.
  private func isOfManySleeps(_ position: Int) -> Bool {
    runs[position].hasManySleeps || position > 0 && runs[position].followsSleep
      || position + 1 < runs.count && runs[position + 1].followsSleep
  }

  /// Whether it slept for most of its time.
  var isMostlyAsleep: Bool {
    let asleep = runs.reduce(Int64(0)) { $0 &+ ($1.activity.isWait ? max(0, $1.weight.wall) : 0) }
    return asleep > length / 2
  }

  /// Whether it was ready to run without a CPU for a good part of its time.
  var isMostlyWithoutCPU: Bool { AwakeTime(runs).waited > length / 4 }

  /// Whether a time is within it.
  func contains(_ time: Int64) -> Bool { time >= start && time &- start < length }

  /// The parts in which it slept nowhere unseen, and in no more than one sleep at each place.
  var wholeParts: [HandlerStretch] {
    var parts: [HandlerStretch] = []
    var first = 0
    for position in runs.indices {
      let run = runs[position]
      let isBroken = isOfManySleeps(position)
      if position > first, isBroken || run.unseenSleeps.contains(.before) {
        parts += HandlerStretch(runs[first..<position], handler: handler).map { [$0] } ?? []
        first = position
      }
      if isBroken { first = position + 1 }
    }
    if first < runs.count {
      parts += HandlerStretch(runs[first...], handler: handler).map { [$0] } ?? []
    }
    return parts
  }
}

extension Run {
  /// Whether it is of more than one sleep.
  fileprivate var hasManySleeps: Bool {
    unseenSleeps.contains(.within) || activity.isWait && unseenSleeps.contains(.renewed)
  }

  /// For how long it lasted for certain: from its first sample to its last.
  fileprivate var knownLength: Int64 { weight.wall &- weight.wall / max(1, weight.samples) }
}

extension SourceFrame {
  /// Functions are hardly ever longer, in bytes.
  private static let longestFunction: UInt64 = 4096

  /// Whether two frames may be of one function: where one has no name, when their addresses are close.
  fileprivate func mayBeOneFunction(with other: SourceFrame) -> Bool {
    guard module == other.module else { return false }
    if line.isNamed, other.line.isNamed { return line.function == other.line.function }
    guard let address, let otherAddress = other.address else { return true }
    let (first, second) = (address.rawValue, otherAddress.rawValue)
    return max(first, second) - min(first, second) < Self.longestFunction
  }
}
