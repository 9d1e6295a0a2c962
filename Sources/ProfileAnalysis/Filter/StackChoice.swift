internal import ProfileModel

/// Which stacks of a profile a filter keeps.
struct StackChoice {
  /// By stack.
  private(set) var isChosen: [Bool] = []

  init(_ filter: ProfileFilter, _ profile: Profile) {
    var matches = FrameMatches(filter, profile)
    let table = profile.stacks
    var isInFocus: [Bool] = []
    var isIgnored: [Bool] = []
    var isInModule: [Bool] = []
    for stack in 0..<table.stackCount {
      let id = StackID(UInt32(stack))
      let caller = Int(table.caller(of: id).rawValue)
      let hasCaller = caller < stack
      let frame = table.innermostFrame(of: id).map { matches.of($0) }
      isInFocus.append(hasCaller && isInFocus[caller] || frame?.focus ?? false)
      isIgnored.append(hasCaller && isIgnored[caller] || frame?.ignore ?? false)
      isInModule.append(hasCaller && isInModule[caller] || frame?.module ?? false)
      isChosen.append(
        (filter.focus == nil || isInFocus[stack]) && !isIgnored[stack]
          && (filter.module == nil || isInModule[stack]))
    }
  }
}

/// What a filter says of each frame; each function name is matched once.
private struct FrameMatches {
  struct Match {
    var focus = false
    var ignore = false
    var module = false
  }

  private let filter: ProfileFilter
  private let profile: Profile
  /// By module.
  private let areModules: [Bool]
  private var focus: [String: Bool] = [:]
  private var ignore: [String: Bool] = [:]
  private var known: [Match?]

  init(_ filter: ProfileFilter, _ profile: Profile) {
    self.filter = filter
    self.profile = profile
    areModules = profile.modules.map { module in
      filter.module.map { $0.matches(module.name) || $0.matches(module.path) } ?? false
    }
    known = Array(repeating: nil, count: profile.stacks.frames.count)
  }

  mutating func of(_ frame: FrameID) -> Match {
    let position = Int(frame.rawValue)
    guard known.indices.contains(position) else { return Match() }
    if let match = known[position] { return match }
    var match = Match()
    var names: [String] = []
    switch profile.stacks[frame] {
    case .code(let code):
      let lines = position < profile.symbols.count ? profile.symbols[position].lines : []
      match.module =
        profile.position(of: code.module).map { areModules[$0] } ?? lines.contains(where: isModule)
      names = lines.isEmpty ? [code.address.description] : lines.map(\.function)
    case .interpreted(let line):
      match.module = isModule(line)
      names = [line.function]
    case .elided: break
    }
    for name in names {
      match.focus = match.focus || Self.match(name, filter.focus, &focus)
      match.ignore = match.ignore || Self.match(name, filter.ignore, &ignore)
    }
    known[position] = match
    return match
  }

  /// Whether a line's file is the module that the filter asks for.
  private func isModule(_ line: SourceLine) -> Bool {
    guard let glob = filter.module, let file = line.file else { return false }
    return glob.matches(file) || glob.matches(file.lastPathPart)
  }

  private static func match(
    _ name: String, _ pattern: FunctionPattern?, _ known: inout [String: Bool]
  ) -> Bool {
    guard let pattern else { return false }
    if let match = known[name] { return match }
    let match = pattern.matches(name)
    known[name] = match
    return match
  }
}
