internal import ProfileModel
package import RuntimeReading

extension PythonThreadReader {
  /// The stack of the sample.
  ///
  /// The thread may run: all comes from the copies. Also makes the plan of the next sample.
  package func finish() -> RuntimeStack {
    if walk.isGoing {
      if isCut { walk.cut() } else { walk.giveUp(at: walk.currentAddress) }
    }
    findFunctions()
    var stack = RuntimeStack()
    if case .ended(let end) = walk.state { stack.end = end }
    stack.isConsistent = isConsistent
    readState(into: &stack)
    var groups = PythonFrameGrouping.groups(of: walk, runtime: reader.runtime)
    stack.surplusAnchors = PythonFrameGrouping.surplusAnchors(of: walk, groups: groups.count)
    let shown = shownCount
    if shown < walk.frames.count { stack.end = .cut }
    let visible = hideCleanups(in: &groups)
    var count = visible.map { $0.count { $0 < shown } } ?? shown
    // The outer end of what was found is none of the stack's.
    if stack.end == .cut { count = min(count, frameLimit) }
    let kept = Elider(count: count, limit: frameLimit)
    stack.groups = kept.apply(to: groups)
    stack.elision = kept.elision
    stack.elision?.groupCount = groups.count { $0.frameCount > 0 } - stack.groups.count
    stack.frames = frames(kept, visible)
    if !tasks.isEmpty {
      let place = visible.map { $0.firstIndex(of: tasks.position) } ?? tasks.position
      addTasks(to: &stack, behind: place.flatMap { kept.place(of: $0) })
    }
    // A name that two pages hold takes two reads more, which a sample may never have.
    rememberNeeds(
      besides: (isCut ? missingOfFunctions() ?? [] : [])
        + (areTasksCut ? missingOfTasks() ?? [] : []))
    isFamiliar = !isCut
    return stack
  }

  private func readState(into stack: inout RuntimeStack) {
    let lock = reader.lockState(of: thread.interpreter, in: copies)
    stack.holdsLock = lock.map { $0.isLocked && $0.holder == thread.state }
    stack.isCollectingGarbage =
      stack.holdsLock != false
      && reader.isCollecting(thread.interpreter, in: copies)
  }

  /// Finds the functions of all frames, and notes those that were not known.
  private func findFunctions() {
    reader.codes.beginReading()
    placeOfFrame.removeAll(keepingCapacity: true)
    placeOfFrame.reserveCapacity(walk.frames.count)
    let generation = generation
    var last = RemoteAddress.null
    var place: UInt32?
    for frame in walk.frames {
      if frame.code != last || place == nil {
        last = frame.code
        place = functions.place(of: last)
      }
      let found: UInt32
      if let place, functions.hasFunction(at: place) {
        found = place
      } else {
        found = functions.note(
          reader.codes.function(at: last, generation: generation, in: copies), for: last)
      }
      place = found
      placeOfFrame.append(found)
    }
  }

  /// The function of a frame of the walk, when it is finished.
  private func function(ofFrame index: Int) -> RuntimeFunction? {
    functions[placeOfFrame[index]]
  }

  /// How many frames are shown: where there was no time, those before the first without a name.
  private var shownCount: Int {
    guard isCut, let first = placeOfFrame.firstIndex(where: { !functions.hasFunction(at: $0) })
    else { return walk.frames.count }
    return max(1, first)
  }

  private func frames(_ kept: Elider, _ visible: [Int]?) -> [RuntimeFrame] {
    var frames: [RuntimeFrame] = []
    frames.reserveCapacity(kept.count)
    let shape = reader.runtime.frameShape
    kept.forEach { index in
      let place = visible?[index] ?? index
      let raw = walk.frames[place]
      frames.append(
        RuntimeFrame(
          function: function(ofFrame: place), code: raw.code,
          line: functions.line(at: placeOfFrame[place], position: shape.unit(of: raw)),
          needsCaller: raw.owner == PythonFrameShape.generatorOwner))
    }
    return frames
  }

  /// Takes out the frames that are no code of the program, and not among those that Python itself shows.
  ///
  /// Gives the indexes of the other frames; nil when all are.
  private func hideCleanups(in groups: inout [RuntimeFrameGroup]) -> [Int]? {
    guard placeOfFrame.contains(where: functions.isCleanup) else { return nil }
    let isVisible = placeOfFrame.map { !functions.isCleanup(at: $0) }
    var start = 0
    groups = groups.compactMap { group in
      let range = start..<(start + group.frameCount)
      start = range.upperBound
      let count = range.count { isVisible[$0] }
      return count > 0 ? RuntimeFrameGroup(frameCount: count, anchor: group.anchor) : nil
    }
    return isVisible.indices.filter { isVisible[$0] }
  }
}
