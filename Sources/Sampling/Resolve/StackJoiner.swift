internal import NativeUnwinding
internal import ProfileModel
internal import RuntimeReading

/// Which frames of a thread that an interpreter runs are kept.
package enum FrameChoice: String, Sendable, CaseIterable {
  /// The interpreted ones, and the native ones that are not the interpreter's own machinery.
  case mixed
  /// All of both.
  case all
}

/// Puts the frames of a language's runtime into the native stack.
///
/// Each group of frames that one activation of the interpreter's loop runs has an anchor: an address
/// on the C stack within the loop's native frame. The group takes that frame's place. A group whose
/// native frame was not found keeps its place by the order of addresses.
struct StackJoiner {
  private struct Native {
    /// Nil for the place of frames of code that a runtime has made itself.
    let frame: FrameID?
    let stackPointer: RemoteAddress
  }

  let choice: FrameChoice
  private let frames: InterpreterFrames
  private var native: [Native] = []
  private var isNativeWhole = true
  /// How many of the runtime's frames are in `output`.
  private var frameCount = 0
  /// The frame of each function's number and line.
  private var lines = WordTable()
  private var output: [FrameID] = []
  /// What stands for the frames that were left out of the middle.
  private var elided = FrameID(0)
  /// For each group the index of the native frame whose place it takes; `native.count` for those
  /// further out than the native stack was followed.
  private var places: [Int] = []

  init(choice: FrameChoice, frames: InterpreterFrames) {
    self.choice = choice
    self.frames = frames
  }

  /// The stack that both make together; `slot` is the thread's in the unwinder.
  ///
  /// Stacks that differ only in how many frames were left out are different ones if `countsElided`.
  /// The native stack `isWhole` if it was followed to its end. `resumed` has by group the native
  /// frames that have called it, where unwinding does not lead through it.
  mutating func join(
    _ runtime: RuntimeStack, slot: Int, _ unwinder: NativeUnwinder, isWhole: Bool,
    resumed: [Int: ResumedFrames], runtimes: [any RuntimeNativeCode], countsElided: Bool,
    into stacks: inout StackTable
  ) -> StackID {
    isNativeWhole = isWhole
    frameCount = 0
    native.removeAll(keepingCapacity: true)
    let first = runtime.groups.first { $0.isOfOwnCode }?.anchor
    unwinder.forEachFrame(of: slot) { frame, _, stackPointer in
      // What seems to be behind frames that unwinding does not lead through is not native.
      guard first.map({ stackPointer < $0 }) ?? true else { return }
      native.append(Native(frame: frame, stackPointer: stackPointer))
    }
    for (number, group) in runtime.groups.enumerated() where group.isOfOwnCode {
      guard let anchor = group.anchor else { continue }
      native.append(Native(frame: nil, stackPointer: anchor))
      native += (resumed[number]?.frames ?? []).map {
        Native(frame: $0.frame, stackPointer: $0.stackPointer)
      }
    }
    frames.use(runtimes)
    if let elision = runtime.elision {
      elided = stacks.id(of: .elided(count: countsElided ? elision.count : 0))
    }
    output.removeAll(keepingCapacity: true)
    place(runtime, &stacks)
    var stack = StackID.empty
    for frame in output.reversed() { stack = stacks.stack(of: frame, calledBy: stack) }
    return stack
  }

  // MARK: - Placing

  private mutating func place(_ runtime: RuntimeStack, _ stacks: inout StackTable) {
    places.removeAll(keepingCapacity: true)
    findPlaces(runtime, stacks)
    var next = 0
    for index in native.indices {
      let isLoop = next < places.count && places[next] == index
      while next < places.count, places[next] <= index {
        addGroups(runtime, next..<next + 1, &stacks)
        next += 1
      }
      guard let frame = native[index].frame else { continue }
      if choice == .all {
        output.append(frame)
      } else if !isLoop, isShown(frame, isOutermost: next == places.count, stacks) {
        output.append(frame)
      }
    }
    addGroups(runtime, next..<runtime.groups.count, &stacks)
  }

  private mutating func findPlaces(_ runtime: RuntimeStack, _ stacks: StackTable) {
    let anchors = anchors(of: runtime, stacks)
    guard anchors.contains(where: { $0 != nil }) else {
      places = countedPlaces(runtime, stacks)
      return
    }
    var index = 0
    for (number, anchor) in anchors.enumerated() {
      guard let anchor else {
        // Its entry is not known: it runs in the innermost loop further out than the last group.
        let last = number == 0 ? 0 : places[number - 1]
        places.append(firstLoop(from: number == 0 ? 0 : last + 1, stacks) ?? last)
        continue
      }
      // A frame reaches from its stack pointer to its caller's.
      while index + 1 < native.count, native[index + 1].stackPointer <= anchor { index += 1 }
      let isInside = index < native.count && native[index].stackPointer <= anchor
      let isBeyond = index + 1 >= native.count && !reaches(anchor)
      places.append(isBeyond ? native.count : isInside ? index : max(places.last ?? 0, index))
    }
  }

  /// The anchor of each group; those that are not within the loop are of none.
  private func anchors(of runtime: RuntimeStack, _ stacks: StackTable) -> [RemoteAddress?] {
    let own = runtime.groups.map(\.anchor)
    guard !runtime.surplusAnchors.isEmpty else { return own }
    var found: [RemoteAddress?] = []
    var index = 0
    for anchor in runtime.surplusAnchors {
      while index + 1 < native.count, native[index + 1].stackPointer <= anchor { index += 1 }
      if index < native.count, isLoop(index, stacks) { found.append(anchor) }
    }
    return found.count == own.count ? found : own
  }

  /// Whether the last native frame may be the one around `anchor`: its caller is not known.
  private func reaches(_ anchor: RemoteAddress) -> Bool {
    guard let last = native.last else { return false }
    return anchor.distance(from: last.stackPointer) < 4096
  }

  private func isLoop(_ index: Int, _ stacks: StackTable) -> Bool {
    native[index].frame.map { frames.kind(of: $0, stacks) == .runtime(.loop) } ?? true
  }

  private func firstLoop(from start: Int, _ stacks: StackTable) -> Int? {
    native.indices.dropFirst(start).first { isLoop($0, stacks) }
  }

  /// Without anchors (3.9 and older): one group for each activation of the loop, from outside; where
  /// either stack lacks its outer end, from inside.
  private func countedPlaces(_ runtime: RuntimeStack, _ stacks: StackTable) -> [Int] {
    let loops = native.indices.filter { isLoop($0, stacks) }
    let count = runtime.groups.count
    guard !loops.isEmpty else {
      // Nothing shows the loop where the interpreter's functions have no names.
      let innermost = native.indices.first {
        native[$0].frame.map { frames.kind(of: $0, stacks) } == .runtime(.machinery)
      }
      return Array(repeating: innermost ?? native.count, count: count)
    }
    // Each frame is a group: as many of them were left out.
    let missing = runtime.elision?.groupCount ?? 0
    let more = loops.count - count - missing
    let isWhole = runtime.end != .cut && runtime.end != .limited && (isNativeWhole || more >= 0)
    let surplus = isWhole ? more : 0
    return (0..<count).map { group in
      let isBehind = runtime.elision.map { group >= $0.position } ?? false
      let position = group + surplus + (isBehind ? missing : 0)
      if loops.indices.contains(position) { return loops[position] }
      return position < 0 ? loops[0] : native.count
    }
  }

  /// Adds the frames of the groups that come next.
  private mutating func addGroups(
    _ runtime: RuntimeStack, _ groups: Range<Int>, _ stacks: inout StackTable
  ) {
    guard !groups.isEmpty else { return }
    for group in groups {
      let start = frameCount
      frameCount = max(start, min(start + runtime.groups[group].frameCount, runtime.frames.count))
      for index in start..<frameCount {
        if runtime.elision?.position == index { output.append(elided) }
        if index == 0, runtime.isCollectingGarbage {
          output.append(
            stacks.id(of: .interpreted(SourceLine(function: "<garbage collection>"))))
        }
        output.append(frame(of: runtime.frames[index], &stacks))
      }
    }
    // The callers that there was no time for are between these and the native ones further out.
    if groups.upperBound == runtime.groups.count, runtime.end == .cut {
      output.append(stacks.id(of: .elided()))
    }
  }

  private mutating func frame(of frame: RuntimeFrame, _ stacks: inout StackTable) -> FrameID {
    guard let function = frame.function else {
      return stacks.id(of: .interpreted(SourceLine(frame)))
    }
    let key = UInt64(function.number) << 32 | UInt64(UInt32(bitPattern: frame.line ?? 0))
    if let known = lines.number(of: key) { return FrameID(known) }
    let id = stacks.id(of: .interpreted(SourceLine(frame)))
    lines.set(id.rawValue, for: key)
    return id
  }

  // MARK: - What is shown

  private func isShown(_ frame: FrameID, isOutermost: Bool, _ stacks: StackTable) -> Bool {
    switch frames.kind(of: frame, stacks) {
    case .runtime(.loop), .runtime(.machinery): false
    // What started the thread or the program.
    case .library: !isOutermost
    case .runtime(.builtin), .foreign: true
    }
  }
}
