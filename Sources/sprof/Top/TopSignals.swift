import Glibc
import LinuxProcess
import ProfileModel
import Synchronization

/// The signals that end a live view, so that it can give the terminal back before.
enum TopSignals {
  private static let ends = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
  private static let received = Atomic<Int32>(0)
  private static let continued = Atomic<Bool>(false)

  /// From now on these signals ask for the end, and the second one ends sprof at once.
  static func begin() throws {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in ends { sigaddset(&signals, signal) }
    // A thread of our own takes them, so that nothing has to be safe in a signal handler.
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    // A reader that has gone must not end sprof while it holds a thread: then the write fails.
    _ = SignalMask.block([SIGPIPE])
    signal(SIGCONT) { _ in TopSignals.continued.store(true, ordering: .relaxed) }
    try OSThread.start { wait() }.detach()
  }

  private static func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in ends { sigaddset(&signals, signal) }
    var number: CInt = 0
    var first: MonotonicClock.Instant?
    while sigwait(&signals, &number) == 0 {
      // One that is sent to a group and passed on as well comes twice.
      let now = MonotonicClock.now()
      if let first, now - first < .milliseconds(500) { continue }
      first = first ?? now
      // The kernel resumes every thread that sprof has stopped (ptrace(2)).
      if received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
    }
  }

  /// Whether one was received.
  static var wantsEnd: Bool { received.load(ordering: .relaxed) != 0 }

  /// The exit code of a program that the received signal ends; nil where none was received, or Ctrl-C,
  /// which is how one leaves.
  static var exitCode: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 || number == SIGINT ? nil : 128 + number
  }

  // MARK: - Stops of the job

  /// What the screen does around a stop of the job: nothing, leave, or stay away.
  private enum Absence {
    static let (none, asked, left) = (0, 1, 2)
  }

  private static let absence = Atomic<Int>(Absence.none)
  /// Whether there is a screen to leave.
  private static let screenIsShown = Atomic<Bool>(false)
  /// How long the screen may take to be left.
  private static let leavingTime = Nanoseconds.milliseconds(500)
  private static let pause = Nanoseconds.milliseconds(5)

  /// Notes that there is a screen that has to be left before a stop, or that there is none any more.
  static func noteScreen(isShown: Bool) {
    screenIsShown.store(isShown, ordering: .sequentiallyConsistent)
  }

  /// Asks for the screen to be left, and waits until it is; returns at once where there is none.
  ///
  /// Only the thread that draws may call ncurses, whose own handler of SIGTSTP would do so on any.
  static func leaveScreen() {
    guard screenIsShown.load(ordering: .sequentiallyConsistent) else { return }
    absence.store(Absence.asked, ordering: .sequentiallyConsistent)
    let end = MonotonicClock.now() + leavingTime
    while absence.load(ordering: .sequentiallyConsistent) == Absence.asked,
      MonotonicClock.now() < end
    { MonotonicClock.sleep(for: pause) }
  }

  /// Lets the screen come back: the job goes on.
  static func returnToScreen() { absence.store(Absence.none, ordering: .sequentiallyConsistent) }

  /// Whether the screen is to be left.
  static var isToLeave: Bool { absence.load(ordering: .sequentiallyConsistent) == Absence.asked }

  /// Call it when the screen was left; returns when it may come back.
  static func awaitReturn() {
    _ = absence.compareExchange(
      expected: Absence.asked, desired: Absence.left, ordering: .sequentiallyConsistent)
    while absence.load(ordering: .sequentiallyConsistent) != Absence.none, !wantsEnd {
      MonotonicClock.sleep(for: pause)
    }
  }

  /// Whether sprof was stopped and continued since the last call.
  static func takeContinued() -> Bool { continued.exchange(false, ordering: .relaxed) }
}
