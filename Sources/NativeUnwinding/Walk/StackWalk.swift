internal import CLibunwind
internal import LinuxProcess
internal import ProfileModel

/// How a walk ended; its new frames are in `NativeUnwinder.scratch`.
struct WalkResult {
  var ending: WalkEnding
  /// The frames of the history that go on from the last new one.
  var kept = 0
  var outermost: RemoteAddress

  /// Whether the last frame is code that a language runtime has made.
  var isInRuntimeCode: Bool { if case .runtimeCode = ending { true } else { false } }
}

enum WalkEnding {
  case complete
  /// Met a frame of the history.
  case joined
  /// The caller's frame was read but is none, or could not be read because of the rule.
  case badFrame(isGuess: Bool)
  case unreadable(isGuess: Bool)
  case unknownRegister
  case noRule
  /// In code that a language runtime has made, which is the last frame.
  case runtimeCode
  case frameLimit
}

/// Where a walk is.
///
/// A local variable with raw pointers, all of whose methods are inlined: this is the loop that unwinding
/// spends its time in, and a class's property would cost an exclusivity check at each use.
struct StackWalk {
  private(set) var frame: WalkedFrame
  /// The number of frames that were appended.
  private(set) var count = 0
  private(set) var outermost: RemoteAddress
  /// Registers that rules have changed since `frame.saved` was read.
  private var changed = SavedRegisters.all
  /// The frames of the last walk, outermost first, and the place in them.
  private let old: UnsafeMutablePointer<WalkedFrame>
  private var oldIndex: Int
  /// From where on the stack is the same as then.
  private let tail: RemoteAddress
  private var new: UnsafeMutablePointer<WalkedFrame>
  private var room: Int

  @inline(__always)
  init(
    from registers: Registers, history: ThreadHistory, equalFrom tail: RemoteAddress?,
    into scratch: borrowing FrameBuffer
  ) {
    frame = WalkedFrame(
      pc: registers.instructionPointer, stackPointer: registers.stackPointer)
    outermost = registers.stackPointer
    old = history.frames.base
    oldIndex = history.frames.count - 1
    self.tail = tail ?? RemoteAddress(.max)
    new = scratch.base
    room = scratch.capacity
  }

  @inline(__always)
  func ended(_ ending: WalkEnding) -> WalkResult {
    WalkResult(ending: ending, outermost: outermost)
  }

  /// The result where the walk has met the last one.
  @inline(__always)
  func joined(_ history: ThreadHistory) -> WalkResult {
    WalkResult(ending: .joined, kept: oldIndex + 1, outermost: history.top)
  }

  /// Whether the last walk came by here with the same values; only for a junction.
  @inline(__always)
  mutating func meetsHistory(_ engine: RuleEngine) -> Bool {
    engine.update(&frame.saved, changed: changed)
    changed = 0
    while oldIndex >= 0, old[oldIndex].stackPointer < frame.stackPointer { oldIndex &-= 1 }
    return frame.stackPointer >= tail && oldIndex >= 0 && frame.goesOn(like: old + oldIndex)
  }

  @inline(__always)
  var isFull: Bool { count == room }

  @inline(__always)
  mutating func use(_ buffer: borrowing FrameBuffer) {
    (new, room) = (buffer.base, buffer.capacity)
  }

  @inline(__always)
  mutating func append(_ id: FrameID) {
    frame.frame = id
    (new + count).initialize(to: frame)
    count &+= 1
  }

  /// Applies the rule of `current`, which leads to the caller's frame; says why when the walk ends
  /// with it.
  @inline(__always)
  mutating func step(
    by current: CachedFrame, _ rule: UnsafeMutableRawPointer, _ engine: RuleEngine
  ) -> WalkEnding? {
    if current.source == .framePointer, engine.hasNoFramePointer {
      // A chain of frame pointers ends in 0, or in a return address of 0; but a lone 0 may be any
      // function's own number.
      return frame.isInChain ? .complete : .noRule
    }
    let result = sprof_unw_apply_reg_state(engine.cursor, rule)
    guard result > 0 else {
      guard result == 0 else { return engine.failure(isGuess: current.isGuess) }
      outermost = engine.stackPointer
      return .complete
    }
    let caller = engine.stackPointer
    let returnAddress = engine.instructionPointer
    // A signal may have come on another stack.
    guard caller > frame.stackPointer || current.isSignalFrame else {
      return .badFrame(isGuess: current.isGuess)
    }
    if returnAddress.rawValue == 0, current.source == .framePointer, frame.isInChain {
      outermost = caller
      return .complete
    }
    changed |= current.changed
    frame.isReturn = !current.isSignalFrame
    frame.isInChain = current.source == .framePointer
    // A return address points after the call.
    frame.pc = RemoteAddress(returnAddress.rawValue &- (frame.isReturn ? 1 : 0))
    frame.stackPointer = caller
    return nil
  }

  /// To be called when code was found at the caller's address.
  @inline(__always)
  mutating func enterCaller() { outermost = frame.stackPointer }
}
