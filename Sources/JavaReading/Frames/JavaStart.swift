internal import ProfileModel

/// Finds the innermost Java frame of a thread that runs code which says nothing of its own frame.
struct JavaStart {
  private let code: JavaCode
  private let copy: JavaStackCopy
  private let memory: JavaMemory

  /// Frames of the VM's own functions that Java calls without leaving a trace.
  private static let chainLimit = 32
  /// Words in which the return address of a stub is looked for.
  private static let stubWords = 64
  /// The same of one of the VM's functions.
  private static let functionWords = 512

  init(_ code: JavaCode, _ copy: JavaStackCopy, memory: JavaMemory) {
    self.code = code
    self.copy = copy
    self.memory = memory
  }

  /// The frame that has called a stub.
  func caller(above place: JavaPlace) -> JavaPlace? {
    // Nothing was pushed since the call.
    if let found = frame(returningAt: place.stackPointer, place.framePointer) { return found }
    // The frame pointer was pushed, and set.
    let frame = place.framePointer
    if frame >= place.stackPointer, frame.distance(from: place.stackPointer) < 4096,
      let saved = copy.address(at: frame), let found = self.frame(returningAt: frame + 8, saved)
    {
      return found
    }
    return search(from: place.stackPointer + 8, words: Self.stubWords, place.framePointer)
  }

  /// The Java frame that has called a function of the VM's, which keeps a chain of frame pointers.
  func caller(ofFunctionAt stackPointer: RemoteAddress, framePointer: RemoteAddress?)
    -> JavaPlace?
  {
    var frame = framePointer ?? .null
    for _ in 0..<Self.chainLimit {
      guard frame >= stackPointer, frame.rawValue & 7 == 0, let saved = copy.address(at: frame)
      else { break }
      if let found = self.frame(returningAt: frame + 8, saved) { return found }
      guard saved > frame else { break }
      frame = saved
    }
    return search(from: stackPointer, words: Self.functionWords, framePointer ?? .null)
  }

  private func search(
    from start: RemoteAddress, words: Int, _ framePointer: RemoteAddress
  ) -> JavaPlace? {
    for number in 0..<words {
      let slot = start + number * 8
      // Right below a return address is often the saved frame pointer.
      if let saved = copy.address(at: slot - 8), let found = frame(returningAt: slot, saved) {
        return found
      }
      if let found = frame(returningAt: slot, framePointer) { return found }
    }
    return nil
  }

  /// The frame that a return address at `slot` belongs to; nil where it is none of Java's.
  private func frame(
    returningAt slot: RemoteAddress, _ framePointer: RemoteAddress
  ) -> JavaPlace? {
    guard let pc = copy.address(at: slot), code.heaps.contains(pc) else { return nil }
    let place = JavaPlace(pc: pc, stackPointer: slot + 8, framePointer: framePointer)
    if pc == code.callStubReturn { return isEntry(framePointer, slot) ? place : nil }
    guard let blob = code.blob(at: pc, memory: memory) else { return nil }
    switch blob.kind {
    case .method(_, let isNative):
      return isNative || blob.scopes?.isCallReturn(pc, memory: memory) ?? false ? place : nil
    case .interpreter:
      guard framePointer > slot, framePointer.rawValue & 7 == 0,
        let method = copy.address(at: framePointer - 24),
        code.method(at: method, memory: memory) != nil
      else { return nil }
      return place
    case .stub: return nil
    }
  }

  private func isEntry(_ framePointer: RemoteAddress, _ slot: RemoteAddress) -> Bool {
    framePointer > slot && framePointer.rawValue & 7 == 0 && copy.contains(framePointer)
  }
}
