internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A thread of the process with the thread states that it has: one of each interpreter that it runs.
final class PythonOSThread: RuntimeThread {
  private let readers: [PythonThreadReader]
  private let runtime: PythonRuntime
  /// Whether the copy was taken where nothing shows the frames.
  private var isEntering = false

  init(_ readers: [PythonThreadReader], of runtime: PythonRuntime) {
    self.readers = readers
    self.runtime = runtime
  }

  func warmUp(from memory: some TargetMemory) {
    for reader in readers { reader.warmUp(from: memory) }
  }

  func prepare() {
    for reader in readers { reader.prepare() }
  }

  func isInTransit(at instruction: RemoteAddress) -> Bool {
    runtime.isEnteringLoop(at: instruction)
  }

  func copy(
    at registers: Registers, from memory: some TargetMemory, reads: Int,
    until deadline: MonotonicClock.Instant,
    isStopped: Bool
  ) -> Bool {
    isEntering = runtime.isEnteringLoop(at: registers.instructionPointer)
    var isComplete = true
    for reader in readers {
      if !reader.copy(from: memory, reads: reads, until: deadline, isStopped: isStopped) {
        isComplete = false
      }
    }
    return isComplete
  }

  var isCopyInTransit: Bool { isEntering || readers.contains(where: \.isInTransit) }

  func finish() -> RuntimeStack {
    var stack =
      readers.count == 1
      ? readers[0].finish() : RuntimeStack.joined(readers.map { $0.finish() })
    if isEntering || readers.contains(where: \.isCallerUnknown) { stack.reject() }
    return stack
  }
}
