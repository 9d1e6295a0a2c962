/// What a capture under way has seen since it was last asked.
package struct ProfileGrowth: Sendable {
  /// The capture so far; cost and duration are those of now.
  package var capture: CaptureInfo?
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
  /// Runs, or pieces of runs: those of one run have the same thread, start and stack.
  package var runs: [Run] = []

  package init() {}

  /// Adds what `run` weighs more than `told`; nothing if that is nothing.
  mutating func add(_ run: Run, without told: Weight, _ table: StackTable) {
    var piece = run
    piece.weight = run.weight.excess(over: told)
    guard piece.weight != Weight() || told == Weight() else { return }
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

extension Profile {
  /// Numbers frames and stacks in the order in which the runs first use them, and drops the others.
  ///
  /// A file tells stacks in the order of the runs; with this numbering it gives the same profile
  /// again, down to the order of things that weigh the same. One step for each frame of a stack that
  /// is used.
  package mutating func renumberStacks() {
    var table = StackTable()
    var names: [ResolvedFrame] = []
    // By the old number.
    var known = [StackID?](repeating: nil, count: max(stacks.stackCount, 1))
    known[0] = .empty
    var frames = [FrameID?](repeating: nil, count: stacks.frames.count)
    var path: [StackID] = []
    for index in runs.indices {
      let old = runs.stack(at: index)
      guard Int(old.rawValue) < known.count else {
        runs.setStack(.empty, at: index)
        continue
      }
      path.removeAll(keepingCapacity: true)
      var outer = old
      while known[Int(outer.rawValue)] == nil {
        path.append(outer)
        outer = stacks.caller(of: outer)
      }
      for stack in path.reversed() {
        guard let frame = stacks.innermostFrame(of: stack) else { continue }
        let caller = known[Int(stacks.caller(of: stack).rawValue)] ?? .empty
        let id = frames[Int(frame.rawValue)] ?? table.id(of: stacks[frame])
        frames[Int(frame.rawValue)] = id
        if !symbols.isEmpty, Int(id.rawValue) == names.count {
          let isKnown = Int(frame.rawValue) < symbols.count
          names.append(
            isKnown ? symbols[Int(frame.rawValue)] : ResolvedFrame(unknown: stacks[frame]))
        }
        known[Int(stack.rawValue)] = table.stack(of: id, calledBy: caller)
      }
      runs.setStack(known[Int(old.rawValue)] ?? .empty, at: index)
    }
    stacks = table
    symbols = names
  }
}
