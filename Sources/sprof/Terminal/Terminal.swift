import Glibc
import LinuxProcess
import Sampling
import Synchronization
import TerminalUI

/// What stdout and stderr are connected to.
enum Terminal {
  static var wantsColor: Bool { wantsColor(on: STDOUT_FILENO) }

  static func wantsColor(on descriptor: CInt) -> Bool {
    isatty(descriptor) == 1 && getenv("NO_COLOR") == nil && !isDumb
  }

  static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

  private static var isDumb: Bool { getenv("TERM").map { strcmp($0, "dumb") == 0 } ?? true }

  static var errorWidth: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Whether the job that sprof belongs to has the terminal, or there are no jobs.
  static var isForeground: Bool {
    let group = tcgetpgrp(STDERR_FILENO)
    return group < 0 || group == getpgrp()
  }

  /// Takes the places of standard files that are closed, so that none of sprof's own files gets one
  /// of them and a message ends in a capture.
  ///
  /// A program that sprof starts finds them closed.
  static func reserveStandardFiles() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR | O_CLOEXEC)
    }
  }

  /// Writes to stderr; nobody is left to be told when that fails.
  static func writeError(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Writes to stdout what `body` writes, or throws.
  static func write(_ body: (inout FileOutput) throws -> Void) throws {
    try FileOutput.write(to: STDOUT_FILENO, body)
  }
}

/// Shows on the terminal how a capture goes, until it is told to end.
final class ProgressDisplay: Sendable {
  private let isDone = Atomic<Bool>(false)
  private let control: CaptureControl
  private let duration: Int64?

  init(control: CaptureControl, duration: Int64?) {
    self.control = control
    self.duration = duration
  }

  /// Runs `body` with the progress line shown; takes it away before returning.
  func show<Value>(during body: () throws -> Value) throws -> Value {
    guard Terminal.showsProgress,
      let display = try? OSThread.start({ [self] in redraw() })
    else { return try body() }
    let result = Result { try body() }
    isDone.store(true, ordering: .releasing)
    display.join()
    return try result.get()
  }

  private func redraw() {
    while !isDone.load(ordering: .acquiring) {
      let progress = control.progress
      let elapsed = Double(progress.elapsed) / 1e9
      let line = ProgressLine(
        timeLeft: duration.map { max(0, Double($0) / 1e9 - elapsed) }, elapsed: elapsed,
        ticks: progress.ticks, threads: progress.threads,
        stoppedShare: progress.elapsed > 0
          ? Double(progress.stoppedTime) / Double(progress.elapsed) : 0)
      // The line belongs to whoever has the terminal, which sprof in the background has not.
      if Terminal.isForeground { Terminal.writeError(line.rendered(width: Terminal.errorWidth)) }
      usleep(100_000)
    }
    if Terminal.isForeground { Terminal.writeError(ProgressLine.erasure) }
  }
}

/// Ctrl-C: the first ends the capture, which is then reported; the second ends sprof.
enum Interrupts {
  private static let count = Atomic<Int>(0)
  private static let control = Mutex<CaptureControl?>(nil)

  /// Lets SIGINT and SIGTERM end the capture that `control` belongs to.
  static func end(_ control: CaptureControl) throws {
    Self.control.withLock { $0 = control }
    // A thread of our own takes the signals, so that nothing has to be safe in a signal handler.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    _ = try OSThread.start { Self.wait() }
  }

  private static func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    var number: CInt = 0
    while sigwait(&signals, &number) == 0 {
      // The kernel lets go every thread that we hold.
      if count.wrappingAdd(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      control.withLock { $0?.stop() }
    }
  }
}
