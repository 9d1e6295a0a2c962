internal import LinuxProcess
internal import ProfileModel

/// A coroutine, generator or asynchronous generator as it is in memory.
struct PythonCoroutineStep {
  /// Where the object is that a frame awaits.
  struct Awaited {
    let slot: RemoteAddress
    /// 3.12: the instruction that shows whether it does await.
    let instruction: RemoteAddress?
  }

  let state: PythonGeneratorState
  let frame: PythonRawFrame
  /// Nil when it awaits nothing.
  let awaited: Awaited?
}

extension PythonRuntime {
  /// How many bytes of a coroutine are needed: up to its first local variable.
  ///
  /// Nil where the version's coroutines are not known.
  var coroutineSize: Int? { generators?.size }

  /// What the copies hold of a coroutine; nil when they do not, or it is in no state there is.
  func coroutine(at object: RemoteAddress, in copies: MemoryCopies) -> PythonCoroutineStep? {
    guard let shape = generators,
      let number = copies.value(at: object + shape.state, as: Int8.self),
      let state = shape.state(number), case let address = object + shape.frame,
      let offset = copies.offset(of: address + frameShape.first, count: frameShape.span)
    else { return nil }
    let frame = frameShape.frame(copies, at: address, recordOffset: offset).frame
    return PythonCoroutineStep(
      state: state, frame: frame, awaited: place(ofAwaitedBy: frame, state, shape, copies))
  }

  /// What is awaited is on top of the frame's stack.
  private func place(
    ofAwaitedBy frame: PythonRawFrame, _ state: PythonGeneratorState,
    _ shape: PythonGeneratorShape, _ copies: MemoryCopies
  ) -> PythonCoroutineStep.Awaited? {
    guard shape.mayAwait(in: state) else { return nil }
    let stackTop = frame.address + shape.stackTop
    switch shape.top {
    case .address(let below):
      return copies.pointer(at: stackTop).map {
        PythonCoroutineStep.Awaited(slot: $0 - below, instruction: nil)
      }
    case .count:
      guard let count = copies.value(at: stackTop, as: Int32.self), count > 0, count < 1 << 20
      else { return nil }
      let instruction = RemoteAddress(frame.instruction) + 2
      return PythonCoroutineStep.Awaited(
        slot: frame.address + shape.locals + Int(count - 1) * PythonObjectShape.wordSize,
        instruction: shape.instructionTellsAwait ? instruction : nil)
    }
  }

  /// The object at such a place; nil when nothing is awaited there.
  func object(
    at place: PythonCoroutineStep.Awaited, in copies: MemoryCopies
  ) -> RemoteAddress? {
    if let instruction = place.instruction {
      guard let unit = copies.value(at: instruction, as: UInt16.self),
        PythonGeneratorShape.isResumeOfAwait(unit)
      else { return nil }
    }
    guard let shape = generators, let value = copies.word(at: place.slot) else { return nil }
    return RemoteAddress(value & shape.referenceMask)
  }
}
