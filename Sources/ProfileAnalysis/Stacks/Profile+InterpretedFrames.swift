package import ProfileModel

extension Profile {
  /// The profile without the native frames of the stacks that have interpreted ones.
  ///
  /// For views alone: make the diagnosis of the whole profile, because it takes all frames to know
  /// what a thread waits for. Nothing but the stacks of the runs changes.
  package func hidingNativeFrames() -> Profile {
    var shown = self
    // By stack: what is left of it, and whether that has an interpreted frame.
    var rest = [StackID.empty]
    var isInterpreted = [false]
    for number in 1..<stacks.stackCount {
      let stack = StackID(UInt32(number))
      // A stack's caller was made before it.
      let caller = Int(stacks.caller(of: stack).rawValue)
      var (left, isKnown) = (rest[caller], isInterpreted[caller])
      if let frame = stacks.innermostFrame(of: stack) {
        switch stacks[frame] {
        case .code: break
        case .interpreted:
          left = shown.stacks.stack(of: frame, calledBy: left)
          isKnown = true
        case .elided: left = shown.stacks.stack(of: frame, calledBy: left)
        }
      }
      rest.append(left)
      isInterpreted.append(isKnown)
    }
    shown.runs = RunList()
    for run in runs {
      let stack = Int(run.stack.rawValue)
      let isShorter = isInterpreted.indices.contains(stack) && isInterpreted[stack]
      shown.runs.append(isShorter ? run.with(stack: rest[stack]) : run)
    }
    return shown
  }
}

extension Run {
  fileprivate func with(stack: StackID) -> Run {
    Run(
      thread: thread, stack: stack, end: end, activity: activity, start: start, weight: weight,
      unseenSleeps: unseenSleeps)
  }
}
