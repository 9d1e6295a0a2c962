internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Finds out whether a layout fits the memory: the lists lead back to themselves, and a frame that
/// is there has a name.
struct PythonValidation {
  enum Outcome: Equatable {
    case valid
    case empty
    case finalising
    case invalid(RuntimeFault)
  }

  private let runtime: PythonRuntime
  private let reader: PythonReader
  /// Threads whose frames are tried before the layout is said not to fit.
  private static let threadLimit = 64

  init(_ runtime: PythonRuntime, process: Int32) {
    self.runtime = runtime
    reader = PythonReader(runtime, process: process)
  }

  /// Without an answer at `deadline` the layout is taken not to fit.
  func check(_ memory: some TargetMemory, until deadline: MonotonicClock.Instant) -> Outcome {
    let objects = PythonObjects(runtime: runtime, memory: memory)
    func pointer(_ field: PythonField, of record: RemoteAddress) -> RemoteAddress? {
      runtime.layout[field].flatMap { objects.pointer(record + $0) }
    }
    guard var interpreter = pointer(.runtimeInterpreters, of: runtime.address) else {
      return .invalid(.memoryUnreadable)
    }
    // The newest is the first, and may run nothing while others do.
    for _ in 0..<Self.interpreterLimit {
      guard !interpreter.isNull else { return .empty }
      guard let thread = pointer(.interpreterThreads, of: interpreter) else {
        return .invalid(.noInterpreter)
      }
      if !thread.isNull {
        guard pointer(.threadInterpreter, of: thread) == interpreter else {
          return .invalid(.strayThread)
        }
        return checkFrames(objects, until: deadline)
      }
      guard let next = pointer(.interpreterNext, of: interpreter) else {
        return .invalid(.noInterpreter)
      }
      interpreter = next
    }
    return .empty
  }

  /// More are a list that leads in a circle.
  private static let interpreterLimit = 1024

  private func checkFrames<Memory: TargetMemory>(
    _ objects: PythonObjects<Memory>, until deadline: MonotonicClock.Instant
  ) -> Outcome {
    _ = reader.refreshThreads(from: objects.memory)
    var hasFrames = false
    for thread in reader.threads.prefix(Self.threadLimit) {
      let stack = reader.stack(of: thread, from: objects.memory, until: deadline)
      if stack.frames.contains(where: { isSound($0, objects) }) {
        return reader.isFinalising ? .finalising : .valid
      }
      guard MonotonicClock.now() < deadline else { return .invalid(.tooSlow) }
      hasFrames = hasFrames || !stack.frames.isEmpty || stack.end != .complete
    }
    if reader.isFinalising { return .finalising }
    return hasFrames ? .invalid(.namelessFrames) : .valid
  }

  private func isSound<Memory: TargetMemory>(
    _ frame: RuntimeFrame, _ objects: PythonObjects<Memory>
  ) -> Bool {
    guard let function = frame.function, !function.name.isEmpty else { return false }
    return reader.hasCodeType(frame.code, objects)
  }
}

extension PythonReader {
  /// Whether the object at `address` is a code object, by the name of its type.
  fileprivate func hasCodeType<Memory: TargetMemory>(
    _ address: RemoteAddress, _ objects: PythonObjects<Memory>
  ) -> Bool {
    guard let type = objects.type(of: address) else { return false }
    if let known = codes.isKnownType(type) { return known }
    guard let name = objects.pointer(type + objects.shape.typeName),
      let text = objects.word(name)
    else { return false }
    // "code" and its end.
    let isCode = text & 0xff_ffff_ffff == 0x65_646f_63
    codes.noteType(type, isCode: isCode)
    return isCode
  }
}
