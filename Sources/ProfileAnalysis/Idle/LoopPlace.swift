internal import ProfileModel

/// Where in the event loops of its stack a thread is: in one that waits for events, or below one, in
/// a handler; or both, in a loop that a handler runs.
struct LoopPlace: Hashable, Sendable {
  /// The loop in whose own wait the thread is.
  struct Rest: Hashable, Sendable {
    let loop: EventLoop
    /// The innermost and the outermost of the loop's functions around the wait.
    let frames: ClosedRange<Int>
    /// Whether a function of the program's own polls for the loop, so that the wait must prove it.
    let isByPollFunction: Bool
  }

  /// Nil for a thread in no loop's own wait.
  let rest: Rest?
  /// The innermost function of a loop that called the handler which waits, or runs the loop of `rest`.
  let handlerOf: Int?
  /// The functions below that one which may be the handler, the outermost first.
  let handlers: [Int]

  /// `roles`, `isToolkit` and `modules` are by position, innermost function first.
  init(_ roles: [FunctionRole], isToolkit: [Bool], modules: [ModuleID], asker: Int) {
    let stack = Functions(roles: roles, isToolkit: isToolkit, modules: modules)
    rest = stack.rest(asker)
    let start = (rest?.frames.upperBound ?? asker) + 1
    handlerOf = stack.caller(from: start, isNested: rest != nil)
    handlers =
      handlerOf.map { loop in
        (0..<loop).reversed().filter { stack.mayBeHandler($0, of: loop) }
      } ?? []
  }

  /// What is known of the functions of a stack.
  private struct Functions {
    let roles: [FunctionRole]
    let isToolkit: [Bool]
    let modules: [ModuleID]

    /// Of functions without names the most that a loop has between its wait and a function with one.
    private static let namelessLimit = 2

    func rest(_ asker: Int) -> Rest? {
      guard asker < roles.count else { return nil }
      if case .rest(.loop(let loop)) = roles[asker] {
        return Rest(loop: loop, frames: asker...end(of: asker), isByPollFunction: false)
      }
      guard let next = roles[asker...].firstIndex(where: { $0.loop != nil || $0 == .reply }),
        case .rest(.loop(let loop)) = roles[next], loop.takesPollFunction,
        isPollFunction(asker..<next, below: next)
      else { return nil }
      return Rest(loop: loop, frames: next...end(of: next), isByPollFunction: true)
    }

    /// Whether functions between a wait and a loop can be one that polls for the loop, and the loop's
    /// functions without names.
    private func isPollFunction(_ between: Range<Int>, below loop: Int) -> Bool {
      let ofLoop = between.reversed().prefix {
        roles[$0] == .address && modules[$0] == modules[loop]
      }
      let own = between.dropLast(ofLoop.count)
      return ofLoop.count <= Self.namelessLimit && !own.isEmpty && own.count <= 3
        && own.allSatisfy { !isToolkit[$0] }
    }

    /// The outermost of the functions of loops around a wait, with nothing of the program's own between.
    private func end(of first: Int) -> Int {
      var end = first
      for position in first..<roles.count {
        switch roles[position] {
        case .rest(.loop): end = position
        case .call, .glue, .root: continue
        case .address, .other:
          guard isToolkit[position] else { return end }
        case .dispatch, .emission, .reply, .rest: return end
        }
      }
      return end
    }

    /// The function that called the handler which is at `start` or further out; `isNested` for one that
    /// itself runs a loop.
    func caller(from start: Int, isNested: Bool) -> Int? {
      let callers = roles.indices.dropFirst(min(start, roles.count)).filter {
        roles[$0].loopOfHandlers != nil
      }
      let loop = callers.first { position in
        if case .emission(let loop) = roles[position] {
          return loop.callsHandlersBySignals && (0..<position).contains { isOwn($0) }
        }
        let isHandlerCall = roles[position].isHandlerCall
        return !isNested
          || (start..<position).contains { isHandlerCall ? isFunction($0) : isOwn($0) }
      }
      // A stack that was cut short, or a signal that was emitted outside of any loop.
      return loop
        ?? callers.last { position in
          guard case .emission = roles[position] else { return false }
          return true
        }
    }

    private func isOwn(_ position: Int) -> Bool {
      isFunction(position) && !isToolkit[position]
    }

    /// Whether it is a function of which nothing is known.
    private func isFunction(_ position: Int) -> Bool {
      roles[position] == .other || roles[position] == .address
    }

    /// Whether a function below `loop` may be the handler: one of the program's own.
    ///
    /// In a program that holds the loop itself that is told by the name.
    func mayBeHandler(_ position: Int, of loop: Int) -> Bool {
      guard isOwn(position) else { return false }
      return modules[position] == .anonymous || modules[position] != modules[loop]
        || roles[loop].loop?.isOfOneProgram ?? false && roles[position] == .other
    }
  }
}

extension FunctionRole {
  /// Whether only handlers lie below it.
  fileprivate var isHandlerCall: Bool {
    if case .dispatch(let loop) = self { return !loop.forks }
    return false
  }
}

extension EventLoop {
  /// Whether a function that a signal calls is a handler in its own right, as those of GTK's widgets are.
  fileprivate var callsHandlersBySignals: Bool { self == .glib }

  /// Whether only the program whose loop it is has it, so that all below it is that program's.
  fileprivate var isOfOneProgram: Bool {
    switch self {
    case .redis, .nginx, .postgreSQL: true
    default: false
    }
  }
}
