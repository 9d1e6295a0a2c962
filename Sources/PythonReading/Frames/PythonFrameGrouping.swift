internal import ProfileModel
internal import RuntimeReading

/// Parts the frames of a walk into those of each activation of the interpreter's loop.
enum PythonFrameGrouping {
  static func groups(of walk: PythonFrameWalk, runtime: PythonRuntime) -> [RuntimeFrameGroup] {
    let shape = runtime.frameShape
    return shape.hasShims ? byShims(walk) : byCFrames(walk, marksEntries: shape.isEntry != nil)
  }

  /// 3.12 and later push a frame of the interpreter's own onto the C stack for each activation.
  private static func byShims(_ walk: PythonFrameWalk) -> [RuntimeFrameGroup] {
    var groups: [RuntimeFrameGroup] = []
    var start = 0
    // A shim without frames belongs to an activation that is about to begin.
    for shim in walk.shims where shim.frames > start {
      groups.append(
        RuntimeFrameGroup(frameCount: shim.frames - start, anchor: shim.address))
      start = shim.frames
    }
    if walk.frames.count > start {
      groups.append(RuntimeFrameGroup(frameCount: walk.frames.count - start, anchor: nil))
    }
    return groups
  }

  /// Up to 3.10 each call of the loop runs one frame; in 3.11 the outermost one is marked.
  ///
  /// In 3.11 anchors name their frames. In 3.10 both are paired from the outermost end: at the innermost
  /// one, frame and anchor are not pushed at the same instruction.
  private static func byCFrames(
    _ walk: PythonFrameWalk, marksEntries: Bool
  ) -> [RuntimeFrameGroup] {
    let frames = walk.frames
    var count = frames.count
    if marksEntries {
      count = frames.count(where: \.isEntry) + (frames.last?.isEntry == false ? 1 : 0)
    }
    // Of two with the same frame the inner one is the loop's, the other a greenlet's copy.
    let named = walk.cframes.compactMap { cframe in cframe.frame.map { ($0, cframe.address) } }
    let anchors = Dictionary(named, uniquingKeysWith: { inner, _ in inner })
    var groups: [RuntimeFrameGroup] = []
    groups.reserveCapacity(count)
    var size = 0
    for (index, frame) in frames.enumerated() {
      size += 1
      guard !marksEntries || frame.isEntry || index == frames.count - 1 else { continue }
      let anchor = anchors[frames[index + 1 - size].address]
      let place = groups.count + walk.cframes.count - count
      let counted = walk.cframes.indices.contains(place) ? walk.cframes[place].address : nil
      groups.append(
        RuntimeFrameGroup(frameCount: size, anchor: anchors.isEmpty ? counted : anchor))
      size = 0
    }
    return groups
  }

  /// All anchors, where they are more than the groups and do not name their frames (3.10).
  ///
  /// Greenlets put a structure of their own behind those of the loop.
  static func surplusAnchors(of walk: PythonFrameWalk, groups: Int) -> [RemoteAddress] {
    guard walk.cframes.count > groups, walk.cframes.allSatisfy({ $0.frame == nil }) else {
      return []
    }
    return walk.cframes.map(\.address)
  }
}
