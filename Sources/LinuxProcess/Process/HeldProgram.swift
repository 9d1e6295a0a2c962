internal import CLinux
internal import Glibc
package import ProfileModel
internal import Synchronization

/// A program that was started and waits before its first instruction until it is released.
///
/// It is a child of sprof and stays a zombie until `waitForEnd`, so that its number is not given to
/// another meanwhile. Should sprof die, the kernel lets it run.
package final class HeldProgram: Sendable {
  /// Why a program could not be started.
  package enum Failure: Error, Equatable, Sendable {
    /// No such file in `PATH`.
    case notFound
    /// The file is there, but not the one that its first line names to run it.
    case noInterpreter(String)
    case isDirectory
    /// The file is there but cannot be executed; `isProgram` where it is a binary or a script that
    /// lacks nothing but the permission.
    case notExecutable(SystemError, isProgram: Bool)
    case system(SystemError)
  }

  /// The program's process.
  package let process: ProcessIdentity
  package var pid: Int32 { process.pid }
  /// Names the process even when its number has passed to another; less than 0 on a kernel that
  /// has no such thing (before 5.3).
  private let descriptor: CInt
  private let isReleased = Atomic<Bool>(false)
  private let isHeld = Atomic<Bool>(false)
  /// Its end, if it ended before it had started.
  private let earlyEnd = Mutex<CInt?>(nil)

  private init(pid: Int32) {
    // It is there until it is collected: what cannot be read now is refused later as gone.
    process = (try? ProcessIdentity(of: pid)) ?? ProcessIdentity(pid: pid, startTicks: .max)
    descriptor = sprof_pidfd_open(pid)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Starts `command`, found through `PATH`, with this process's standard files, environment,
  /// folder and, as its signal mask, `mask`; returns when it is about to run its first instruction.
  ///
  /// A thread of sprof holds it there: the kernel answers only the thread that seized. A program that
  /// would lose its set-user-ID bit by being traced is not held.
  @available(*, noasync, message: "blocks until the program has been loaded")
  package static func start(
    _ command: [String], mask: SignalMask
  ) throws(Failure) -> HeldProgram {
    guard let name = command.first else { throw .notFound }
    let (program, gate, errors) = try spawn(command, mask: mask)
    let mayHold = ExecutableFile.mayBeTraced(name)
    let outcome = Outcome()
    do {
      // Nobody waits for this thread: it ends soon after the program was released.
      _ = try OSThread.start {
        let failure = program.hold(gate: gate, errors: errors, mayHold: mayHold)
        outcome.set(failure.map { ExecutableFile.explain($0, of: name) })
        program.awaitRelease()
      }
    } catch {
      kill(program.pid, SIGKILL)
      close(gate)
      close(errors)
      _ = try? program.waitForEnd()
      throw .system(error)
    }
    if let failure = outcome.wait() {
      _ = try? program.waitForEnd()
      throw failure
    }
    return program
  }

  private static func spawn(
    _ command: [String], mask: SignalMask
  ) throws(Failure) -> (HeldProgram, gate: CInt, errors: CInt) {
    var (gate, errors): (CInt, CInt) = (-1, -1)
    var signals = mask.signals
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    let pid = sprof_spawn_held(arguments, &signals, &gate, &errors)
    guard pid > 0 else { throw .system(SystemError("fork", code: -pid)) }
    return (HeldProgram(pid: pid), gate, errors)
  }

  /// Lets the program run; returns when nothing holds it any more.
  package func release() {
    isReleased.store(true, ordering: .releasing)
    while isHeld.load(ordering: .acquiring) {
      MonotonicClock.sleep(for: .microseconds(50))
    }
  }

  /// Sends it a signal; nothing happens when it has ended.
  package func send(_ signal: Int32) {
    if descriptor >= 0 {
      _ = sprof_pidfd_send_signal(descriptor, signal)
    } else {
      kill(pid, signal)
    }
  }

  /// Waits for the program's end and collects it; throws when the system does not say how it ended.
  ///
  /// Call it once. `collected` is the status when a stop of the program found its end
  /// (`StoppedThreads.collectedEnd`).
  @available(*, noasync, message: "blocks until the program has ended")
  package func waitForEnd(
    collected: CInt? = nil
  ) throws(SystemError) -> CaptureInfo.ProgramEnd {
    var status: CInt = 0
    if let known = collected ?? earlyEnd.withLock({ $0 }) {
      status = known
    } else {
      while waitpid(pid, &status, 0) < 0 {
        guard errno == EINTR else { throw SystemError("waitpid", code: errno) }
      }
    }
    let signal = status & 0x7f
    return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
  }

  // MARK: - The thread that holds it

  private func hold(gate: CInt, errors: CInt, mayHold: Bool) -> Failure? {
    defer { close(errors) }
    // Not to be traced: then it runs a little before the first sample, and nothing else is lost.
    JobControl.beginHolding()
    let isSeized = mayHold && sprof_ptrace_seize_for_exec(pid) == 0
    close(gate)
    if isSeized, waitForExec() {
      isHeld.store(true, ordering: .releasing)
      return nil
    }
    JobControl.endHolding()
    // Nothing comes when exec has succeeded, or a signal has ended the program before.
    var code: CInt = 0
    let size = MemoryLayout<CInt>.size
    var count = 0
    repeat { count = read(errors, &code, size) } while count < 0 && errno == EINTR
    guard count == size else { return nil }
    switch code {
    case ENOENT, ENOTDIR: return .notFound
    case EISDIR: return .isDirectory
    case EACCES, ENOEXEC, ETXTBSY, EPERM, ELIBBAD, EINVAL:
      return .notExecutable(SystemError("exec", code: code), isProgram: false)
    default: return .system(SystemError("exec", code: code))
    }
  }

  /// Waits for the stop after exec, and passes on the signals that come before; false when the program
  /// has ended instead.
  private func waitForExec() -> Bool {
    var status: CInt = 0
    while true {
      let result = sprof_wait(pid, &status, 0)
      if result == -EINTR { continue }
      guard result > 0 else { return false }
      guard status & 0x7f == 0x7f else {
        let ended = status
        earlyEnd.withLock { $0 = ended }
        return false
      }
      let signal = (status >> 8) & 0xff
      switch status >> 16 {
      case 4: return true  // PTRACE_EVENT_EXEC (ptrace(2)).
      case 0: _ = sprof_ptrace_continue(pid, signal)
      default:
        // PTRACE_EVENT_STOP: a signal has stopped it, and it is to stay so until SIGCONT.
        guard [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(signal) else {
          _ = sprof_ptrace_continue(pid, 0)
          continue
        }
        _ = sprof_ptrace_listen(pid)
        // Ctrl-Z stops both, and `fg` lets both go on.
        JobControl.endHolding()
        sprof_await_news(pid)
        JobControl.beginHolding()
      }
    }
  }

  private func awaitRelease() {
    guard isHeld.load(ordering: .acquiring) else { return }
    while !isReleased.load(ordering: .acquiring) {
      MonotonicClock.sleep(for: .microseconds(100))
    }
    _ = sprof_ptrace_detach(pid, 0)
    JobControl.endHolding()
    isHeld.store(false, ordering: .releasing)
  }
}

/// What the holding thread reports to the starting one.
private final class Outcome: Sendable {
  private let state = Mutex<(isSet: Bool, failure: HeldProgram.Failure?)>((false, nil))

  func set(_ failure: HeldProgram.Failure?) { state.withLock { $0 = (true, failure) } }

  func wait() -> HeldProgram.Failure? {
    while true {
      let (isSet, failure) = state.withLock { $0 }
      if isSet { return failure }
      MonotonicClock.sleep(for: .microseconds(100))
    }
  }
}
