internal import LinuxProcess
internal import ProfileModel

/// The programs that a process has executed while it was sampled.
struct Executions {
  private let first: String
  private(set) var count = 0
  private var last: AddressSpaces.Program?
  /// When the program that runs now was first seen to run; nil for the first.
  private(set) var lastTime: MonotonicClock.Instant?

  /// Of a process that runs the program of that name at first.
  init(of program: String) { first = program }

  mutating func add(_ program: AddressSpaces.Program, at time: MonotonicClock.Instant) {
    count += 1
    last = program
    lastTime = time
  }

  /// A capture's head as it is for the program that runs now, given what it was at the beginning.
  func head(_ capture: CaptureInfo) -> CaptureInfo {
    guard let last else { return capture }
    var capture = capture
    capture.processName = last.name ?? capture.processName
    capture.executable = last.executable ?? capture.executable
    if !last.commandLine.isEmpty { capture.commandLine = last.commandLine }
    return capture
  }

  /// What the user should know; nil where there were none.
  var note: String? {
    guard let name = last?.name else { return nil }
    return count == 1
      ? "The process ran \(first) at first, and executed \(name) during the capture."
      : "The process ran \(first) at first, and executed \(count) programs during the capture, \(name) "
        + "the last."
  }
}
