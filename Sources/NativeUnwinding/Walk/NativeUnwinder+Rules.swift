internal import ELFReading
internal import LinuxProcess
package import ProfileModel

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
      if isReturn, let found = entered(at: pc.advanced(by: 1), stacks: &stacks) {
        return cache.insert(found).pointee
      }
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

  /// The frame of a call that another reader has found; `pc` is within the call.
  package func frame(ofCallAt pc: RemoteAddress, into stacks: inout StackTable) -> FrameID {
    lookUp(pc, isReturn: true, stacks: &stacks)?.frame
      ?? stacks.id(of: .code(CodeAddress(module: .anonymous, address: FileAddress(pc.rawValue))))
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
    if isRuntimeCode(pc) {
      return named(
        CachedFrame(source: .runtimeCode), rule: 0, at: pc,
        in: CodeAddress(module: .anonymous, address: FileAddress(pc.rawValue)), &stacks)
    }
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
    var result =
      image.map { shape(at: pc, isReturn: isReturn, in: $0) }
      ?? (isReturn ? shapeOfStub(at: pc) : synthetic.framePointer)
    // The kernel answers calls to this page itself: nothing is pushed there.
    if mapping.path == "[vsyscall]" { result = synthetic.pushed[0] }
    return named(result, rule: result.rule, at: pc, in: place, &stacks)
  }

  /// The frame of a function to whose first instruction a return address leads; nil for nearly all.
  ///
  /// No call is before it: makecontext(3) has put the address of `__start_context` on the stack. The
  /// byte before that belongs to another function, or to none.
  private func entered(at start: RemoteAddress, stacks: inout StackTable) -> CachedFrame? {
    let pc = start.advanced(by: -1)
    if let index = functions.index(of: pc), functions[index].code.upperBound != start { return nil }
    guard let mapping = modules.executableMapping(containing: start),
      let image = modules.image(of: mapping),
      let match = image.contents?.frames?.entry(covering: image.fileAddress(of: start)),
      match.entry.start == image.fileAddress(of: start),
      !FramePointerSearch(modules: modules).isReturnAddress(start),
      let function = function(at: start, in: image, mapping)
    else { return nil }
    statistics.misses += 1
    let row = engine.row(at: function.entry, for: start)
    var frame = function.frame
    frame.isEntered = !frame.isSignalFrame
    return named(
      frame, rule: cache.rule(row?.rule), at: pc,
      in: CodeAddress(module: image.module, address: image.fileAddress(of: start)), &stacks)
  }

  /// The frame at `pc` in one of the known functions.
  private func frame(
    at pc: RemoteAddress, inFunction index: Int, stacks: inout StackTable
  ) -> CachedFrame {
    statistics.misses += 1
    let function = functions[index]
    // The kernel returns from a handler to the first instruction of code that is marked as a signal's
    // frame; for unwinders, which look one byte before it, its data begin there (glibc, __restore_rt).
    let isEntry = function.frame.isSignalFrame && pc == function.code.lowerBound
    let place = CodeAddress(
      module: function.module,
      address: FileAddress(pc.rawValue &- function.bias &+ (isEntry ? 1 : 0)))
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
    isReturn ? synthetic.framePointer : frame(for: image.stackShape(at: pc))
  }

  /// Code in no file.
  private func shapeOfStub(at pc: RemoteAddress) -> CachedFrame {
    modules.generatedStub(at: pc).map { frame(for: $0.shape) } ?? synthetic.framePointer
  }

  private func frame(for shape: LoadedImage.StackShape) -> CachedFrame {
    switch shape {
    case .unknown: return synthetic.framePointer
    case .pushed(let words): return synthetic.pushed[words]
    case .pushedFramePointer: return synthetic.pushedFramePointer
    }
  }
}
