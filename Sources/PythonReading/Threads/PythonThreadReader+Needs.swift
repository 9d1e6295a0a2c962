internal import LinuxProcess
internal import ProfileModel

extension PythonThreadReader {
  /// Makes the plan of the next sample, `more` being missing from this one.
  func rememberNeeds(besides more: [MemoryRange] = []) {
    // What is not there is not to be asked for again and again.
    asked.removeAll { !copies.holds($0) }
    if !isCut, !areTasksCut, more.isEmpty, plan.grow(by: asked) { return }
    // Where freed code objects are counted, known ones are not checked again.
    let verifies = isCut || reader.runtime.layout[.interpreterCodeGeneration] == nil
    seen.removeAll(keepingCapacity: true)
    var needed = reader.stateRanges(of: thread.interpreter)
    // The innermost functions come first: the frames of a deep stack may be more than a plan holds.
    if verifies { addVerification(of: innermostCodes, to: &needed) }
    needed += askedFirst.filter { copies.holds($0) }
    needed += walk.touched.prefix(Self.neededLimit)
    needed += more
    // A warmUp is to find what functions take.
    if !isConsistent { needed += asked }
    needed += tasks.needed
    if verifies {
      addVerification(of: walk.frames.lazy.map(\.code), to: &needed)
      if !tasks.isEmpty { addVerification(of: tasks.codes, to: &needed) }
    }
    plan.remember(walk.withRoomToGrow(needed))
  }

  /// As many of `ranges` as one read may bring while a thread is stopped, but one at least.
  static func part(
    of ranges: ArraySlice<MemoryRange>, size limit: Int = readSize
  ) -> ArraySlice<MemoryRange> {
    var size = 0
    return ranges.prefix { range in
      size += range.count
      return size == range.count || size <= limit
    }
  }

  static let readSize = 1 << 20

  /// Adds what shows whether the code objects that are not in `seen` are still the same.
  private func addVerification(
    of codes: some Sequence<RemoteAddress>, to needed: inout [MemoryRange]
  ) {
    var last = RemoteAddress.null
    for code in codes where code != last {
      last = code
      guard seen.insert(code).inserted else { continue }
      needed += reader.codes.verificationRanges(of: code)
    }
  }

  /// What is further out is asked for piece by piece, as long as there is time.
  private static let neededLimit = 16_384
}
