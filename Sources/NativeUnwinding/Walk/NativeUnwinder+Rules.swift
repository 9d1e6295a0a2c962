internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

extension NativeUnwinder {
  /// The frame at `pc` and the rule for its caller; nil when there is no code.
  ///
  /// A jump may have led out of all code, for which the thread may since have got a signal: its
  /// caller is still known.
  @inline(never)
  func lookUp(
    _ pc: RemoteAddress, isReturn: Bool, stacks: inout StackTable
  ) -> CachedFrame? {
    if pc.rawValue != 0 {
      let slot = cache.lookup.slot(of: pc)
      if slot.pointee.pc == pc { return slot.pointee }
      if let index = functions.index(of: pc) {
        return cache.insert(frame(at: pc, inFunction: index, stacks: &stacks)).pointee
      }
      let known = modules.executableMapping(containing: pc)
      if let mapping = known ?? refreshed(containing: pc) {
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
      of: .code(CodeAddress(module: .anonymous, address: FileAddress(pc.rawValue))))
    return outside
  }

  /// The mapping of `address` in maps that are read anew, which is not done often.
  private func refreshed(containing address: RemoteAddress) -> MemoryMapping? {
    guard mayRefresh else { return nil }
    mayRefresh = false
    let now = MonotonicClock.now()
    let interval =
      refreshes < Self.frequentRefreshes ? Self.refreshInterval / 10 : Self.refreshInterval
    // A tenth of the time at most, where there are many mappings.
    if let lastRefresh, now - lastRefresh < max(interval, refreshCost * 10) { return nil }
    lastRefresh = now
    refreshes += 1
    let before = OwnUsage.threadCPU()
    let hasChanged = try? modules.refresh()
    refreshCost = OwnUsage.threadCPU() - before
    guard hasChanged == true else { return nil }
    return modules.executableMapping(containing: address)
  }

  private func frame(
    at pc: RemoteAddress, isReturn: Bool, in mapping: MemoryMapping, stacks: inout StackTable
  ) -> CachedFrame {
    let image = modules.image(of: mapping)
    if let image, let function = function(at: pc, in: image, mapping) {
      if let index = functions.insert(function) {
        return frame(at: pc, inFunction: index, stacks: &stacks)
      }
      statistics.misses += 1
      let row = engine.row(at: function.entry, for: pc)
      return named(
        function.frame, rule: cache.rule(row?.rule), at: pc,
        in: CodeAddress(module: image.module, address: image.fileAddress(of: pc)), &stacks)
    }
    statistics.misses += 1
    let place = CodeAddress(
      module: image?.module ?? .anonymous,
      address: image?.fileAddress(of: pc) ?? FileAddress(pc.rawValue))
    var result = image.map { shape(at: pc, isReturn: isReturn, in: $0) } ?? synthetic.framePointer
    // The kernel answers calls to this page itself: nothing is pushed there.
    if mapping.path == "[vsyscall]" { result = synthetic.pushed[0] }
    return named(result, rule: result.rule, at: pc, in: place, &stacks)
  }

  /// The frame at `pc` in one of the known functions.
  private func frame(
    at pc: RemoteAddress, inFunction index: Int, stacks: inout StackTable
  ) -> CachedFrame {
    statistics.misses += 1
    let function = functions[index]
    let place = CodeAddress(
      module: function.module, address: FileAddress(pc.rawValue &- function.bias))
    if let rule = function.rule(for: pc) {
      return named(function.frame, rule: rule, at: pc, in: place, &stacks)
    }
    let row = engine.row(at: function.entry, for: pc)
    let rule = cache.rule(row?.rule)
    if let row { functions.add(rule: rule, for: row.code, at: index) }
    return named(function.frame, rule: rule, at: pc, in: place, &stacks)
  }

  private func named(
    _ frame: CachedFrame, rule: UInt32, at pc: RemoteAddress, in place: CodeAddress,
    _ stacks: inout StackTable
  ) -> CachedFrame {
    var result = frame
    result.rule = rule
    result.pc = pc
    result.frame = stacks.id(of: .code(place))
    return result
  }
}

extension NativeUnwinder {
  /// The function around `pc` by the module's unwind data, as far as it is in `mapping`.
  private func function(
    at pc: RemoteAddress, in image: LoadedImage, _ mapping: MemoryMapping
  ) -> KnownFunctions.Function? {
    if let match = image.contents?.frames?.entry(covering: image.fileAddress(of: pc)) {
      engine.addRegions(of: image)
      return function(match, bias: image.bias, in: image, mapping)
    }
    if let frames = image.debugFrames, let match = frames.entry(covering: FileAddress(pc.rawValue))
    {
      engine.addRegion(of: frames)
      return function(match, bias: 0, in: image, mapping)
    }
    return nil
  }

  /// `bias` is that of the addresses in `match`.
  private func function(
    _ match: FrameIndex.Match, bias: UInt64, in image: LoadedImage, _ mapping: MemoryMapping
  ) -> KnownFunctions.Function {
    let start = match.entry.start.loaded(at: bias)
    let end = match.entry.end.loaded(at: bias)
    let code = start < end ? start..<end : start..<start
    return KnownFunctions.Function(
      code: code.clamped(to: mapping.start..<mapping.end), module: image.module,
      bias: image.bias, entry: match.address.loaded(at: bias),
      frame: CachedFrame(
        changed: SavedRegisters.bits(of: match.entry.changedRegisters),
        isSignalFrame: match.entry.isSignalFrame))
  }

  /// Code without unwind data.
  private func shape(at pc: RemoteAddress, isReturn: Bool, in image: LoadedImage) -> CachedFrame {
    guard !isReturn else { return synthetic.framePointer }
    switch image.stackShape(at: pc) {
    case .unknown: return synthetic.framePointer
    case .pushed(let words): return synthetic.pushed[words]
    case .pushedFramePointer: return synthetic.pushedFramePointer
    }
  }
}
