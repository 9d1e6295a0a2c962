package import ProfileModel

/// Why a thread did not come back, as a capture of just that time shows.
package struct AbsenceCause: Sendable {
  /// What the thread did for most of the time; the raw values are words for programs.
  package enum Kind: String, Sendable {
    case computing
    case waitingForCPU = "waiting_for_cpu"
    case waiting
    case stopped
    case unknown
  }

  package let kind: Kind
  /// The part of the time that this took, 0 to 1.
  package let share: Double
  /// What it waited for most.
  package let wait: Wait?
  /// The function that asked for the wait, or that ran.
  package let place: SourceFrame?
  /// The event loop that had called a handler, and the handler; nil for none.
  package let loop: EventLoop?
  package let handler: SourceFrame?
  /// Whether it may be many short handlers, one after the other, in place of one long one.
  package let isUnclear: Bool

  /// The cause in the diagnosed profile, of a thread given by its index; nil for one without samples.
  package init?(_ diagnosis: Diagnosis, thread: Int) {
    let index = diagnosis.index
    var kinds = Tally<Kind>()
    for run in index.runs(of: thread) {
      // Which of both it did the kernel has counted; not all that ran has a sample.
      kinds.add(run.weight, to: run.activity.isRunnable ? .computing : Kind(run.activity))
    }
    guard let (common, weight) = kinds.heaviest else { return nil }
    let isStarved = common == .computing && weight.delay > weight.cpu
    kind = isStarved ? .waitingForCPU : common
    share = kinds.total.wall > 0 ? Double(weight.wall) / Double(kinds.total.wall) : 1

    // By function: the lines of a loop are many.
    var paths = Tally<Int>()
    var runOfPath: [Int: Run] = [:]
    for run in index.runs(of: thread) {
      let isOfKind =
        common == .computing ? run.activity.isRunnable : Kind(run.activity) == common
      guard isOfKind, run.stack != .empty else { continue }
      let path = index.stacks.functionPaths.path(of: run.stack)
      paths.add(run.weight, to: path)
      if runOfPath[path].map({ $0.weight.wall < run.weight.wall }) ?? true {
        runOfPath[path] = run
      }
    }
    var facts = StackFacts(index)
    let heaviest = paths.heaviest.flatMap { runOfPath[$0.key] }
    let fact = heaviest.map { facts.fact(of: $0.stack, index) }
    let frames = heaviest.map { index.frames(of: $0.stack).withoutWaitingTasks } ?? []
    let wait = fact.flatMap { fact in
      heaviest?.activity.wait(fact.parts.names).map(fact.parts.interpreted)
    }
    let time = Freeze(thread: thread, start: 0, length: max(0, index.profile.capture.duration))
    var known = wait.map { FreezeCauses(index).known($0, in: time) }
    // How much of a sleep was left when it was looked at says nothing of the freeze.
    known?.timeLeft = nil
    known?.isTimed = false
    self.wait = known
    place =
      kind == .waiting
      ? fact?.place ?? frames.first : Self.ownPlace(frames, index.profile.modules.map(\.owner))
    (loop, handler) = Self.handler(index, thread: thread, &facts)
    let stretch = HandlerStretch(Array(index.runs(of: thread))[...], handler: nil)
    isUnclear =
      loop != nil
      && stretch?.isManySleeps(threshold: diagnosis.freezes.rule.threshold) ?? false
  }

  /// The innermost function that an interpreter runs, or of the program's own files, best with a known
  /// source line, or the innermost; past those of a standard library.
  private static func ownPlace(_ frames: [SourceFrame], _ owners: [ModuleOwner]) -> SourceFrame? {
    let own = frames.indices.filter { owners.owner(of: frames[$0].module) == .program }
    let position =
      frames.firstIndex(where: \.isInterpreted) ?? own.first { frames[$0].line.file != nil }
      ?? own.first { frames[$0].line.isNamed } ?? frames.firstIndex { $0.line.isNamed }
      ?? frames.indices.first
    return position.map { frames[owners.caller(of: $0, in: frames)] }
  }

  /// The handler in which the thread spent most of the time.
  private static func handler(
    _ index: ProfileIndex, thread: Int, _ facts: inout StackFacts
  ) -> (EventLoop?, SourceFrame?) {
    struct Function: Hashable {
      let name: String
      let file: String?
    }
    var handlers = Tally<Function>()
    var found: [Function: (EventLoop?, SourceFrame)] = [:]
    for run in index.runs(of: thread) {
      let fact = facts.fact(of: run.stack, index)
      let frames = index.frames(of: run.stack).withoutWaitingTasks
      guard let handler = calledHandler(frames, fact.parts.roles) ?? fact.handler else { continue }
      let function = Function(name: handler.line.function, file: handler.line.file)
      handlers.add(run.weight, to: function)
      let loop = fact.parts.roles.lazy.compactMap(\.loopOfHandlers).first
      if found[function] == nil { found[function] = (loop, handler) }
    }
    guard let heaviest = handlers.heaviest, let (loop, handler) = found[heaviest.key] else {
      return (nil, nil)
    }
    return (loop, handler)
  }
}

extension AbsenceCause {
  /// The outermost function of the program that an interpreted loop has called, past the files of the
  /// loop's own library; nil where the loop is not interpreted.
  private static func calledHandler(
    _ frames: [SourceFrame], _ roles: [FunctionRole]
  ) -> SourceFrame? {
    guard frames.count == roles.count,
      let loop = roles.firstIndex(where: { $0.loopOfHandlers != nil }),
      frames[loop].isInterpreted, let library = frames[loop].line.file.map(folder)
    else { return nil }
    return frames[..<loop].last { frame in
      frame.isInterpreted && frame.line.file.map(folder) != library
        && !JavaFunctions.isOfLibrary(frame)
    }
  }

  private static func folder(of path: String) -> Substring {
    path.lastIndex(of: "/").map { path[..<$0] } ?? ""
  }
}

extension AbsenceCause.Kind {
  fileprivate init(_ activity: Activity) {
    self =
      switch activity {
      case .running: .computing
      case .waitingForCPU: .waitingForCPU
      case .blocked, .uninterruptible: .waiting
      case .stopped: .stopped
      case .unknown: .unknown
      }
  }
}
