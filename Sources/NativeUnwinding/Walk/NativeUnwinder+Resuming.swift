package import LinuxProcess
package import ProfileModel

/// Native frames that go on behind those of a language runtime, innermost first.
package struct ResumedFrames {
  package private(set) var frames: [(frame: FrameID, stackPointer: RemoteAddress)] = []
  /// Whether the last of them is the thread's first, or leads to more frames of a runtime.
  package private(set) var isComplete = false

  init(_ walk: WalkResult, _ buffer: borrowing FrameBuffer) {
    let count = walk.isInRuntimeCode ? buffer.count - 1 : buffer.count
    for index in 0..<max(0, count) {
      frames.append((buffer.base[index].frame, buffer.base[index].stackPointer))
    }
    switch walk.ending {
    case .complete, .joined, .runtimeCode: isComplete = true
    case .badFrame, .unreadable, .unknownRegister, .noRule, .frameLimit: break
    }
  }
}

extension NativeUnwinder {
  /// Unwinds the function that a language runtime's frames return to, and its callers.
  ///
  /// `registers` are those with which it goes on. What was found of the thread before stays as it is.
  package func resume(
    from registers: Registers, in snapshot: StackSnapshot, into stacks: inout StackTable
  ) -> ResumedFrames {
    var registers = registers
    // A return address points after the call.
    registers.set(
      Registers.instructionPointer, registers.instructionPointer.rawValue &- 1)
    engine.show(
      StackSnapshot(
        registers: registers, start: snapshot.start, bytes: snapshot.bytes,
        reachesEnd: snapshot.reachesEnd))
    let walk = walk(from: registers, history: ThreadHistory(), equalFrom: nil, stacks: &stacks)
    return ResumedFrames(walk, scratch)
  }
}
