/// How often a capture samples each thread.
enum SampleSeries: Sendable {
  /// A dump: once, but for threads of which the first sample did not find all.
  case single
  case ticks

  /// Whether a thread's first sample stands for no time.
  var beginsAtFirstSample: Bool { self == .single }

  /// Whether the stacks of a thread that runs differ by how many frames were left out of them: of many
  /// samples each would be a stack of its own.
  var countsElidedFramesOfRunning: Bool { self == .single }

  /// Whether names that were read with the first sample may be old at the end.
  var outlivesNames: Bool { self == .ticks }
}
