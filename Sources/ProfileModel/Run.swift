/// How much something happened, in the five units of a profile.
package struct Weight: Hashable, Sendable {
  /// Times that the stack was looked at.
  package var samples: Int64
  /// Timer periods that went by; more than samples when ticks came late.
  package var ticks: Int64
  /// CPU time used, in nanoseconds.
  package var cpu: Int64
  /// Wall clock time, in nanoseconds.
  package var wall: Int64
  /// Time spent ready to run without a CPU, in nanoseconds.
  package var delay: Int64

  package init(
    samples: Int64 = 0, ticks: Int64 = 0, cpu: Int64 = 0, wall: Int64 = 0, delay: Int64 = 0
  ) {
    self.samples = samples
    self.ticks = ticks
    self.cpu = cpu
    self.wall = wall
    self.delay = delay
  }

  package static func += (left: inout Weight, right: Weight) {
    left.samples &+= right.samples
    left.ticks &+= right.ticks
    left.cpu &+= right.cpu
    left.wall &+= right.wall
    left.delay &+= right.delay
  }

  package static func + (left: Weight, right: Weight) -> Weight {
    var sum = left
    sum += right
    return sum
  }
}

/// Consecutive ticks in which a thread had the same stack and did the same.
package struct Run: Sendable {
  // Four bytes, as a run list keeps it.
  private let threadNumber: Int32
  package let stack: StackID
  /// Nanoseconds from the start of the capture.
  package let start: Int64
  package var weight: Weight
  package let activity: Activity
  package let end: StackEnd

  /// Index into `Profile.threads`.
  package var thread: Int { Int(threadNumber) }

  package init(
    thread: Int, stack: StackID, end: StackEnd, activity: Activity, start: Int64, weight: Weight
  ) {
    threadNumber = Int32(clamping: thread)
    self.stack = stack
    self.end = end
    self.activity = activity
    self.start = start
    self.weight = weight
  }
}
