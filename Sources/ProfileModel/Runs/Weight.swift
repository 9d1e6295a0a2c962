/// How much of something there was, in the five units of a profile.
package struct Weight: Hashable, Sendable {
  /// Samples of the stack.
  package var samples: Int64
  /// Timer periods; more than samples when ticks came late.
  package var ticks: Int64
  /// CPU time used, in nanoseconds.
  package var cpu: Int64
  /// Wall clock time, in nanoseconds.
  package var wall: Int64
  /// Time runnable without a CPU, in nanoseconds.
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

  /// Adds in each unit; wraps around.
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
