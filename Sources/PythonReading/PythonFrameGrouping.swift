internal import ProfileModel

/// Parts the frames of a walk into those of each activation of the interpreter's loop.
enum PythonFrameGrouping {
  static func groups(of walk: PythonFrameWalk, runtime: PythonRuntime) -> [RuntimeFrameGroup] {
    let minor = runtime.version.minor
    if minor >= 12 { return byShims(walk) }
    // Up to 3.10 each call of the loop runs one frame; in 3.11 the outermost one is marked.
    let sizes = minor == 11 ? entrySizes(walk.frames) : walk.frames.map { _ in 1 }
    return zipped(sizes, anchors: walk.cframes)
  }

  /// 3.12 and later push a frame of the interpreter's own onto the C stack for each activation.
  private static func byShims(_ walk: PythonFrameWalk) -> [RuntimeFrameGroup] {
    var groups: [RuntimeFrameGroup] = []
    var start = 0
    // A shim without frames belongs to an activation that is about to begin.
    for shim in walk.shims where shim.frames > start {
      groups.append(
        RuntimeFrameGroup(frameCount: shim.frames - start, anchor: RemoteAddress(shim.address)))
      start = shim.frames
    }
    if walk.frames.count > start {
      groups.append(RuntimeFrameGroup(frameCount: walk.frames.count - start, anchor: nil))
    }
    return groups
  }

  private static func entrySizes(_ frames: [PythonRawFrame]) -> [Int] {
    var sizes: [Int] = []
    var size = 0
    for frame in frames {
      size += 1
      if frame.isEntry {
        sizes.append(size)
        size = 0
      }
    }
    return size > 0 ? sizes + [size] : sizes
  }

  /// Pairs groups with anchors from the outermost end: at the innermost one, frame and anchor are
  /// not pushed at the same instruction.
  private static func zipped(_ sizes: [Int], anchors: [UInt64]) -> [RuntimeFrameGroup] {
    let surplus = anchors.count - sizes.count
    return sizes.enumerated().map { index, size in
      let place = index + surplus
      let anchor = anchors.indices.contains(place) ? RemoteAddress(anchors[place]) : nil
      return RuntimeFrameGroup(frameCount: size, anchor: anchor)
    }
  }
}
