internal import LinuxProcess
internal import ProfileModel

/// Finds out whether a layout fits the memory: the lists lead back to themselves, and a frame that
/// is there has a name.
struct PythonValidation {
  enum Outcome: Equatable {
    case valid
    case empty
    case finalising
    case invalid(String)
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
  func check(_ memory: some TargetMemory, until deadline: Int64) -> Outcome {
    guard let first = word(at: .runtimeInterpreters, of: runtime.address.rawValue, memory) else {
      return .invalid("its memory cannot be read")
    }
    guard first != 0 else { return .empty }
    guard let thread = word(at: .interpreterThreads, of: first, memory) else {
      return .invalid("no interpreter where the first should be")
    }
    guard thread != 0 else { return .empty }
    guard word(at: .threadInterpreter, of: thread, memory) == first else {
      return .invalid("a thread state that belongs to no interpreter")
    }
    _ = reader.refreshThreads(from: memory)
    var hasFrames = false
    for thread in reader.threads.prefix(Self.threadLimit) {
      let stack = reader.stack(of: thread, from: memory, until: deadline)
      if stack.frames.contains(where: { isSound($0, memory) }) {
        return reader.isFinalising ? .finalising : .valid
      }
      guard MonotonicClock.now().rawValue < deadline else {
        return .invalid("its frames take too long to read")
      }
      hasFrames = hasFrames || !stack.frames.isEmpty || stack.end != .complete
    }
    if reader.isFinalising { return .finalising }
    return hasFrames ? .invalid("no frame with a name") : .valid
  }

  private func isSound(_ frame: RuntimeFrame, _ memory: some TargetMemory) -> Bool {
    guard let function = frame.function, !function.name.isEmpty else { return false }
    return reader.hasCodeType(frame.code, from: memory)
  }

  private func word(
    at field: PythonField, of address: UInt64, _ memory: some TargetMemory
  ) -> UInt64? {
    guard let offset = runtime.layout[field] else { return nil }
    var copies = MemoryCopies()
    let place = address &+ UInt64(offset)
    copies.copy([MemoryRange(start: RemoteAddress(place), count: 8)], from: memory)
    return copies.value(at: place, as: UInt64.self)
  }
}

extension PythonReader {
  /// Whether the object at `address` is a code object, by the name of its type (`tp_name` at 24).
  func hasCodeType(_ address: RemoteAddress, from memory: some TargetMemory) -> Bool {
    var copies = MemoryCopies()
    func word(_ place: UInt64) -> UInt64? {
      copies.copy([MemoryRange(start: RemoteAddress(place), count: 8)], from: memory)
      return copies.value(at: place, as: UInt64.self)
    }
    guard let type = word(address.rawValue &+ 8) else { return false }
    if let known = codes.isKnownType(type) { return known }
    guard let name = word(type &+ 24), let text = word(name) else { return false }
    // "code" and its end.
    let isCode = text & 0xff_ffff_ffff == 0x65_646f_63
    codes.noteType(type, isCode: isCode)
    return isCode
  }
}
