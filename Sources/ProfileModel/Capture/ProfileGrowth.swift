/// What a capture that goes on has seen since it was last asked.
package struct ProfileGrowth: Sendable {
  /// The capture so far, with its present cost and duration.
  package var capture: CaptureInfo?
  /// When the process began the program that it runs now, in nanoseconds from the start of the capture; nil
  /// where it is the first.
  package var programStart: Int64?
  /// All modules so far.
  package var modules: [Module] = []
  /// Threads that are new, or have another name, or have ended, by their index.
  package var threads: [(index: Int, info: ThreadInfo)] = []
  /// Frames that are new.
  package var frames: [(id: FrameID, frame: Frame)] = []
  /// Their names, in the same order.
  package var symbols: [ResolvedFrame] = []
  /// The frames of the stacks of `runs`, innermost first.
  package var stacks: [StackID: [FrameID]] = [:]
  /// Runs, or pieces of runs; the pieces of one run have the same thread, start and stack.
  package var runs: [Run] = []

  package init() {}

  /// Adds what `run` weighs more than `known`, if anything.
  mutating func add(_ run: Run, without known: Weight, _ table: StackTable) {
    var piece = run
    piece.weight = run.weight.excess(over: known)
    guard piece.weight != Weight() || known == Weight() else { return }
    runs.append(piece)
    if stacks[run.stack] == nil { stacks[run.stack] = table.frames(of: run.stack) }
  }
}

extension Weight {
  /// What this has more than `other`, in each unit; never below 0.
  fileprivate func excess(over other: Weight) -> Weight {
    Weight(
      samples: max(0, samples &- other.samples), ticks: max(0, ticks &- other.ticks),
      cpu: max(0, cpu &- other.cpu), wall: max(0, wall &- other.wall),
      delay: max(0, delay &- other.delay))
  }

  /// The larger of both, in each unit.
  func maximum(_ other: Weight) -> Weight {
    Weight(
      samples: max(samples, other.samples), ticks: max(ticks, other.ticks),
      cpu: max(cpu, other.cpu), wall: max(wall, other.wall), delay: max(delay, other.delay))
  }
}
