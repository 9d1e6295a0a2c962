package import ProfileModel
internal import Synchronization

/// A function of a language runtime, as its own structures describe it.
///
/// One object for each code object that was seen. A function that was defined again, and one whose
/// code object was read again, has several, which are alike.
package final class RuntimeFunction: Sendable {
  /// The qualified name where the runtime keeps one, such as `Parser.<locals>.read`.
  package let name: String
  package let file: String
  package let firstLine: Int32
  /// Where its code object lies; another function may take the place later.
  package let address: RemoteAddress
  let lines: PythonLineTable
  /// No other of this process of ours has it.
  package let number: UInt32
  /// Whether its frames are those that 3.13 and later push below `__init__`, to throw away what it
  /// returns: no code of the program.
  let isCleanup: Bool
  private static let last = Atomic<UInt32>(0)

  init(
    name: String, file: String, firstLine: Int32, address: RemoteAddress, lines: PythonLineTable
  ) {
    self.name = name
    self.file = file
    self.firstLine = firstLine
    self.address = address
    self.lines = lines
    number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue
    isCleanup = name == "__init__" && file == "__init__"
  }

  /// About what it takes of our memory.
  var byteCount: Int { lines.byteCount + name.utf8.count + file.utf8.count }

  /// The line of a code unit; a frame that has not begun (-1) is at its first line.
  package func line(at position: Int32) -> Int32? {
    position < 0 ? firstLine : lines.line(at: position)
  }
}

/// One frame of a language runtime.
package struct RuntimeFrame: Sendable {
  /// Nil when its code object could not be read in time.
  package let function: RuntimeFunction?
  /// The code object's address, also where it could not be read.
  package let code: RemoteAddress
  /// The instruction in code units of two bytes; -1 before the first.
  package let position: Int32
  /// Nil for code without a line there.
  package let line: Int32?
  /// Whether it is the outermost frame of one activation of the interpreter's loop.
  package let isEntry: Bool
  /// Whether it lies in a generator or coroutine.
  package let isGenerator: Bool
}

/// Frames that one activation of the interpreter's loop runs, innermost first.
package struct RuntimeFrameGroup: Hashable, Sendable {
  package var frameCount: Int
  /// An address on the C stack within the native frame that runs the group.
  ///
  /// Nil where the version keeps none: 3.9 and older, and for frames whose entry is not known.
  package let anchor: RemoteAddress?
}

/// The frames of one thread of a language runtime, innermost first.
package struct RuntimeStack: Sendable {
  /// How the walk ended.
  package enum End: Hashable, Sendable {
    /// At the thread's first frame.
    case complete
    /// At memory that is not there, or was not copied in time.
    case unreadable(RemoteAddress)
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
  }

  package var frames: [RuntimeFrame] = []
  /// Their frame counts sum up to the number of `frames`.
  package var groups: [RuntimeFrameGroup] = []
  package var elision: Elision?
  package var end = End.complete
  /// Whether all of it was copied at one instant; else callers and callees may not belong together.
  package var isConsistent = true
  /// Whether the runtime was collecting garbage.
  package var isCollectingGarbage = false
  /// Whether the thread was the one that its interpreter's lock belongs to; nil if not known.
  package var holdsLock: Bool?

  package init() {}
}

extension RuntimeStack {
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
        function: nil, code: frame.code, position: frame.position, line: nil,
        isEntry: frame.isEntry, isGenerator: frame.isGenerator)
    }
  }

  /// Gives up the frames: the thread was where nothing tells them.
  package mutating func reject() {
    frames.removeAll()
    groups.removeAll()
    elision = nil
    end = .unreadable(RemoteAddress(0))
  }

  /// The stacks that several interpreters have on one OS thread, as one.
  ///
  /// Groups go by their anchors, the innermost at the lowest address; stacks without anchors stay
  /// in the order given.
  package static func joined(_ stacks: [RuntimeStack]) -> RuntimeStack {
    guard var result = stacks.first, stacks.count > 1 else { return stacks.first ?? RuntimeStack() }
    // Of each group its frames and what was left out among them, or before them.
    var parts: [(group: RuntimeFrameGroup, frames: ArraySlice<RuntimeFrame>, elision: Elision?)] =
      []
    for stack in stacks {
      var rest = stack.frames[...]
      for group in stack.groups {
        let frames = rest.prefix(group.frameCount)
        rest = rest.dropFirst(group.frameCount)
        let elision = stack.elision.flatMap { frames.indices.contains($0.position) ? $0 : nil }
        parts.append((group, frames, elision))
      }
      if result.end == .complete { result.end = stack.end }
      result.isConsistent = result.isConsistent && stack.isConsistent
      result.isCollectingGarbage = result.isCollectingGarbage || stack.isCollectingGarbage
      if stack.holdsLock == true { result.holdsLock = true }
    }
    if parts.allSatisfy({ $0.group.anchor != nil }) {
      parts.sort { left, right in
        guard let mine = left.group.anchor, let other = right.group.anchor else { return false }
        return mine < other
      }
    }
    result.elision = nil
    var count = 0
    for part in parts {
      // One can be told: the innermost.
      if result.elision == nil, var elision = part.elision {
        elision.position += count - part.frames.startIndex
        result.elision = elision
      }
      count += part.frames.count
    }
    result.frames = parts.flatMap(\.frames)
    result.groups = parts.map(\.group)
    return result
  }
}
