internal import LinuxProcess

/// A coroutine, generator or asynchronous generator as it lies in memory.
struct PythonCoroutineStep {
  /// Where the object lies that a frame awaits.
  struct Awaited {
    let slot: UInt64
    /// 3.12: the instruction that tells whether it does await.
    let instruction: UInt64?
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
  var coroutineSize: Int? {
    guard let frame = layout[.generatorFrame], let locals = layout[.frameLocals],
      layout[.generatorState] != nil, frame + locals < 4096
    else { return nil }
    return frame + locals + 8
  }

  /// What the copies hold of a coroutine; nil when they do not, or it is in no state there is.
  func coroutine(at object: UInt64, in copies: MemoryCopies) -> PythonCoroutineStep? {
    guard let frameField = layout[.generatorFrame], let stateField = layout[.generatorState]
    else { return nil }
    let address = object &+ UInt64(frameField)
    let record = address &+ UInt64(frameShape.first)
    guard let number = copies.value(at: object &+ UInt64(stateField), as: Int8.self),
      let state = PythonGeneratorState(number, minor: version.minor),
      let offset = copies.offset(of: record, count: frameShape.span)
    else { return nil }
    let frame = frameShape.frame(copies, at: address, recordOffset: offset).frame
    return PythonCoroutineStep(
      state: state, frame: frame, awaited: place(ofAwaitedBy: frame, state, copies))
  }

  /// What is awaited is on top of the frame's stack; from 3.15 on an index lies above it.
  private func place(
    ofAwaitedBy frame: PythonRawFrame, _ state: PythonGeneratorState, _ copies: MemoryCopies
  ) -> PythonCoroutineStep.Awaited? {
    let minor = version.minor
    guard state == (minor == 12 ? .suspended : .awaiting), let field = layout[.frameStackPointer],
      let locals = layout[.frameLocals]
    else { return nil }
    if minor >= 14 {
      guard let top = copies.value(at: frame.address &+ UInt64(field), as: UInt64.self) else {
        return nil
      }
      return PythonCoroutineStep.Awaited(slot: top &- (minor >= 15 ? 16 : 8), instruction: nil)
    }
    guard let count = copies.value(at: frame.address &+ UInt64(field), as: Int32.self), count > 0,
      count < 1 << 20
    else { return nil }
    return PythonCoroutineStep.Awaited(
      slot: frame.address &+ UInt64(locals) &+ UInt64(count - 1) * 8,
      instruction: minor == 12 ? frame.instruction &+ 2 : nil)
  }

  /// The object at such a place; nil when nothing is awaited there.
  func object(at place: PythonCoroutineStep.Awaited, in copies: MemoryCopies) -> UInt64? {
    if let instruction = place.instruction {
      // RESUME, or INSTRUMENTED_RESUME, behind a `yield from` (2) or an `await` (3).
      guard let unit = copies.value(at: instruction, as: UInt16.self),
        [151, 240].contains(unit & 0xff), unit >> 8 & 3 >= 2
      else { return nil }
    }
    guard let value = copies.value(at: place.slot, as: UInt64.self) else { return nil }
    return version.minor >= 14 ? value & ~3 : value
  }
}

extension PythonCoroutineStep {
  /// The types of what stands between a coroutine and one that it awaits: the latter, or another such
  /// object, is their first member.
  static let wrapperNames: Set<String> = [
    "coroutine_wrapper", "async_generator_asend", "async_generator_athrow", "anext_awaitable",
  ]
}
