internal import ProfileModel

/// The locations of a file as frames, numbered in the order in which samples use them.
struct FrameTable {
  private(set) var stacks = StackTable()
  private(set) var symbols: [ResolvedFrame] = []
  private let tables: Perftools_Profiles_Profile
  private let lineLimit: Int
  private let budget: ReadingBudget
  /// By stack: its frames, each function inlined into them counted.
  private var depths: [UInt32] = [0]
  private var locations: [UInt64: Int] = [:]
  private var functions: [UInt64: Int] = [:]
  private var mappings: [UInt64: Int] = [:]
  private var frames: [UInt64: FrameID] = [:]
  /// The stacks so far by their locations: most samples have one of these.
  private var stackIDs: [[UInt64]: StackID] = [:]
  /// How many locations `stackIDs` may still hold, so that no file fills the memory with it.
  private var cacheRoom = 1 << 21

  init(
    _ tables: Perftools_Profiles_Profile, lineLimit: Int, _ budget: ReadingBudget
  ) throws(CaptureFileError) {
    self.tables = tables
    self.lineLimit = lineLimit
    self.budget = budget
    for (index, mapping) in tables.mapping.enumerated() {
      guard mappings.updateValue(index, forKey: mapping.id) == nil, index < Int32.max else {
        throw .damaged(.reference)
      }
    }
    for (index, function) in tables.function.enumerated() {
      guard functions.updateValue(index, forKey: function.id) == nil else {
        throw .damaged(.reference)
      }
    }
    for (index, location) in tables.location.enumerated() {
      guard locations.updateValue(index, forKey: location.id) == nil else {
        throw .damaged(.reference)
      }
    }
    for mapping in tables.mapping {
      _ = try (tables.text(mapping.filename), tables.text(mapping.buildID))
    }
  }

  /// The stack of these locations.
  mutating func stack(innermostFirst ids: [UInt64]) throws(CaptureFileError) -> StackID {
    if let known = stackIDs[ids] {
      try takeSteps(of: known)
      return known
    }
    var stack = StackID.empty
    for id in ids.reversed() {
      let frame = try frame(id)
      let caller = stack
      stack = stacks.stack(of: frame, calledBy: caller)
      if stacks.stackCount > depths.count { try add(frame, calledBy: caller) }
    }
    if cacheRoom > 0 {
      cacheRoom -= ids.count + 8
      stackIDs[ids] = stack
    }
    try takeSteps(of: stack)
    return stack
  }

  /// Counts the last stack, which is new.
  private mutating func add(
    _ frame: FrameID, calledBy caller: StackID
  ) throws(CaptureFileError) {
    let limit = budget.limits.count
    guard stacks.stackCount <= limit else { throw .tooLarge(.stacks(limit: limit)) }
    let functions = max(1, symbols[Int(frame.rawValue)].lines.count)
    try budget.take(MemoryCost.stack, times: functions)
    depths.append(depths[Int(caller.rawValue)] &+ UInt32(clamping: functions))
  }

  /// Counts the steps through the stack of a sample: exports take them for each.
  private func takeSteps(of stack: StackID) throws(CaptureFileError) {
    try budget.take(Int(depths[Int(stack.rawValue)]))
  }

  /// The file's mappings; `problems` by their number.
  func modules(problems: [Int: String]) -> [Module] {
    tables.mapping.enumerated().map { number, mapping in
      // `init` has checked both.
      let path = try? tables.text(mapping.filename)
      let buildID = try? tables.known(mapping.buildID)
      return Module(
        path: path ?? "", buildID: buildID ?? nil,
        problem: problems[number].map { ModuleProblem(text: $0) })
    }
  }

  private mutating func frame(_ id: UInt64) throws(CaptureFileError) -> FrameID {
    if let known = frames[id] { return known }
    guard let index = locations[id] else { throw .damaged(.reference) }
    let location = tables.location[index]
    guard location.line.count <= lineLimit else { throw .damaged(.message) }
    try budget.take(MemoryCost.frame, times: max(1, location.line.count))
    let module = try self.module(of: location)
    var frame = Frame.code(
      CodeAddress(module: module, address: FileAddress(fileAddress(of: location))))
    if try isMarked(location, CaptureWords.elided) {
      frame = .elided(count: Int(clamping: max(0, location.line.first?.line ?? 0)))
    } else if let mark = try languageMark(of: location),
      let line = try symbol(location, frame, module).lines.first
    {
      frame = .interpreted(
        SourceLine(
          function: line.function, file: line.file, line: line.line, language: mark.language))
    } else if Int(stacks.id(of: frame).rawValue) < symbols.count {
      // Another location has this address: some tools write none, others the same for all inlined
      // calls.
      frame = .code(CodeAddress(module: module, address: FileAddress(.max - UInt64(symbols.count))))
    }
    let number = stacks.id(of: frame)
    if Int(number.rawValue) == symbols.count {
      if case .interpreted = frame {
        symbols.append(ResolvedFrame(unknown: frame))
      } else {
        symbols.append(try symbol(location, frame, module))
      }
    }
    frames[id] = number
    return number
  }

  /// What marks a location as a function of a language runtime; nil for machine code.
  private func languageMark(
    of location: Perftools_Profiles_Location
  ) throws(CaptureFileError) -> (mark: String, language: SourceLanguage?)? {
    for mark in CaptureWords.languageMarks where try isMarked(location, mark.mark) { return mark }
    return nil
  }

  /// Whether a location's only function has the linkage name `mark`.
  private func isMarked(
    _ location: Perftools_Profiles_Location, _ mark: String
  ) throws(CaptureFileError) -> Bool {
    guard location.line.count == 1, let index = functions[location.line[0].functionID] else {
      return false
    }
    return try tables.text(tables.function[index].systemName) == mark
  }

  private func module(
    of location: Perftools_Profiles_Location
  ) throws(CaptureFileError) -> ModuleID {
    guard location.mappingID != 0 else { return .anonymous }
    guard let index = mappings[location.mappingID] else { throw .damaged(.reference) }
    return ModuleID(Int32(index))
  }

  /// The address in the mapping's file; sprof writes that itself, with an empty range.
  private func fileAddress(of location: Perftools_Profiles_Location) -> UInt64 {
    guard let index = mappings[location.mappingID] else { return location.address }
    let mapping = tables.mapping[index]
    guard mapping.memoryStart <= location.address, location.address < mapping.memoryLimit else {
      return location.address
    }
    return location.address &- mapping.memoryStart &+ mapping.fileOffset
  }

  private func symbol(
    _ location: Perftools_Profiles_Location, _ frame: Frame, _ module: ModuleID
  ) throws(CaptureFileError) -> ResolvedFrame {
    var lines: [SourceLine] = []
    for (position, line) in location.line.enumerated() {
      guard let index = functions[line.functionID] else { throw .damaged(.reference) }
      let function = tables.function[index]
      let linkageName = try tables.known(function.systemName)
      let name = try tables.known(function.name) ?? linkageName
      let isSame = linkageName == name
      lines.append(
        SourceLine(
          function: name ?? FileAddress(location.address).description,
          linkageName: isSame ? nil : linkageName, file: try tables.known(function.filename),
          line: Int(clamping: max(0, line.line)),
          isInlined: position < location.line.count - 1))
    }
    if lines.isEmpty { return ResolvedFrame(unknown: frame) }
    if case .elided = frame { return ResolvedFrame(unknown: frame) }
    return ResolvedFrame(lines: lines, module: module)
  }
}
