/// `gi_frame_state` (internal/pycore_frame.h), which each version numbers anew.
enum PythonGeneratorState: Equatable {
  case created, suspended, awaiting, executing, cleared
}

/// How a version keeps generators and coroutines, and what they await.
struct PythonGeneratorShape: Sendable {
  /// Where what is awaited is found on a suspended frame's stack.
  enum Top: Sendable {
    /// A count of entries from the locals on (up to 3.13).
    case count
    /// An address, with so many bytes of what was pushed last below it.
    case address(below: Int)
  }

  let state: Int
  let frame: Int
  /// Where, in the frame, the first local variable is, and what says how much of its stack is in use.
  let locals: Int
  let stackTop: Int
  let top: Top
  private let states: [Int8: PythonGeneratorState]
  /// 3.12 does not tell what awaits from what yields; there the next instruction does.
  let instructionTellsAwait: Bool
  /// Stack references carry tags in their lower bits (`_PyStackRef`, 3.14).
  let referenceMask: UInt64

  /// Nil for versions whose coroutines are not read.
  init?(_ layout: PythonLayout, minor: Int) {
    guard let state = layout[.generatorState], let frame = layout[.generatorFrame],
      let locals = layout[.frameLocals], let stackTop = layout[.frameStackPointer],
      frame + locals < 4096
    else { return nil }
    self.state = state
    self.frame = frame
    self.locals = locals
    self.stackTop = stackTop
    instructionTellsAwait = minor == 12
    referenceMask = minor >= 14 ? ~3 : ~0
    switch minor {
    case ...12:
      top = .count
      states = [-2: .created, -1: .suspended, 0: .executing, 1: .cleared, 4: .cleared]
    case 13, 14:
      top = minor == 13 ? .count : .address(below: 8)
      states = [
        -3: .created, -2: .suspended, -1: .awaiting, 0: .executing, 1: .cleared, 4: .cleared,
      ]
    default:
      // An index is above what is awaited.
      top = .address(below: 16)
      states = [0: .created, 1: .suspended, 2: .awaiting, 4: .executing, 5: .cleared]
    }
  }

  /// How many bytes of a coroutine are read: up to its first local variable, which comes last.
  var size: Int { frame + locals + PythonObjectShape.wordSize }

  func state(_ number: Int8) -> PythonGeneratorState? { states[number] }

  /// Whether a coroutine in a state may await another.
  func mayAwait(in state: PythonGeneratorState) -> Bool {
    state == (instructionTellsAwait ? .suspended : .awaiting)
  }

  /// Whether 3.12's instruction is RESUME (151), or INSTRUMENTED_RESUME (240), behind a `yield from` (2)
  /// or an `await` (3).
  static func isResumeOfAwait(_ unit: UInt16) -> Bool {
    [151, 240].contains(unit & 0xff) && unit >> 8 & 3 >= 2
  }

  /// The types of what is between a coroutine and one that it awaits: the latter, or another such
  /// object, is their first member.
  static let wrapperNames: Set<String> = [
    "coroutine_wrapper", "async_generator_asend", "async_generator_athrow", "anext_awaitable",
  ]
}
