internal import ProfileModel

extension Merge {
  /// A module, and a number that separates files of the same path without a build ID.
  struct ModuleKey: Hashable {
    let module: Module?
    let variant: Int
  }

  /// By `FrameID` of the profile: the frame here.
  mutating func addFrames(of profile: Profile) -> [FrameID] {
    let ids = profile.modules.map { id(of: $0, variant: 0) }
    return profile.stacks.frames.enumerated().map { position, frame in
      guard case .code(let code) = frame else { return add(frame) }
      let module = profile.position(of: code.module)
      let known = position < profile.symbols.count ? profile.symbols[position].lines : []
      let isNamed = known.contains(where: \.isKnown)
      // Code at the same place of another build of a file has other names: it counts as code of
      // another module of that path. A few such builds are separate, the rest share the last.
      var variant = 0
      while true {
        let id =
          variant == 0
          ? module.map { ids[$0] } ?? .anonymous
          : self.id(of: module.map { profile.modules[$0] }, variant: variant)
        let place = Frame.code(CodeAddress(module: id, address: code.address))
        let frameID = stacks.id(of: place)
        let symbol = ResolvedFrame(lines: known, module: id)
        if Int(frameID.rawValue) == symbols.count { symbols.append(symbol) }
        let other = symbols[Int(frameID.rawValue)].lines
        if !isNamed || other == known || variant == Self.variantLimit { return frameID }
        if !other.contains(where: \.isKnown) {
          symbols[Int(frameID.rawValue)] = symbol
          return frameID
        }
        variant += 1
      }
    }
  }

  private static var variantLimit: Int { 64 }

  private mutating func add(_ frame: Frame) -> FrameID {
    let id = stacks.id(of: frame)
    if Int(id.rawValue) == symbols.count {
      symbols.append(ResolvedFrame(unknown: frame))
    }
    return id
  }

  private mutating func id(of module: Module?, variant: Int) -> ModuleID {
    guard module != nil || variant > 0 else { return .anonymous }
    // A file that one capture could not read is still the same file.
    let file = module.map { Module(path: $0.path, buildID: $0.buildID) }
    let key = ModuleKey(module: file, variant: variant)
    if let known = moduleIDs[key] { return known }
    let id = ModuleID(Int32(clamping: modules.count))
    modules.append(module ?? Module(path: "[no file \(variant)]"))
    moduleIDs[key] = id
    return id
  }

  /// By `StackID` of the profile: the stack here.
  mutating func addStacks(of table: StackTable, _ frames: [FrameID]) -> [StackID] {
    var ids: [StackID] = [.empty]
    ids.reserveCapacity(table.stackCount)
    for stack in 1..<max(table.stackCount, 1) {
      let id = StackID(UInt32(stack))
      let caller = Int(table.caller(of: id).rawValue)
      guard let frame = table.innermostFrame(of: id), frames.indices.contains(Int(frame.rawValue))
      else {
        ids.append(.empty)
        continue
      }
      // A stack's caller was made before it; anything else is treated as an outermost frame.
      ids.append(
        stacks.stack(
          of: frames[Int(frame.rawValue)], calledBy: caller < stack ? ids[caller] : .empty))
    }
    return ids
  }
}

extension SourceLine {
  /// Whether more than the address is known.
  fileprivate var isKnown: Bool { isNamed || file != nil }
}
