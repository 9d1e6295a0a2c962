internal import ProfileModel

/// Finds the function that an event loop called: the outermost one of the program's own.
///
/// Between the two are functions that only lead there: of the loop's library, of a toolkit, of
/// Python's standard library.
struct HandlerSearch {
  enum Result {
    /// Index into `SourceStacks.frames`.
    case function(Int)
    /// In a handler without a name.
    case unnamed
    /// In the loop's own code.
    case none
  }

  private let index: ProfileIndex
  private let owners: [ModuleOwner]
  private let executable: ModuleID?

  init(_ index: ProfileIndex) {
    self.index = index
    owners = index.profile.modules.map(\.owner)
    let path = index.profile.capture.executable
    let position = index.profile.modules.firstIndex { $0.path == path }
    executable = position.map { ModuleID(Int32(clamping: $0)) }
  }

  /// The handler in a stack, whose functions mean `parts`.
  func handler(of stack: StackID, _ parts: IdleRecognition.Stack) -> Result {
    // The tasks of asyncio that wait are frames, and none of `parts`.
    let frames = index.frames(of: stack).withoutWaitingTasks
    guard frames.count == parts.roles.count,
      let loop = Self.loop(in: parts.roles)
    else { return .none }
    let isOwnLoop = isOfProgram(loop, parts)
    let within = (0..<loop).reversed().filter { position in
      parts.roles[position] == .other
        && (isOwnLoop || frames[position].isInterpreted
          || parts.modules[position] != parts.modules[loop])
        && !Self.isOfLoop(frames[position]) && owner(frames[position]) == .program
    }
    let own =
      within.first { frames[$0].isInterpreted && !frames[$0].isOfLoopLibrary }
      ?? within.first { frames[$0].module == executable }
      ?? within.first { !frames[$0].isInterpreted && frames[$0].line.file != nil }
      ?? within.first { !frames[$0].isOfLoopLibrary }
    guard let own = own ?? within.first else {
      let isUnnamed = parts.roles[..<loop].contains(.address)
      return isUnnamed && !isInLibrary(loop, parts) ? .unnamed : .none
    }
    return position(of: frames[own], in: stack).map { .function($0) } ?? .none
  }

  /// What the outermost loop called: the first frame below it that is not in the loop's own file; nil where
  /// the stack does not show it.
  ///
  /// Two handlers without names are told apart by it.
  func entry(of stack: StackID, _ parts: IdleRecognition.Stack) -> SourceFrame? {
    let frames = index.frames(of: stack).withoutWaitingTasks
    guard frames.count == parts.roles.count,
      let loop = parts.roles.lastIndex(where: \.isDispatch)
        ?? parts.roles.lastIndex(where: { $0.loopOfHandlers != nil })
    else { return nil }
    return frames[..<loop].last { $0.module != frames[loop].module }
  }

  /// The innermost loop; a handler may call others of its own, and those are a part of it.
  ///
  /// Of commands that a loop's handler reads one after the other, each counts.
  private static func loop(in roles: [FunctionRole]) -> Int? {
    if let command = roles.firstIndex(of: .dispatch(.redis)) { return command }
    let rest = roles.firstIndex { role in
      if case .rest(.loop(let loop)) = role { !loop.forks } else { false }
    }
    return rest ?? roles.lastIndex { $0.loopOfHandlers != nil }
  }

  private func position(of frame: SourceFrame, in stack: StackID) -> Int? {
    index.sourceFrames(of: stack).last { index.stacks.frames[$0] == frame }
  }

  private func owner(_ frame: SourceFrame) -> ModuleOwner {
    frame.isInterpreted ? .program : owners.owner(of: frame.module)
  }

  /// Whether the loop is a part of the program's own file, as that of redis and of node.
  private func isOfProgram(_ loop: Int, _ parts: IdleRecognition.Stack) -> Bool {
    let main = parts.roles.indices.last { position in
      owners.owner(of: parts.modules[position]) == .program
    }
    return main.map { parts.modules[$0] == parts.modules[loop] } ?? false
  }

  /// Whether all that the loop called is in its own library or in the C library.
  private func isInLibrary(_ loop: Int, _ parts: IdleRecognition.Stack) -> Bool {
    parts.modules[..<loop].allSatisfy { module in
      module == parts.modules[loop] || owners.owner(of: module) != .program
    }
  }

  /// Whether a function belongs to a loop that is a part of the program's own file.
  private static func isOfLoop(_ frame: SourceFrame) -> Bool {
    guard !frame.isInterpreted else { return false }
    let name = FunctionName.plain(frame.line.function)
    return name.hasPrefix("uv_") || loopFunctions.contains(name)
  }

  private static let loopFunctions: Set<String> = [
    "processTimeEvents", "call", "beforeSleep", "afterSleep", "ngx_event_process_posted",
    "ngx_event_expire_timers",
  ]
}

extension SourceFrame {
  /// Whether it is a function of a standard library, or of a loop that takes the place of Python's.
  fileprivate var isOfLoopLibrary: Bool {
    if isOfStandardLibrary { return true }
    guard isPython, let file = line.file else { return false }
    return Self.loopFolders.contains { file.contains(bytesOf: $0) }
  }

  private static let loopFolders = [
    "/asyncio/", "/uvloop/", "/tkinter/", "/gi/overrides/", "/socketserver.py", "/selectors.py",
  ]
}

extension FunctionRole {
  fileprivate var isDispatch: Bool {
    if case .dispatch = self { true } else { false }
  }
}
