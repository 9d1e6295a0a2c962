package import LinuxProcess
package import ProfileModel

/// One frame of a language runtime.
package struct RuntimeFrame: Sendable {
  /// Nil when it could not be read in time.
  package let function: RuntimeFunction?
  /// Where its code is, also where that could not be read.
  package let code: RemoteAddress
  /// Nil for code without a line there.
  package let line: Int32?
  /// Whether it is a generator or coroutine, which runs only because another frame resumed it: one that
  /// is the outermost lacks its caller.
  package let needsCaller: Bool

  package init(
    function: RuntimeFunction?, code: RemoteAddress, line: Int32?, needsCaller: Bool = false
  ) {
    self.function = function
    self.code = code
    self.line = line
    self.needsCaller = needsCaller
  }
}

/// Frames that one native frame runs, innermost first: those of one activation of an interpreter's loop.
package struct RuntimeFrameGroup: Hashable, Sendable {
  package var frameCount: Int
  /// An address on the C stack within the native frame that runs the group; nil where it is not known.
  package let anchor: RemoteAddress?
  /// Where the native frames go on that have called the group; nil where unwinding leads through it.
  ///
  /// A runtime with code in no file has one for each group that is whole.
  package let exit: NativeExit?
  /// Whether its frames are of code that the runtime has made itself, through which no unwinding leads.
  package let isOfOwnCode: Bool

  package init(
    frameCount: Int, anchor: RemoteAddress?, exit: NativeExit? = nil, isOfOwnCode: Bool = false
  ) {
    self.frameCount = frameCount
    self.anchor = anchor
    self.exit = exit
    self.isOfOwnCode = isOfOwnCode
  }
}

/// The registers with which a native function goes on when the runtime's frames return to it.
package struct NativeExit: Hashable, Sendable {
  package let registers: Registers

  package init(_ registers: Registers) { self.registers = registers }

  package static func == (left: Self, right: Self) -> Bool {
    left.registers.known == right.registers.known
      && (0..<Registers.count).allSatisfy {
        left.registers.values[$0] == right.registers.values[$0]
      }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(registers.stackPointer)
    hasher.combine(registers.instructionPointer)
  }
}

/// The frames of one thread of a language runtime, innermost first.
package struct RuntimeStack: Sendable {
  /// How the walk ended.
  package enum End: Hashable, Sendable {
    /// At the thread's first frame.
    case complete
    /// At memory that is not there, or was not copied in time.
    case unreadable(RemoteAddress)
    /// At as many frames as were wanted.
    case limited
    /// At a frame that there was no time for: the outer ones are missing.
    case cut
    /// The chain comes back to itself: it was torn.
    case cyclic
    /// More frames than a stack can have.
    case tooDeep
  }

  /// Frames that were left out of the middle of a very deep stack.
  package struct Elision: Hashable, Sendable {
    /// The index in `frames` before which they are missing.
    package var position: Int
    package let count: Int
    /// How many groups were left out as a whole.
    package var groupCount = 0

    package init(position: Int, count: Int) {
      self.position = position
      self.count = count
    }
  }

  package var frames: [RuntimeFrame] = []
  /// Their frame counts sum up to the number of `frames`.
  package var groups: [RuntimeFrameGroup] = []
  /// All anchors that were found, the innermost first, where they are more than the groups and nothing tells
  /// which are of none; else empty.
  package var surplusAnchors: [RemoteAddress] = []
  package var elision: Elision?
  package var end = End.complete
  /// Whether all of it was copied at one instant; else callers and callees may not belong together.
  package var isConsistent = true
  /// Whether the runtime was collecting garbage.
  package var isCollectingGarbage = false
  /// The addresses of calls on another stack, which the thread has left for the one that its registers are
  /// of: the callers of its outermost native frame, innermost first.
  package var callers: [RemoteAddress] = []
  /// Whether these reach to the first function of that stack.
  package var hasAllCallers = false
  /// Whether the thread was the one that its interpreter's lock belongs to; nil if not known.
  package var holdsLock: Bool?

  package init() {}
}

extension RuntimeStack {
  /// Whether both ends are those of the thread's stack.
  ///
  /// A generator whose caller is just being linked, or unlinked, seems to have none. What has no function
  /// is no frame, but what is where one was looked for.
  package var hasBothEnds: Bool {
    guard let innermost = frames.first, let outermost = frames.last else { return true }
    return innermost.function != nil && outermost.function != nil && !outermost.needsCaller
  }

  /// Takes the functions with these numbers (`LanguageRuntime.refuted`) out of the frames, which then
  /// have none: what was there when they were copied is not known.
  package mutating func forget(_ functions: Set<UInt32>) {
    guard !functions.isEmpty else { return }
    forget { functions.contains($0.number) }
  }

  /// Takes all functions out of the frames: the program that they are of is over.
  package mutating func forgetAll() { forget { _ in true } }

  private mutating func forget(_ isForgotten: (RuntimeFunction) -> Bool) {
    for (index, frame) in frames.enumerated() {
      guard let function = frame.function, isForgotten(function) else { continue }
      isConsistent = false
      frames[index] = RuntimeFrame(
        function: nil, code: frame.code, line: nil, needsCaller: frame.needsCaller)
    }
  }

  /// Gives up the frames: the thread was where nothing shows them.
  package mutating func reject() {
    frames.removeAll()
    groups.removeAll()
    surplusAnchors.removeAll()
    elision = nil
    end = .unreadable(RemoteAddress(0))
  }
}
