internal import ELFReading
internal import Glibc
internal import LinuxProcess
internal import ProfileModel

extension NativeUnwinder {
  /// The frame at `pc` and the rule for its caller; nil when there is no code.
  ///
  /// A jump may have led out of all code, for which the thread may since have got a signal: its
  /// caller is still known.
  @inline(never)
  func lookUp(
    _ pc: UInt64, isReturn: Bool, stacks: inout StackTable
  ) -> CachedFrame? {
    if pc != 0 {
      let slot = cache.lookup.slot(of: pc)
      if slot.pointee.pc == pc { return slot.pointee }
      let address = RemoteAddress(pc)
      let known = modules.executableMapping(containing: address)
      if let mapping = known ?? refreshed(containing: address) {
        return cache.insert(
          frame(at: pc, isReturn: isReturn, in: mapping, stacks: &stacks)
        ).pointee
      }
    }
    guard !isReturn else { return nil }
    // A call pushed the return address, and nothing ran since.
    var outside = synthetic.pushed[0]
    outside.pc = pc
    outside.frame = stacks.id(
      of: .code(CodeAddress(module: .anonymous, address: FileAddress(pc))))
    return outside
  }

  /// The mapping of `address` after another look at the maps, which is not taken often.
  private func refreshed(containing address: RemoteAddress) -> MemoryMapping? {
    guard mayRefresh else { return nil }
    mayRefresh = false
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let time = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    let interval =
      refreshes < Self.frequentRefreshes ? Self.refreshInterval / 10 : Self.refreshInterval
    guard time - lastRefresh >= interval else { return nil }
    lastRefresh = time
    refreshes += 1
    guard (try? modules.refresh()) == true else { return nil }
    return modules.executableMapping(containing: address)
  }

  private func frame(
    at pc: UInt64, isReturn: Bool, in mapping: MemoryMapping, stacks: inout StackTable
  ) -> CachedFrame {
    statistics.misses += 1
    let image = modules.image(of: mapping)
    let place = CodeAddress(
      module: image?.module ?? .anonymous, address: image?.fileAddress(of: pc) ?? FileAddress(pc))
    var result = image.map { frame(at: pc, isReturn: isReturn, in: $0) } ?? synthetic.framePointer
    // The kernel answers calls to this page itself: nothing is pushed there.
    if mapping.path == "[vsyscall]" { result = synthetic.pushed[0] }
    result.pc = pc
    result.frame = stacks.id(of: .code(place))
    return result
  }
}

extension NativeUnwinder {
  private func frame(at pc: UInt64, isReturn: Bool, in image: LoadedImage) -> CachedFrame {
    if let match = image.contents?.frames?.entry(covering: pc &- image.bias) {
      engine.addRegions(of: image)
      return frame(at: pc, by: match, at: match.address &+ image.bias)
    }
    if let frames = image.debugFrames, let match = frames.entry(covering: pc) {
      engine.addRegion(of: frames)
      return frame(at: pc, by: match, at: match.address)
    }
    guard !isReturn else { return synthetic.framePointer }
    switch image.stackShape(at: pc) {
    case .unknown: return synthetic.framePointer
    case .pushed(let words): return synthetic.pushed[words]
    case .pushedFramePointer: return synthetic.pushedFramePointer
    }
  }

  private func frame(
    at pc: UInt64, by match: FrameIndex.Match, at address: UInt64
  ) -> CachedFrame {
    CachedFrame(
      rule: cache.rule(engine.rule(at: address, for: pc)),
      changed: SavedRegisters.bits(of: match.entry.changedRegisters),
      isSignalFrame: match.entry.isSignalFrame)
  }
}
